/** `npm run bench -- NAME`: measures this program and its peer in one run and prints the ratio. */
import { Command, CommanderError } from 'commander';
import { TandemError } from '../../src/errors.js';
import type { Benchmark } from './benchmark.js';
import { chaosBenchmark } from './chaos.js';
import { failoverBenchmark } from './failover.js';
import { falseFailoverBenchmark } from './falseFailover.js';
import { fuzzBenchmark } from './fuzz.js';
import { healthBenchmark } from './health.js';
import { ipvsBenchmark } from './ipvs.js';
import { simBenchmark } from './sim.js';
import { soakBenchmark } from './soak.js';
import { syncBenchmark } from './sync.js';

/** Every benchmark there is. */
const benchmarks: readonly Benchmark[] = [
  chaosBenchmark,
  failoverBenchmark,
  falseFailoverBenchmark,
  fuzzBenchmark,
  healthBenchmark,
  ipvsBenchmark,
  simBenchmark,
  soakBenchmark,
  syncBenchmark,
];

const names = benchmarks.map((benchmark) => benchmark.name).join(', ');

function buildProgram(): Command {
  const program = new Command('npm run bench --')
    .description('Measure this program and its peer side by side.')
    .usage('NAME [options]')
    .helpCommand(false)
    .argument('[name]', `one of: ${names}`)
    .action((name: string | undefined) => {
      if (name === undefined) program.outputHelp();
      else
        throw new TandemError('USAGE', `unknown benchmark ${name}`, { hint: `Known: ${names}.` });
    })
    .addHelpText(
      'after',
      '\nExample:\n  npm run bench -- failover --rounds 5 --json failover.json',
    );
  for (const benchmark of benchmarks) {
    const command = program.command(benchmark.name).description(benchmark.summary);
    benchmark.configure(command);
    command.exitOverride().configureOutput({ writeErr: () => {} });
  }
  return program.exitOverride().configureOutput({ writeErr: () => {} });
}

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}
// Whatever a benchmark has left behind by then, a thread or a timer, must not keep the shell.
process.exit();

/** Prints what was thrown and returns the exit code: 1 the benchmark failed, 2 usage. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const message = error.message.replace(/^error: /, '');
    process.stderr.write(`bench: ${message}\n  hint: run with --help to see the options\n`);
    return 2;
  }
  if (error instanceof TandemError) {
    process.stderr.write(`bench: ${error.message}\n  hint: ${error.hint}\n`);
    return error.exitCode;
  }
  process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}
