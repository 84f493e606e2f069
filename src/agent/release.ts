/** What `tandem release` does: gives up the addresses of an agent that is not there any more. */
import { fetchStatus } from '../api/client.js';
import type { TandemConfig } from '../config/model.js';
import { readConfigFile } from '../config/read.js';
import { TandemError } from '../errors.js';
import { wantedRuleSets } from '../host/firewallRules.js';
import { SettingsKeeper } from '../host/settings.js';
import { openFirewall } from '../kernel/firewall.js';
import type { VirtualAddress } from '../vrrp/protocol.js';
import { releaseAddresses } from '../vrrp/release.js';
import { settingsFileOf } from './hostSetup.js';

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
  const { removed } = releaseAddresses({
    routers: config.virtualRouters,
    syncGroups: config.syncGroups,
  });
  if (config.ipvs.onStop === 'remove') await releaseHost(config);
  return removed;
}

/** What an agent that is gone changed on the machine, where a stop would have put it back. */
async function releaseHost(config: TandemConfig): Promise<void> {
  new SettingsKeeper(settingsFileOf(config)).restore();
  const sets = wantedRuleSets(config, process.getuid?.() ?? 0);
  if (sets.every(({ rules }) => rules.length === 0)) return;
  const firewall = await openFirewall(config.system.firewall);
  for (const { name } of sets) await firewall.replace({ name, rules: [] });
}

async function answers(socketPath: string): Promise<boolean> {
  try {
    await fetchStatus(socketPath);
    return true;
  } catch {
    return false;
  }
}
