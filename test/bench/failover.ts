/** `npm run bench -- failover`: how long clients wait when the Active goes, beside keepalived. */
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { TandemError } from '../../src/errors.js';
import { type DirectorProgram, directorPrograms } from '../tools/directorDaemon.js';
import { Lan } from '../tools/lan.js';
import { isInstalled } from '../tools/startDirector.js';
import type { Benchmark } from './benchmark.js';
import { DisturbedRoundError } from './failoverMeasure.js';
import {
  type FailoverFault,
  type FailoverRound,
  type FailoverSetting,
  failoverFaults,
} from './failoverModel.js';
import { FailoverLoad, randomPhase, runRound } from './failoverRound.js';
import { type FailoverSummary, failoverTables, summarize } from './failoverTable.js';

const defaultRounds = 5;
/** The two that are measured since the beginning; the others take their time. */
const defaultFaults: readonly FailoverFault[] = ['link-cut', 'polite-stop'];
const roundsMax = 1_000;
/** How often one round is tried on a machine that is busy with something else. */
const attemptsMax = 3;

interface FailoverOptions {
  readonly rounds: number;
  readonly adverts: readonly number[];
  readonly addresses: readonly number[];
  readonly faults: readonly FailoverFault[];
  readonly json?: string;
}

/** The benchmark. */
export const failoverBenchmark: Benchmark = {
  name: 'failover',
  summary: 'Client-visible gap of a failover, ours and that of keepalived.',
  configure(command: Command): void {
    command
      .option('--rounds <number>', 'rounds of each program and setting', parseRounds, defaultRounds)
      .option('--adverts <list>', 'advert intervals in milliseconds', parseAdverts, [1_000, 100])
      .option('--addresses <list>', 'numbers of virtual addresses', parseAddresses, [1])
      .option('--faults <list>', 'what is done to the Active', parseFaults, defaultFaults)
      .option('--json <file>', 'also write every round and the summary to a file')
      .addHelpText('after', help)
      .action((options: FailoverOptions) => runFailover(options));
  },
};

const help = `
A client sends a datagram each millisecond to a virtual address that two directors share, and an
echo server answers on both. The Active loses its link or is stopped with SIGTERM; the gap is the
longest time without an answer. Programs alternate, and in each round the fault comes at the same
phase of the adverts for both. Needs root and keepalived; takes about six minutes.

Example:
  npm run bench -- failover --rounds 10 --json failover.json`;

async function runFailover(options: FailoverOptions): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new TandemError('PERMISSION', 'the benchmark makes network namespaces', {
      hint: 'Run it as root.',
    });
  }
  if (!isInstalled('keepalived')) {
    throw new TandemError('LAB_FAILED', 'keepalived is not installed', {
      hint: 'npm run bench installs it; or: apt-get install keepalived',
    });
  }
  const settings = options.faults.flatMap((fault) =>
    options.adverts.flatMap((advertIntervalMs) =>
      options.addresses.map((addressCount) => ({ fault, advertIntervalMs, addressCount })),
    ),
  );
  const rounds = await measureAll(settings, options.rounds);
  const summaries = settings.flatMap((setting) =>
    directorPrograms.flatMap((program) => {
      const summary = summarize(rounds.filter((round) => isOf(round, setting, program)));
      return summary === undefined ? [] : [summary];
    }),
  );
  process.stdout.write(`${failoverTables(summaries)}\n`);
  if (options.json !== undefined) writeResult(options.json, rounds, summaries);
}

/** Programs alternate, and so does who begins, so that a change of the machine's load hits both. */
async function measureAll(
  settings: readonly FailoverSetting[],
  roundCount: number,
): Promise<readonly FailoverRound[]> {
  const lan = new Lan();
  const load = new FailoverLoad(lan);
  const progress = new Progress(settings.length * roundCount * directorPrograms.length);
  const rounds: FailoverRound[] = [];
  try {
    await load.waitUntilReady();
    for (let round = 1; round <= roundCount; round += 1) {
      for (const setting of settings) {
        const order = round % 2 === 1 ? directorPrograms : directorPrograms.toReversed();
        const phase = randomPhase();
        for (const program of order) {
          const choice = { round, phase };
          const measured = await retryDisturbed(progress, () =>
            runRound(lan, load, program, setting, choice),
          );
          rounds.push(measured);
          progress.show(measured);
        }
      }
    }
    return rounds;
  } finally {
    progress.end();
    await load.stop();
    lan.remove();
  }
}

/** A busy machine may hold up the client for longer than a failover takes; that is told. */
async function retryDisturbed(
  progress: Progress,
  run: () => Promise<FailoverRound>,
): Promise<FailoverRound> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof DisturbedRoundError) || attempt === attemptsMax) throw error;
      progress.note(`measured again: ${error.message}`);
    }
  }
}

function isOf(round: FailoverRound, setting: FailoverSetting, program: DirectorProgram): boolean {
  return (
    round.program === program &&
    round.fault === setting.fault &&
    round.advertIntervalMs === setting.advertIntervalMs &&
    round.addressCount === setting.addressCount
  );
}

/** One line on standard error: rewritten on a terminal, one after the other elsewhere. */
class Progress {
  readonly #total: number;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  show(round: FailoverRound): void {
    this.#done += 1;
    const { program, fault, advertIntervalMs, addressCount, gapUs, beyondBoundUs } = round;
    const addresses = addressCount === 1 ? '' : `${addressCount} addresses, `;
    const text =
      `${this.#done}/${this.#total} ${fault}, adverts each ${advertIntervalMs} ms, ${addresses}` +
      `${program}: ` +
      `${(gapUs / 1_000).toFixed(1)} ms, ${(beyondBoundUs / 1_000).toFixed(2)} ms beyond the bound`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  }

  /** A line that stays. */
  note(text: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}\n` : `${text}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

function writeResult(
  path: string,
  rounds: readonly FailoverRound[],
  summaries: readonly FailoverSummary[],
): void {
  const result = {
    benchmark: 'failover',
    atUnixMs: Date.now(),
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? '', kernel: release() },
    node: process.version,
    summaries,
    rounds,
  };
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= roundsMax) return rounds;
  throw new InvalidArgumentError(`must be a whole number from 1 to ${roundsMax}`);
}

/** Intervals that both programs can keep: the wire has centiseconds, twelve bits of them. */
function parseAdverts(text: string): readonly number[] {
  const intervals = text.split(',').map(Number);
  const isPossible = (ms: number): boolean => ms >= 10 && ms <= 5_000 && ms % 10 === 0;
  if (intervals.every(isPossible)) return intervals;
  throw new InvalidArgumentError('must be multiples of 10 from 10 to 5000, with commas between');
}

function parseAddresses(text: string): readonly number[] {
  const counts = text.split(',').map(Number);
  const isPossible = (count: number) => Number.isInteger(count) && count >= 1 && count <= 5_000;
  if (counts.every(isPossible)) return counts;
  throw new InvalidArgumentError('must be whole numbers from 1 to 5000, with commas between');
}

function parseFaults(text: string): readonly FailoverFault[] {
  return text.split(',').map((word) => {
    const fault = failoverFaults.find((known) => known === word);
    if (fault !== undefined) return fault;
    throw new InvalidArgumentError(`must be of ${failoverFaults.join(', ')}`);
  });
}
