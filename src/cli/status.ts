/** `tandem status`: who is active and why, and what the servers do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { fetchStatus } from '../api/client.js';
import { TandemError } from '../errors.js';
import { defaultSocketPath } from './defaults.js';
import { statusText } from './statusText.js';
import { painterFor } from './table.js';

/** How often `--watch` asks again, in milliseconds. */
const watchIntervalMs = 1_000;

/** Clears the screen and puts the cursor into its upper left corner. */
const clearScreen = '\x1b[H\x1b[2J';

/** The command. */
export function statusCommand(): Command {
  return new Command('status')
    .description('Show who is active and why, the servers, and what the kernel has.')
    .option('--socket <path>', 'API socket of the agent', defaultSocketPath(process.env))
    .option('--json', 'print the whole status document as JSON')
    .option('--watch', 'show it again every second until interrupted')
    .addHelpText('after', '\nExample:\n  tandem status --watch')
    .action(async (options: { socket: string; json?: boolean; watch?: boolean }) => {
      if (options.watch !== true) {
        console.log(await render(options.socket, options.json === true));
        return;
      }
      for (;;) {
        const text = await renderOrSay(options.socket, options.json === true);
        process.stdout.write(process.stdout.isTTY ? `${clearScreen}${text}\n` : `${text}\n`);
        await sleep(watchIntervalMs);
      }
    });
}

async function render(socketPath: string, asJson: boolean): Promise<string> {
  const status = await fetchStatus(socketPath);
  // When watched through a pipe, one document a line is what programs can read.
  if (asJson) return JSON.stringify(status, null, process.stdout.isTTY ? 2 : 0);
  return statusText(status, painterFor(process.stdout.isTTY === true, process.env));
}

/** While watching, an agent that restarts must not end the watcher. */
async function renderOrSay(socketPath: string, asJson: boolean): Promise<string> {
  try {
    return await render(socketPath, asJson);
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    return asJson
      ? JSON.stringify({ error: { code: error.code, message: error.message } })
      : `tandem: ${error.message}\n  hint: ${error.hint}`;
  }
}
