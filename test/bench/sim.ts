/** `npm run bench -- sim`: random courses of the election in virtual time, seed by seed. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Command } from 'commander';
import { TandemError } from '../../src/errors.js';
import { type CourseResult, runCourse } from '../sim/support/randomCourse.js';
import type { Benchmark } from './benchmark.js';
import { wholeNumber } from './options.js';

const defaultSeeds = 10_000;
/** Seeds that a thread runs before it tells what came of them. */
const portionSeeds = 50;
/** Violations that are printed; the others are counted. */
const printedMax = 20;

interface SimOptions {
  readonly seeds: number;
  readonly first: number;
  readonly seed?: number;
}

/** A range of seeds, as a thread takes it. */
export interface SeedRange {
  readonly first: number;
  readonly count: number;
}

/** What a range has come to. */
export interface SeedRangeResult extends CourseResult {
  readonly violations: readonly { readonly seed: number; readonly what: string }[];
}

/** The benchmark. */
export const simBenchmark: Benchmark = {
  name: 'sim',
  summary: 'Random courses of the election in virtual time: no invariant may break.',
  configure(command: Command): void {
    command
      .option('--seeds <number>', 'how many seeds', wholeNumber(1, 10_000_000), defaultSeeds)
      .option('--first <seed>', 'the first of them', wholeNumber(1, 1_000_000_000), 1)
      .option('--seed <seed>', 'run this one alone, here', wholeNumber(1, 1_000_000_000))
      .addHelpText('after', help)
      .action((options: SimOptions) =>
        options.seed === undefined ? runAll(options) : replay(options.seed),
      );
  },
};

const help = `
Each seed draws a LAN: up to five routers with up to three virtual routers each, sync groups, loss,
delay, reordering, doubled packets, partitions, stalls, crashes, reloads and jumps of the clock. The
pure election that the agent runs is judged at every instant. A seed that breaks an invariant is
printed, and the exit code is 1; --seed runs it again, the same to the microsecond.

Example:
  npm run bench -- sim --seed 7103`;

async function runAll({ seeds, first }: SimOptions): Promise<void> {
  const startedMs = performance.now();
  const ranges: SeedRange[] = [];
  for (let done = 0; done < seeds; done += portionSeeds) {
    ranges.push({ first: first + done, count: Math.min(portionSeeds, seeds - done) });
  }
  const results: SeedRangeResult[] = [];
  const threads = Math.min(availableParallelism(), ranges.length);
  await Promise.all(Array.from({ length: threads }, () => runThread(ranges, results)));
  const total = sum(results);
  const realSeconds = (performance.now() - startedMs) / 1000;
  const simulatedSeconds = total.simulatedUs / 1e6;
  const lines = [
    `${seeds} courses from seed ${first}: ${total.violations.length} violations`,
    `${Math.round(simulatedSeconds / 3600)} h simulated in ${realSeconds.toFixed(1)} s by ` +
      `${threads} threads: ${Math.round(simulatedSeconds / realSeconds)} s per second`,
    `${total.transitions} transitions, ${total.packets} advertisements sent`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (total.violations.length === 0) return;
  const broken = [...total.violations].sort((left, right) => left.seed - right.seed);
  for (const { seed, what } of broken.slice(0, printedMax)) {
    process.stdout.write(`SEED ${seed}: ${what}\n`);
  }
  throw new TandemError('LAB_FAILED', 'an invariant of the election was broken', {
    hint: `Replay: npm run bench -- sim --seed ${broken[0]?.seed}`,
  });
}

/** Gives ranges to one thread until there are none left. */
async function runThread(ranges: SeedRange[], results: SeedRangeResult[]): Promise<void> {
  const worker = new Worker(new URL('./simThread.js', import.meta.url));
  try {
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const range = ranges.shift();
        if (range === undefined) resolve();
        else worker.postMessage(range);
      };
      worker.on('error', reject);
      worker.on('message', (result: SeedRangeResult) => {
        results.push(result);
        next();
      });
      next();
    });
  } finally {
    await worker.terminate();
  }
}

/** Runs a range of seeds; a violation ends its own course only. */
export function runRange({ first, count }: SeedRange): SeedRangeResult {
  const results: SeedRangeResult[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      results.push({ ...runCourse(seed), violations: [] });
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      results.push({ ...nothing, violations: [{ seed, what }] });
    }
  }
  return sum(results);
}

const nothing: SeedRangeResult = { simulatedUs: 0, transitions: 0, packets: 0, violations: [] };

function sum(results: readonly SeedRangeResult[]): SeedRangeResult {
  return results.reduce<SeedRangeResult>(
    (total, each) => ({
      simulatedUs: total.simulatedUs + each.simulatedUs,
      transitions: total.transitions + each.transitions,
      packets: total.packets + each.packets,
      violations: [...total.violations, ...each.violations],
    }),
    nothing,
  );
}

/** One course alone, so that a debugger finds it in this thread. */
function replay(seed: number): void {
  try {
    const { simulatedUs, transitions, packets } = runCourse(seed);
    const text = `seed ${seed}: ${(simulatedUs / 1e6).toFixed(1)} s simulated, ${transitions} `;
    process.stdout.write(`${text}transitions, ${packets} advertisements sent, no violation\n`);
  } catch (cause) {
    throw new TandemError('LAB_FAILED', `seed ${seed}: ${String(cause)}`, {
      cause,
      hint: 'The courses are in test/sim/support/randomCourse.ts.',
    });
  }
}
