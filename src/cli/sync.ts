/** `tandem sync`: how well the connection tables of the two directors agree. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { fetchStatus, requestResync } from '../api/client.js';
import type { RelayStatus } from '../api/statusModel.js';
import { parseDurationMs } from '../config/duration.js';
import { TandemError } from '../errors.js';
import { defaultSocketPath } from './defaults.js';
import { syncDetailLines } from './syncText.js';
import { painterFor } from './table.js';

interface SyncOptions {
  readonly socket: string;
  readonly json?: boolean;
}

interface ResyncOptions extends SyncOptions {
  readonly wait: boolean;
  readonly timeout: number;
}

/** How often the agent is asked, in milliseconds. */
const askIntervalMs = 250;

/** The command, with its own commands. */
export function syncCommand(): Command {
  return new Command('sync')
    .description('Show how the connection table reaches the peer, or send all of it again.')
    .addCommand(statusCommand())
    .addCommand(resyncCommand());
}

function statusCommand(): Command {
  return new Command('status')
    .description('Print everything that is counted of connection sync.')
    .option('--socket <path>', 'API socket of the agent', defaultSocketPath(process.env))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  tandem sync status')
    .action(async ({ socket, json }: SyncOptions) => {
      const status = await fetchStatus(socket);
      if (json === true) {
        console.log(JSON.stringify(status.connectionSync, null, 2));
        return;
      }
      const paint = painterFor(process.stdout.isTTY, process.env);
      console.log(syncDetailLines(status, paint).join('\n'));
    });
}

function resyncCommand(): Command {
  return new Command('resync')
    .description('Let both directors send each other all connections that they know.')
    .option('--no-wait', 'do not wait until both agree')
    .option('--timeout <duration>', 'how long to wait', parseTimeout, 60_000)
    .option('--socket <path>', 'API socket of the agent', defaultSocketPath(process.env))
    .option('--json', 'print the state afterwards as JSON')
    .addHelpText(
      'after',
      '\nDefault of --timeout: 1m.\n\nExample:\n  tandem sync resync --timeout 5m',
    )
    .action(resync);
}

async function resync({ socket, wait, timeout, json }: ResyncOptions): Promise<void> {
  const { requestedUnixMs } = await requestResync(socket);
  const relay = wait ? await agreed(socket, requestedUnixMs, timeout) : undefined;
  if (json === true) console.log(JSON.stringify({ requestedUnixMs, relay }, null, 2));
  else if (relay === undefined) console.log('asked for');
  else console.log(`in sync: ${relay.tableEntries} entries here, ${relay.peerTableEntries} there`);
}

/** Waits for a comparison after the request that found no difference. */
async function agreed(
  socket: string,
  requestedUnixMs: number,
  timeoutMs: number,
): Promise<RelayStatus> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { relay } = (await fetchStatus(socket)).connectionSync;
    const isNew = (relay?.comparedUnixMs ?? 0) > requestedUnixMs;
    if (relay?.inSync === true && isNew) return relay;
    if (Date.now() > deadline) {
      throw new TandemError('AGENT_REFUSED', 'the two directors do not agree yet', {
        hint: 'They go on; `tandem sync status` shows how far they are.',
      });
    }
    await sleep(askIntervalMs);
  }
}

function parseTimeout(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 1_000 && ms <= 3_600_000) return ms;
  throw new InvalidArgumentError('must be a duration from 1s to 1h, such as 90s');
}
