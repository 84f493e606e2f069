/** Options that say how packets for a server are wrapped. */
import { type Command, Option } from 'commander';
import { TandemError } from '../errors.js';
import {
  type RealServerMode,
  type RealServerPlan,
  realServerPlan,
  type TunnelReception,
} from '../host/realServerPlan.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { TunnelEncapsulation } from '../wire/ipvsModel.js';

/** What was given. */
export interface TunnelOptions {
  readonly tunnel?: 'ipip' | 'gue' | 'gre';
  readonly tunnelPort?: string;
  readonly tunnelChecksum?: 'none' | 'full' | 'remote';
}

/** Adds the options to a command. */
export function withTunnelOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--tunnel <type>',
        'with --mode tunnel: how packets are wrapped (default: ipip)',
      ).choices(['ipip', 'gue', 'gre']),
    )
    .option('--tunnel-port <port>', 'with --tunnel gue: the UDP port at which it ends')
    .addOption(
      new Option('--tunnel-checksum <kind>', 'with gue and gre, as the directors send it').choices([
        'none',
        'full',
        'remote',
      ]),
    );
}

/** Reads the options; `undefined` is IP in IP. Throws `USAGE` for what does not go together. */
export function readEncapsulation(options: TunnelOptions): TunnelEncapsulation | undefined {
  const { tunnel = 'ipip', tunnelPort, tunnelChecksum: checksum = 'none' } = options;
  if (tunnel !== 'gue' && tunnelPort !== undefined) {
    throw new TandemError('USAGE', '--tunnel-port goes with --tunnel gue');
  }
  if (tunnel === 'gue') {
    const port = Number(tunnelPort);
    if (tunnelPort === undefined || !Number.isInteger(port) || port < 1 || port > 0xffff) {
      throw new TandemError('USAGE', '--tunnel gue needs --tunnel-port, a number up to 65535');
    }
    return { type: 'gue', port, checksum };
  }
  if (checksum === 'remote' || (tunnel === 'ipip' && checksum !== 'none')) {
    throw new TandemError('USAGE', `--tunnel ${tunnel} has no ${checksum} checksum`);
  }
  return tunnel === 'gre' ? { type: 'gre', checksum } : undefined;
}

/** As {@link realServerPlan}. Throws `USAGE` where the server's address is missing. */
export function checkedPlan(
  mode: RealServerMode,
  virtual: readonly IpAddress[],
  reception: TunnelReception,
): RealServerPlan {
  try {
    return realServerPlan(mode, virtual, reception);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const hint = 'Name it with --server: it is the address that the directors have for it.';
    throw new TandemError('USAGE', `--server is missing: ${cause.message}`, { hint, cause });
  }
}
