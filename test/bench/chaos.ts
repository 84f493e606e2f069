/** `npm run bench -- chaos`: servers die and return at random; are the weights right in time? */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { formatTable } from '../../src/cli/table.js';
import { isInstalled } from '../tools/startDirector.js';
import type { Benchmark } from './benchmark.js';
import {
  type ChaosResult,
  type ChaosSetting,
  chaosAllowanceMs,
  chaosBoundMs,
} from './chaosModel.js';
import { markdownTable } from './failoverTable.js';
import { runInside } from './insideKernel.js';
import { wholeNumber } from './options.js';

/** Boot, both programs and their end, in milliseconds. */
const overheadMs = 180_000;
const violationsPrintedMax = 20;

interface ChaosOptions {
  readonly servers: number;
  readonly seconds: number;
  readonly seed: number;
  readonly markdown?: boolean;
  readonly json?: string;
}

/** The benchmark. */
export const chaosBenchmark: Benchmark = {
  name: 'chaos',
  summary: 'Servers die and return at random: no weight may be wrong beyond the detection bound.',
  configure(command: Command): void {
    command
      .option('--servers <number>', 'how many servers', wholeNumber(1, 250), 50)
      .option('--seconds <number>', 'how long', wholeNumber(10, 3_600), 600)
      .option('--seed <number>', 'which course', wholeNumber(1, 1_000_000_000), 1)
      .option('--markdown', 'print the table as Markdown')
      .option('--json <file>', 'also write the results to a file')
      .addHelpText('after', help)
      .action((options: ChaosOptions) => run(options));
  },
};

const help = `
In the embedded kernel both programs check the same servers over HTTP, each second, with a timeout
of half a second; two failures take a server out. Servers refuse, hang or answer 500 for 4.5 to
12 s, and live for 5 to 20 s. The weights in the kernel are read every 100 ms. From
${chaosBoundMs} ms (two intervals and a timeout) and an allowance of ${chaosAllowanceMs} ms after
a change on they must be right: 0 exactly for the dead. The exit code is 1 when ours were not.

Example:
  npm run bench -- chaos --seconds 60 --seed 7`;

async function run(options: ChaosOptions): Promise<void> {
  const { servers, seconds, seed } = options;
  const programs: ChaosSetting['programs'] = isInstalled('keepalived')
    ? ['tandem', 'keepalived']
    : ['tandem'];
  const results: ChaosResult[] = [];
  await runInside<ChaosResult>('chaosInside', [{ servers, seconds, seed, programs }], {
    timeoutMs: seconds * 1000 + overheadMs,
    onResult: (result) => results.push(result),
  });
  const format = options.markdown === true ? markdownTable : formatTable;
  process.stdout.write(`${format([header, ...results.map(rowOf)]).join('\n')}\n`);
  for (const { program, violations } of results) {
    for (const violation of violations.slice(0, violationsPrintedMax)) {
      process.stdout.write(`${program}: ${violation}\n`);
    }
  }
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, null, 2));
  const ours = results.find(({ program }) => program === 'tandem');
  if (ours === undefined || ours.violations.length > 0) process.exitCode = 1;
}

const header = [
  'program',
  'changes followed',
  'weights wrong beyond the bound',
  'death to weight 0: median / max ms',
  'return to weight: median / max ms',
];

function rowOf({ program, followed, violations, deathMs, returnMs }: ChaosResult) {
  return [
    program,
    String(followed),
    String(violations.length),
    medianAndMax(deathMs),
    medianAndMax(returnMs),
  ];
}

function medianAndMax(values: readonly number[]): string {
  const sorted = values.toSorted((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${median.toFixed(0)} / ${(sorted.at(-1) ?? 0).toFixed(0)}`;
}
