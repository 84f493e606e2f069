/** `npm run bench -- sync`: connections on their way to the other director, relay and kernel. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { formatTable } from '../../src/cli/table.js';
import { TandemError } from '../../src/errors.js';
import type { Benchmark } from './benchmark.js';
import { runInside } from './insideKernel.js';
import { wholeNumber } from './options.js';
import { bulkRows, offeredRows, type SyncPart, type SyncPlan, syncFaults } from './syncModel.js';

const timeoutMs = 900_000;

interface SyncOptions {
  readonly entries: number;
  readonly rate: number;
  readonly seconds: number;
  readonly proc: boolean;
  readonly json?: string;
}

/** The benchmark. */
export const syncBenchmark: Benchmark = {
  name: 'sync',
  summary: 'Connections on their way to the other director: by the relay and by the kernel.',
  configure(command: Command): void {
    command
      .option(
        '--entries <number>',
        'of the largest whole table',
        wholeNumber(1_000, 500_000),
        250_000,
      )
      .option('--rate <number>', 'new connections a second', wholeNumber(100, 50_000), 5_000)
      .option('--seconds <number>', 'how long they come', wholeNumber(1, 60), 10)
      .option('--no-proc', 'do not read the tables from /proc beside it')
      .option('--json <file>', 'also write all results to a file')
      .addHelpText('after', help)
      .action(run);
  },
};

const help = `
It runs on the embedded kernel, with a table of its own for each director. After some that warm up,
new connections come at the rate, and then as fast as they can be made; how many the kernel of the
other director has is looked at all the time. First the kernels sync by multicast, then through the
agents. Afterwards one agent is told of a table, as its kernel would tell it, and the other one
joins: two fifths of the entries, then all. Beside it the table that arrived is read from /proc,
which takes the square of its length: a minute and more for the largest.

Example:
  npm run bench -- sync --entries 100000 --no-proc`;

async function run({ entries, rate, seconds, proc, json }: SyncOptions): Promise<void> {
  const connections = rate * seconds;
  const plan: SyncPlan = {
    rates: [
      { perSecond: rate, connections },
      { perSecond: null, connections },
    ],
    bulks: [Math.round(entries * 0.4), entries],
    readsProc: proc,
  };
  const parts: SyncPart[] = [];
  const onResult = (part: SyncPart): void => {
    parts.push(part);
    process.stderr.write(`${JSON.stringify(part)}\n`);
  };
  await runInside('syncInside', [plan], { timeoutMs, memoryMegabytes: 1_536, onResult });
  const offered = parts.flatMap((part) => (part.part === 'offered' ? [part] : []));
  const bulks = parts.flatMap((part) => (part.part === 'bulk' ? [part] : []));
  const lines = [...formatTable(offeredRows(offered)), '', ...formatTable(bulkRows(bulks))];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(parts, null, 2)}\n`);
  const faults = syncFaults(parts);
  if (faults.length > 0) throw new TandemError('LAB_FAILED', faults.join('\n       '));
}
