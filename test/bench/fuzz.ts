/** `npm run bench -- fuzz`: millions of mutated packets against everything that is received. */
import type { Command } from 'commander';
import { formatTable } from '../../src/cli/table.js';
import { TandemError } from '../../src/errors.js';
import type { Benchmark } from './benchmark.js';
import { Fuzzer } from './fuzzer.js';
import { receiveTargets } from './fuzzTargets.js';
import { wholeNumber } from './options.js';

const defaultPackets = 5_000_000;
/** How often memory is measured. */
const measurements = 20;
/** Measurements at the start that are left out: V8 still compiles and makes its tables. */
const warmingUp = 5;
/** What the least of the later measurements may be above the least of the earlier ones. */
const growthMaxBytes = 2 * 1024 * 1024;

interface FuzzOptions {
  readonly packets: number;
  readonly seed: number;
}

/** The benchmark. */
export const fuzzBenchmark: Benchmark = {
  name: 'fuzz',
  summary: 'Mutated packets through receive validation: no throw, no growth of memory.',
  configure(command: Command): void {
    command
      .option('--packets <number>', 'how many', wholeNumber(1_000, 1e9), defaultPackets)
      .option('--seed <seed>', 'of the mutations', wholeNumber(1, 1_000_000_000), 1)
      .addHelpText('after', help)
      .action((options: FuzzOptions) => runFuzz(options));
  },
};

const help = `
Packets of VRRP version 2 and 3, IPv4 and IPv6, with and without HMAC, of BFD, ARP and neighbour
discovery are changed at random and given to the code that judges what the sockets receive. It must
not throw, and must not keep memory: the heap is measured after a collection, twenty times.

Example:
  npm run bench -- fuzz --packets 200000 --seed 7`;

function runFuzz({ packets, seed }: FuzzOptions): void {
  const collect = globalThis.gc;
  if (collect === undefined) {
    throw new TandemError('LAB_FAILED', 'the garbage collector cannot be called', {
      hint: 'Run it by npm run bench, which starts node with --expose-gc.',
    });
  }
  const fuzzer = new Fuzzer(receiveTargets(), seed);
  const startedMs = performance.now();
  const heapBytes: number[] = [];
  for (let part = 1; part <= measurements; part += 1) {
    const upTo = Math.floor((packets * part) / measurements);
    const failure = fuzzer.run(upTo - fuzzer.packets);
    if (failure !== undefined) {
      throw new TandemError('LAB_FAILED', failure.text, {
        cause: failure.cause,
        hint: `Replay: npm run bench -- fuzz --seed ${seed} --packets ${packets}`,
      });
    }
    collect();
    heapBytes.push(process.memoryUsage().heapUsed);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const growth = growthOf(heapBytes);
  process.stdout.write(
    [
      ...formatTable([
        ['RECEIVER', 'PACKETS', 'ACCEPTED', 'REASONS OF REJECTION'],
        ...fuzzer.counts.map(({ name, packets: given, accepted, reasons }) => [
          name,
          String(given),
          String(accepted),
          String(reasons.size),
        ]),
      ]),
      '',
      `${fuzzer.packets} packets in ${seconds.toFixed(1)} s, ` +
        `${Math.round(fuzzer.packets / seconds)} a second, none threw`,
      `heap after collection: ${mebibytes(heapBytes.at(warmingUp) ?? 0)} MiB after a quarter, ` +
        `${mebibytes(heapBytes.at(-1) ?? 0)} MiB at the end, growth ${mebibytes(growth)} MiB`,
      '',
    ].join('\n'),
  );
  if (growth <= growthMaxBytes) return;
  throw new TandemError('LAB_FAILED', `the heap has grown by ${mebibytes(growth)} MiB`, {
    hint: 'Whoever receives a packet must not keep what it made of it.',
  });
}

/** The least of the last third against the least of the third before it: a leak raises both. */
function growthOf(heapBytes: readonly number[]): number {
  const settled = heapBytes.slice(warmingUp);
  const middle = Math.floor(settled.length / 2);
  return Math.min(...settled.slice(middle)) - Math.min(...settled.slice(0, middle));
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(2);
}
