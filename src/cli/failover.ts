/** `tandem failover`: lets the peer take over, politely and for a time. */
import { Command, InvalidArgumentError } from 'commander';
import { requestFailover } from '../api/client.js';
import { failoverMaxMs } from '../api/failoverModel.js';
import { formatDurationMs, parseDurationMs } from '../config/duration.js';
import { defaultSocketPath } from './defaults.js';

interface FailoverOptions {
  readonly for: number;
  readonly force?: boolean;
  readonly cancel?: boolean;
  readonly socket: string;
  readonly json?: boolean;
}

/** The command. It throws when nobody takes over; the service then goes on here. */
export function failoverCommand(): Command {
  return new Command('failover')
    .description('Step down: offer the place to the peer, and keep the addresses until it has it.')
    .argument('[router]', 'one virtual router, with its sync group; all unless named')
    .option('--for <duration>', 'when this node takes part as before', parseFor, 60_000)
    .option('--force', 'without waiting for the connection table, and although nobody takes over')
    .option('--cancel', 'take part as before from now on')
    .option('--socket <path>', 'API socket of the agent', defaultSocketPath(process.env))
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action(async (router: string | undefined, options: FailoverOptions) => {
      const result = await requestFailover(options.socket, {
        ...(router === undefined ? {} : { router }),
        forMs: options.cancel === true ? 0 : options.for,
        force: options.force === true,
      });
      console.log(options.json === true ? JSON.stringify(result, null, 2) : result.message);
    });
}

const help = `
After the time this node comes back by preemption, as configured. Default of --for: 1m.
With the relay of connectionSync it waits until the peer knows all connections.

Example:
  tandem failover --for 10m outside`;

function parseFor(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 1_000 && ms <= failoverMaxMs) return ms;
  const most = formatDurationMs(failoverMaxMs);
  throw new InvalidArgumentError(`must be a duration from 1s to ${most}, such as 90s or 10m`);
}
