/** `npm run bench -- sync`: the relay between two real tables, in the embedded kernel. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { runInEmbeddedKernel } from '../../src/drill/embeddedKernel.js';
import { TandemError } from '../../src/errors.js';
import type { Benchmark } from './benchmark.js';
import { wholeNumber } from './options.js';
import { readSyncResult, type SyncResult, syncTable } from './syncModel.js';

const timeoutMs = 900_000;

interface SyncOptions {
  readonly entries: number;
  readonly json?: string;
}

/** The benchmark. */
export const syncBenchmark: Benchmark = {
  name: 'sync',
  summary: 'The relay of connections: a whole table to a director that joins, and changes.',
  configure(command: Command): void {
    command
      .option('--entries <number>', 'connections', wholeNumber(1_000, 1_000_000), 100_000)
      .option('--json <file>', 'write all results to a file')
      .addHelpText('after', help)
      .action(run);
  },
};

const help = `
One director is told of so many connections as its kernel would tell it. Then the other joins:
how long the whole table takes, and whether all of it is in the other kernel. After that a
tenth as many are new at once. Beside it the way of the kernel: reading /proc/net/ip_vs_conn.

Example:
  npm run bench -- sync --entries 250000`;

async function run({ entries, json }: SyncOptions): Promise<void> {
  const inner = fileURLToPath(new URL('./syncInside.js', import.meta.url));
  const command = [process.execPath, inner, String(entries)];
  const { exitCode, output } = await runInEmbeddedKernel({ command, timeoutMs });
  if (exitCode !== 0) {
    throw new TandemError('LAB_FAILED', `the run in the embedded kernel failed:\n${output}`);
  }
  const result: SyncResult = readSyncResult(output);
  console.log(syncTable(result).join('\n'));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
  if (result.bulk.missing + result.relay.missing > 0) process.exitCode = 1;
}
