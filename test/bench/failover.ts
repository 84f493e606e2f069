/** `npm run bench -- failover`: how long clients wait when the Active goes, beside keepalived. */
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { formatTable } from '../../src/cli/table.js';
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
import { type FailoverSummary, failoverTables, markdownTable, summarize } from './failoverTable.js';

const defaultRounds = 3;

function row(fault: FailoverFault, advertIntervalMs: number, addressCount = 1): FailoverSetting {
  return { fault, advertIntervalMs, addressCount };
}

/** What is measured when nothing is chosen: every way in which an Active goes. */
const defaultSettings: readonly FailoverSetting[] = [
  ...[1_000, 100, 10].flatMap((ms) => [row('link-cut', ms), row('polite-stop', ms)]),
  row('freeze', 100),
  row('crash', 100),
  row('weight', 1_000),
  row('weight', 100),
  row('link-cut-bfd', 1_000),
  row('polite-stop', 100, 250),
  row('polite-stop', 100, 1_000),
];
const roundsMax = 1_000;
/** How often one round is tried on a machine that is busy with something else. */
const attemptsMax = 3;

interface FailoverOptions {
  readonly rounds: number;
  readonly adverts?: readonly number[];
  readonly addresses?: readonly number[];
  readonly faults?: readonly FailoverFault[];
  readonly markdown?: boolean;
  readonly json?: string;
}

/** The benchmark. */
export const failoverBenchmark: Benchmark = {
  name: 'failover',
  summary: 'Client-visible gap of a failover, ours and that of keepalived.',
  configure(command: Command): void {
    command
      .option('--rounds <number>', 'rounds of each program and setting', parseRounds, defaultRounds)
      .option('--adverts <list>', 'advert intervals in milliseconds', parseAdverts)
      .option('--addresses <list>', 'numbers of virtual addresses', parseAddresses)
      .option('--faults <list>', 'what is done to the Active', parseFaults)
      .option('--markdown', 'print the tables as Markdown')
      .option('--json <file>', 'also write every round and the summary to a file')
      .addHelpText('after', help)
      .action((options: FailoverOptions) => runFailover(options));
  },
};

const help = `
A client sends a datagram each millisecond to a virtual address that two directors share, and an
echo server answers on both. The Active loses its link or is stopped with SIGTERM; the gap is the
longest time without an answer. Or it freezes (SIGSTOP), is killed (tandem release cleans up, as
systemd would have it do), or a file tracker takes its priority below its peer's; with link-cut-bfd
ours has BFD with its peer, and keepalived, which cannot, goes without. Programs alternate, and in
each round the fault comes at the same
phase of the adverts for both. Needs root and keepalived; takes about ten minutes.

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
  const settings = settingsOf(options);
  const rounds = await measureAll(settings, options.rounds);
  const summaries = settings.flatMap((setting) =>
    directorPrograms.flatMap((program) => {
      const summary = summarize(rounds.filter((round) => isOf(round, setting, program)));
      return summary === undefined ? [] : [summary];
    }),
  );
  const tables = failoverTables(summaries, options.markdown === true ? markdownTable : formatTable);
  process.stdout.write(`${tables}\n`);
  if (options.json !== undefined) writeResult(options.json, rounds, summaries);
}

/** All combinations of what is chosen; every row of the list when nothing is. */
function settingsOf({ faults, adverts, addresses }: FailoverOptions): readonly FailoverSetting[] {
  if (faults === undefined && adverts === undefined && addresses === undefined) {
    return defaultSettings;
  }
  return (faults ?? ['link-cut', 'polite-stop']).flatMap((fault) =>
    (adverts ?? [1_000, 100]).flatMap((ms) =>
      (addresses ?? [1]).map((count) => row(fault, ms, count)),
    ),
  );
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
          if (measured === undefined) continue;
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
): Promise<FailoverRound | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof DisturbedRoundError)) throw error;
      if (attempt === attemptsMax) {
        progress.note(`given up: ${error.message}`);
        return undefined;
      }
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
