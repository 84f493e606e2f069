/**
 * `npm run bench -- false-failover`: does a busy machine make a pair change its states, although
 * nothing has failed? Beside keepalived, on the same machine at the same time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { fetchStatus } from '../../src/api/client.js';
import { formatTable } from '../../src/cli/table.js';
import { Capture } from '../../src/drill/capture.js';
import { onProcessEnd } from '../../src/drill/processEnd.js';
import { TandemError } from '../../src/errors.js';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import type { DirectorDaemon, DirectorProgram } from '../tools/directorDaemon.js';
import { Lan, nodeAddresses } from '../tools/lan.js';
import { highPriority, isInstalled, lowPriority, startDirector } from '../tools/startDirector.js';
import { TandemDirector } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';
import type { Benchmark } from './benchmark.js';
import { markdownTable } from './failoverTable.js';
import { wholeNumber } from './options.js';

const defaultMinutes = 10;
const defaultAdvertsMs = 100;
/** Requests for the status that each director has to answer at the same time. */
const requestsAtOnce = 4;
/** A busy process ends by itself this long after its time, whatever became of the benchmark. */
const overtimeMs = 60_000;

interface FalseFailoverOptions {
  readonly minutes: number;
  readonly adverts: number;
  readonly markdown?: boolean;
}

/** The benchmark. */
export const falseFailoverBenchmark: Benchmark = {
  name: 'false-failover',
  summary: 'State changes of a healthy pair on a busy machine, ours and those of keepalived.',
  configure(command: Command): void {
    command
      .option('--minutes <number>', 'how long', parseMinutes, defaultMinutes)
      .option('--adverts <ms>', 'advert interval', wholeNumber(10, 5_000), defaultAdvertsMs)
      .option('--markdown', 'print the table as Markdown')
      .addHelpText('after', help)
      .action((options: FalseFailoverOptions) => runFalseFailover(options));
  },
};

const help = `
A pair of ours and two of keepalived, as it is and as a real-time process, elect, each on an
Ethernet of its own, while one busy process for each processor does nothing but compute, and both of
our agents answer requests for their status, ${requestsAtOnce} at a time and one after the other
without a pause. Nothing fails, so each change of a state is a false one. Fails when ours has any.
Needs root and keepalived.

Example:
  npm run bench -- false-failover --minutes 1`;

/** Who is compared. Ours elects as a real-time thread without being told. */
const contestants = [
  { name: 'tandem', program: 'tandem', realtime: true },
  { name: 'keepalived', program: 'keepalived', realtime: false },
  { name: 'keepalived, real-time', program: 'keepalived', realtime: true },
] as const satisfies readonly {
  readonly name: string;
  readonly program: DirectorProgram;
  readonly realtime: boolean;
}[];

type Contestant = (typeof contestants)[number];

/** One pair and what is seen of it. */
interface WatchedPair {
  readonly contestant: Contestant;
  readonly lan: Lan;
  readonly capture: Capture;
  readonly daemons: readonly DirectorDaemon[];
  /** Changes of states that led to the pair as it was when the load came. */
  readonly changesBefore: number;
}

async function runFalseFailover(options: FalseFailoverOptions): Promise<void> {
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
  const pairs: WatchedPair[] = [];
  const load = new BusyMachine();
  try {
    for (const contestant of contestants) {
      pairs.push(await startPair(contestant, options.adverts));
    }
    const sinceUs = nowUs();
    const requests = await load.run(options.minutes * 60_000, socketsOf(pairs));
    report(pairs, { sinceUs, requests }, options);
  } finally {
    load.stop();
    for (const pair of pairs) await endPair(pair);
  }
}

async function startPair(contestant: Contestant, advertIntervalMs: number): Promise<WatchedPair> {
  const { program, realtime } = contestant;
  const lan = new Lan();
  const capture = new Capture(lan.network, 'lan', true);
  const daemons: DirectorDaemon[] = [];
  try {
    for (const [node, priority] of [
      ['lb1', highPriority],
      ['lb2', lowPriority],
    ] as const) {
      const daemon = startDirector(lan, program, node, { priority, advertIntervalMs, realtime });
      daemons.push(daemon);
      await daemon.waitUntilReady();
      await waitFor('lb1 is Active', () => lan.holders().join() === 'lb1');
    }
    const changesBefore = changesOf(daemons);
    return { contestant, lan, capture, daemons, changesBefore };
  } catch (error) {
    await endPair({ contestant, lan, capture, daemons, changesBefore: 0 });
    throw error;
  }
}

async function endPair({ lan, capture, daemons }: WatchedPair): Promise<void> {
  capture.stop();
  await Promise.allSettled(daemons.map((daemon) => daemon.stop()));
  lan.remove();
}

function changesOf(daemons: readonly DirectorDaemon[]): number {
  return daemons.reduce((sum, daemon) => sum + daemon.stateChanges, 0);
}

function socketsOf(pairs: readonly WatchedPair[]): readonly string[] {
  return pairs
    .flatMap(({ daemons }) => daemons)
    .flatMap((daemon) => (daemon instanceof TandemDirector ? [daemon.files.socketPath] : []));
}

/** Every processor computes, and every agent answers requests. */
class BusyMachine {
  readonly #processes: ChildProcess[] = [];
  readonly #forget = onProcessEnd(() => this.#kill());

  /** Resolves after the time with the number of requests that were answered. */
  async run(durationMs: number, sockets: readonly string[]): Promise<number> {
    const endAt = Date.now() + durationMs;
    const script = `const end = ${endAt + overtimeMs}; while (Date.now() < end);`;
    for (let processor = 0; processor < availableParallelism(); processor += 1) {
      this.#processes.push(spawn(process.execPath, ['-e', script], { stdio: 'ignore' }));
    }
    let answered = 0;
    const ask = async (socketPath: string): Promise<void> => {
      while (Date.now() < endAt) {
        await fetchStatus(socketPath);
        answered += 1;
      }
    };
    const askers = sockets.flatMap((path) =>
      Array.from({ length: requestsAtOnce }, () => ask(path)),
    );
    await Promise.all([...askers, sleep(durationMs)]);
    return answered;
  }

  stop(): void {
    this.#forget();
    this.#kill();
  }

  #kill(): void {
    for (const busy of this.#processes) busy.kill('SIGKILL');
  }
}

function report(
  pairs: readonly WatchedPair[],
  { sinceUs, requests }: { readonly sinceUs: number; readonly requests: number },
  { minutes, adverts, markdown }: FalseFailoverOptions,
): void {
  const rows = pairs.map((pair) => {
    const changes = changesOf(pair.daemons) - pair.changesBefore;
    const times = pair.capture.frames
      .filter((frame) => frame.kind === 'advert' && frame.source === nodeAddresses.lb1)
      .map(({ atUs }) => atUs)
      .filter((atUs) => atUs > sinceUs);
    const silencesUs = [...times, nowUs()]
      .slice(1)
      .map((atUs, index) => atUs - (times[index] ?? 0));
    const { name, program } = pair.contestant;
    const asked = program === 'tandem' ? String(requests) : '-';
    const longest = (Math.max(...silencesUs) / 1_000).toFixed(1);
    return {
      changes,
      cells: [name, String(changes), String(times.length), longest, asked],
    };
  });
  const heading = [
    'PROGRAM',
    'STATE CHANGES',
    'ADVERTS',
    'LONGEST SILENCE (ms)',
    'STATUS REQUESTS',
  ];
  const processors = availableParallelism();
  const format = markdown === true ? markdownTable : formatTable;
  const lines = format([heading, ...rows.map(({ cells }) => cells)]);
  process.stdout.write(
    `${minutes} minutes, adverts each ${adverts} ms, ${processors} busy processors:\n\n` +
      `${lines.join('\n')}\n`,
  );
  const [ours] = rows;
  if (ours !== undefined && ours.changes > 0) {
    throw new TandemError('LAB_FAILED', `tandem changed its state ${ours.changes} times`, {
      hint: 'Nothing had failed; see how late its adverts were.',
    });
  }
}

/** Parts of a minute are allowed, for a first look. */
function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (text.trim() !== '' && minutes >= 0.05 && minutes <= 1_440) return minutes;
  throw new InvalidArgumentError('must be a number from 0.05 to 1440');
}
