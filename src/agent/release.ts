/** What `tandem release` does: gives up the addresses of an agent that is not there any more. */
import { fetchStatus } from '../api/client.js';
import { readConfigFile } from '../config/read.js';
import { TandemError } from '../errors.js';
import type { VirtualAddress } from '../vrrp/protocol.js';
import { releaseAddresses } from '../vrrp/release.js';

/** Which configuration names the addresses. */
export interface ReleaseOptions {
  readonly configPath: string;
  readonly node: string | undefined;
  readonly hostname: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Says priority 0 for every virtual router and removes its addresses, when they are still there.
 * Throws `AGENT_REFUSED` while an agent answers: it holds the addresses on purpose.
 */
export async function releaseConfigured(
  options: ReleaseOptions,
): Promise<readonly VirtualAddress[]> {
  const { config } = readConfigFile(options.configPath, {
    ...(options.node === undefined ? {} : { node: options.node }),
    environment: options.environment,
    hostname: options.hostname,
  });
  if (await answers(config.api.socket)) {
    throw new TandemError(
      'AGENT_REFUSED',
      `an agent runs on ${config.api.socket} and holds the virtual IPs`,
      { hint: 'Stop it; it gives them up by itself.' },
    );
  }
  return releaseAddresses({
    routers: config.virtualRouters,
    syncGroups: config.syncGroups,
  }).removed;
}

async function answers(socketPath: string): Promise<boolean> {
  try {
    await fetchStatus(socketPath);
    return true;
  } catch {
    return false;
  }
}
