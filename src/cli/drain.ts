/** `tandem drain`: no new clients for a server, and a wait until those that it has are gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { fetchServers } from '../api/client.js';
import type { NamedServerStatus, ServersResult } from '../api/overrideModel.js';
import { formatDurationMs, parseDurationMs } from '../config/duration.js';
import { TandemError } from '../errors.js';
import { LiveOutput } from './liveOutput.js';
import { type OverrideOptions, override, serverCommand } from './overrideOptions.js';

interface DrainOptions extends OverrideOptions {
  readonly timeout: number;
  readonly wait: boolean;
}

/** How often the agent is asked, in milliseconds. */
const askIntervalMs = 1_000;

/** Longest wait: a week, in milliseconds. */
const timeoutMaxMs = 7 * 86_400_000;

/** The command. It throws `DRAIN_INCOMPLETE` at the deadline; the server stays drained then. */
export function drainCommand(): Command {
  return serverCommand('drain', 'Give a server weight 0 and wait until its connections have ended.')
    .option('--timeout <duration>', 'how long to wait', parseTimeout, 300_000)
    .option('--no-wait', 'do not wait for the connections')
    .addHelpText('after', help)
    .action((server: string, options: DrainOptions) => drain(server, options));
}

const help = `
The server gets no new clients until \`tandem undrain\`, also after a reload, a restart and a
takeover. Interrupting the wait leaves it drained. Default of --timeout: 5m.

Example:
  tandem drain web/192.168.0.10:80 --timeout 10m --reason 'kernel update'`;

async function drain(server: string, options: DrainOptions): Promise<void> {
  const output = new LiveOutput((text) => process.stderr.write(text), process.stderr.isTTY);
  let result: ServersResult & { readonly message: string } = await override(
    'drain',
    server,
    options,
  );
  output.step(result.message);
  const deadline = Date.now() + options.timeout;
  let left = leftOf(result);
  while (options.wait && left.total > 0 && Date.now() < deadline) {
    output.progress(left.text);
    await sleep(Math.min(askIntervalMs, Math.max(1, deadline - Date.now())));
    const { all = false } = options;
    result = { ...result, ...(await fetchServers(options.socket, { server, all })) };
    requireDrained(result);
    left = leftOf(result);
  }
  const drained = left.total === 0;
  if (options.json === true) console.log(JSON.stringify({ ...result, drained }, null, 2));
  else if (drained) console.log('no connection is left');
  else if (!options.wait) console.log(left.text);
  if (drained || !options.wait) return;
  const time = formatDurationMs(options.timeout);
  throw new TandemError('DRAIN_INCOMPLETE', `after ${time} ${left.text}`);
}

/** Somebody else may have taken it back meanwhile; then there is nothing to wait for. */
function requireDrained({ servers }: ServersResult): void {
  const back = servers.find(({ weight }) => (weight.desired ?? 0) > 0);
  if (back === undefined) return;
  throw new TandemError('AGENT_REFUSED', `${back.id} was put back into service meanwhile`);
}

/** Clients that are still there, or would be sent there again. */
export function leftOf(result: ServersResult): { readonly total: number; readonly text: string } {
  let total = 0;
  const lines = result.servers.map((server) => {
    const { active, inactive, persistent } = connectionsOf(server);
    // An entry of persistence matters only as long as the kernel obeys it.
    const templates = result.templatesExpire ? 0 : persistent;
    total += active + inactive + templates;
    const counts = `${active} active, ${inactive} inactive`;
    return `${server.id}: ${counts}${templates === 0 ? '' : `, ${templates} persistent`} left`;
  });
  const text = lines.join('; ');
  const returning = result.servers.some((server) => connectionsOf(server).persistent > 0);
  if (result.templatesExpire || !returning) return { total, text };
  const setting = 'net.ipv4.vs.expire_quiescent_template';
  return { total, text: `${text} (persistent clients return until ${setting} is 1)` };
}

function connectionsOf({ connections }: NamedServerStatus) {
  return connections ?? { active: 0, inactive: 0, persistent: 0 };
}

function parseTimeout(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms <= timeoutMaxMs) return ms;
  const most = formatDurationMs(timeoutMaxMs);
  throw new InvalidArgumentError(`must be a duration of at most ${most}, such as 90s or 10m`);
}
