/** `npm run bench -- health`: what checks cost and how soon they notice, beside keepalived. */
import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { formatTable } from '../../src/cli/table.js';
import { TandemError } from '../../src/errors.js';
import { isInstalled } from '../tools/startDirector.js';
import type { Benchmark } from './benchmark.js';
import { markdownTable } from './failoverTable.js';
import { deathTimeoutMs } from './healthDeaths.js';
import type {
  CheckingProgram,
  DeathResult,
  HealthKind,
  HealthResult,
  HealthSetting,
} from './healthModel.js';
import { measureRate, type RateMeasure, startRateServers } from './healthRate.js';
import { runInside } from './insideKernel.js';
import { wholeNumber } from './options.js';
import { quantile } from './spread.js';

const defaultSizes = [100, 1_000, 5_000] as const;
const kinds: readonly HealthKind[] = ['tcp', 'http'];
const programs: readonly CheckingProgram[] = ['keepalived', 'tandem'];
/** Backends of the case in which each is in fifty services. */
const sharedBackends = 20;
const sharedServices = 50;
/** Boot, both programs, and the deaths of the largest setting on a busy machine. */
const settingTimeoutMs = 600_000;
const memoryMegabytes = 1_536;
/** What a program does in its first seconds, such as compiling itself, is not what is measured. */
const settleMs = 10_000;

interface HealthOptions {
  readonly sizes: readonly number[];
  readonly kinds: readonly HealthKind[];
  readonly seconds: number;
  readonly deaths: number;
  readonly shared: boolean;
  readonly rate: boolean;
  readonly markdown?: boolean;
  readonly json?: string;
}

/** The benchmark. */
export const healthBenchmark: Benchmark = {
  name: 'health',
  summary: 'CPU time, memory and lateness of checks, and the time to weight 0, beside keepalived.',
  configure(command: Command): void {
    command
      .option('--sizes <list>', 'numbers of real servers', parseSizes, defaultSizes)
      .option('--kinds <list>', 'tcp, http', parseKinds, kinds)
      .option('--seconds <number>', 'how long the load is measured', wholeNumber(2, 600), 10)
      .option('--deaths <number>', 'servers that die one by one', wholeNumber(0, 1_000), 60)
      .option('--no-shared', 'without the case of one backend in fifty services')
      .option('--no-rate', 'without the checks per second that a thread sustains on the host')
      .option('--markdown', 'print the tables as Markdown')
      .option('--json <file>', 'also write the results to a file')
      .addHelpText('after', help)
      .action((options: HealthOptions) => runHealth(options));
  },
};

const help = `
In the embedded kernel, on real IPVS, both programs check the same servers each second, one program
after the other. CPU time is that of the program with all of its processes; a check is a connection
that a server saw; lateness is what a server waits beyond the second. A server dies by refusing
connections (RST), and its weight in the kernel is read every few milliseconds until it is 0. Many
die one by one, at moments that have nothing to do with each other or with the checks and are the
same for both programs; then 30 % at once.
Needs root and keepalived.

Example:
  npm run bench -- health --sizes 100,1000 --kinds tcp --markdown`;

async function runHealth(options: HealthOptions): Promise<void> {
  if (!isInstalled('keepalived')) {
    throw new TandemError('LAB_FAILED', 'keepalived is not installed', {
      hint: 'npm run bench installs it; or: apt-get install keepalived',
    });
  }
  const results: HealthResult[] = [];
  for (const setting of settingsOf(options)) {
    await runInside<HealthResult>('healthInside', [[setting], programs], {
      timeoutMs: settingTimeoutMs,
      memoryMegabytes,
      onResult: (inside, machineCpuSeconds) => {
        const result = { ...inside, machineCpuSeconds };
        results.push(result);
        process.stderr.write(`${rowOf(result, results).join(' ')}\n`);
      },
    });
  }
  const format = options.markdown === true ? markdownTable : formatTable;
  const print = (rows: readonly (readonly string[])[]): void => {
    process.stdout.write(`${format(rows).join('\n')}\n\n`);
  };
  print([header, ...results.map((result) => rowOf(result, results))]);
  const rates = options.rate ? await measureRates() : [];
  if (rates.length > 0) print([rateHeader, ...rates.map(rateRow)]);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ results, rates }, null, 2)}\n`);
  }
}

function settingsOf(options: HealthOptions): readonly HealthSetting[] {
  const { seconds, deaths } = options;
  const common = { settleMs, measureMs: seconds * 1000, deaths };
  const plain = options.sizes.flatMap((backends) =>
    options.kinds.map((kind) => ({ ...common, kind, backends, servicesOfBackend: 1 })),
  );
  if (!options.shared) return plain;
  const shared = {
    kind: 'tcp',
    backends: sharedBackends,
    servicesOfBackend: sharedServices,
  } as const;
  return [...plain, { ...common, deaths: 0, ...shared }];
}

const header = [
  'checks',
  'servers',
  'program',
  'checks/s',
  'CPU s per 1,000 checks',
  'CPU %',
  'ratio of CPU',
  'machine CPU %',
  'MiB',
  'late p50 / p99 ms',
  'one dies: n, median / p95 / max ms',
  'after the check that was due: median / p95 ms',
  '30 % die ms',
];

/** The ratio is that of the CPU time, in the same time (below 1: Tandem needs less). */
function rowOf(result: HealthResult, all: readonly HealthResult[]): readonly string[] {
  const { setting, program, checksPerSecond, cpuSeconds, measuredSeconds, lateMs } = result;
  const { kind, backends, servicesOfBackend } = setting;
  const share = cpuSeconds / measuredSeconds;
  const peer = all.find((other) => other.setting === setting || sameSetting(other, result));
  const ratio =
    program === 'tandem' && peer !== undefined && peer.program !== program
      ? (share / (peer.cpuSeconds / peer.measuredSeconds)).toFixed(2)
      : '';
  return [
    kind,
    servicesOfBackend === 1 ? String(backends) : `${backends} in ${servicesOfBackend} services`,
    program,
    checksPerSecond.toFixed(0),
    ((1000 * share) / checksPerSecond).toFixed(3),
    (100 * share).toFixed(1),
    ratio,
    ((100 * (result.machineCpuSeconds ?? 0)) / measuredSeconds).toFixed(0),
    result.memoryMegabytes.toFixed(0),
    `${lateMs.p50.toFixed(0)} / ${lateMs.p99.toFixed(0)}`,
    deathText(result.deaths.map(({ afterMs }) => afterMs)),
    afterCheckText(result.deaths),
    setting.deaths === 0 ? '-' : (result.massDeathMs?.toFixed(0) ?? `over ${deathTimeoutMs}`),
  ];
}

function sameSetting(left: HealthResult, right: HealthResult): boolean {
  return (
    left.program !== right.program && JSON.stringify(left.setting) === JSON.stringify(right.setting)
  );
}

function deathText(deaths: readonly (number | null)[]): string {
  const seen = deaths.flatMap((ms) => ms ?? []);
  const missed = deaths.length - seen.length;
  if (deaths.length === 0) return '-';
  const [median, p95, max] = [0.5, 0.95, 1].map((share) => quantile(seen, share).toFixed(0));
  const text = `${seen.length}, ${median} / ${p95} / ${max}`;
  return missed === 0 ? text : `${text}, ${missed} missed`;
}

function afterCheckText(deaths: readonly DeathResult[]): string {
  const seen = deaths.flatMap(({ afterCheckMs }) => afterCheckMs ?? []);
  if (seen.length === 0) return '-';
  return [0.5, 0.95].map((share) => quantile(seen, share).toFixed(0)).join(' / ');
}

const rateHeader = ['checks', 'wanted/s', 'done/s', 'late p50 / p99 ms', 'CPU s per 1,000 checks'];

async function measureRates(): Promise<readonly RateMeasure[]> {
  const servers = await startRateServers();
  try {
    return [
      await measureRate('tcp', 5_000, servers.port),
      await measureRate('http', 2_500, servers.port),
    ];
  } finally {
    await servers.stop();
  }
}

function rateRow({ kind, wanted, done, lateMs, cpuSecondsPerThousand }: RateMeasure) {
  const late = `${lateMs.p50.toFixed(1)} / ${lateMs.p99.toFixed(1)}`;
  return [kind, String(wanted), done.toFixed(0), late, cpuSecondsPerThousand.toFixed(3)];
}

function parseSizes(text: string): readonly number[] {
  return text.split(',').map(wholeNumber(10, 10_000));
}

function parseKinds(text: string): readonly HealthKind[] {
  return text.split(',').map((word) => {
    const kind = kinds.find((known) => known === word);
    if (kind === undefined) throw new InvalidArgumentError(`must be among ${kinds.join(', ')}`);
    return kind;
  });
}
