/** What a benchmark of `npm run bench` is. */
import type { Command } from 'commander';

/** One benchmark. */
export interface Benchmark {
  readonly name: string;
  /** One line for the list of benchmarks. */
  readonly summary: string;
  /** Adds its options, its help and its action to a command. */
  configure(command: Command): void;
}
