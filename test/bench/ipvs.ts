/** `npm run bench -- ipvs`: a large table, loaded, listed, kept and changed by each program. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { formatTable } from '../../src/cli/table.js';
import { runInEmbeddedKernel } from '../../src/drill/embeddedKernel.js';
import { chooseKernel, readKernelFacts } from '../../src/drill/kernelChoice.js';
import { TandemError } from '../../src/errors.js';
import { isInstalled } from '../tools/startDirector.js';
import type { Benchmark } from './benchmark.js';
import { markdownTable } from './failoverTable.js';
import { type IpvsResult, resultMark } from './ipvsModel.js';
import { ipvsTables } from './ipvsTable.js';
import { wholeNumber } from './options.js';

const insideScript = fileURLToPath(new URL('./ipvsInside.js', import.meta.url));
const timeoutMs = 900_000;
const memoryMegabytes = 2_048;

interface IpvsOptions {
  readonly services: number;
  readonly servers: number;
  readonly rounds: number;
  readonly markdown?: boolean;
  readonly json?: string;
}

/** The benchmark. */
export const ipvsBenchmark: Benchmark = {
  name: 'ipvs',
  summary: 'A large IPVS table beside ipvsadm and keepalived: load, list, start, reload, memory.',
  configure(command: Command): void {
    command
      .option('--services <number>', 'virtual services', wholeNumber(1, 10_000), 100)
      .option('--servers <number>', 'real servers in all', wholeNumber(1, 100_000), 10_000)
      .option('--rounds <number>', 'how often; medians are printed', wholeNumber(1, 100), 3)
      .option('--markdown', 'print the table as Markdown')
      .option('--json <file>', 'also write every figure to a file')
      .addHelpText('after', help)
      .action((options: IpvsOptions) => runIpvs(options));
  },
};

const help = `
Each program works on the same kernel, one after the other, in a new network namespace each time:
the running one when it has IPVS and this is root, else an embedded one. The agent and keepalived
run without checks. Start is until the last server is in the table; reload is from SIGHUP until the
table shows the one changed weight. The embedded kernel makes ipvsadm slow: with 10,000 servers it
works for minutes.

Example:
  npm run bench -- ipvs --servers 1000 --services 10`;

async function runIpvs(options: IpvsOptions): Promise<void> {
  if (options.servers % options.services !== 0) {
    throw new TandemError('USAGE', '--servers must be a multiple of --services', {
      hint: 'For example --services 100 --servers 10000.',
    });
  }
  for (const program of ['ipvsadm', 'keepalived']) {
    if (isInstalled(program)) continue;
    throw new TandemError('LAB_FAILED', `${program} is not installed`, {
      hint: `npm run bench installs it; or: apt-get install ${program}`,
    });
  }
  const choice = chooseKernel(await readKernelFacts(), undefined);
  process.stderr.write(`${choice.reason}\n`);
  const command = [
    process.execPath,
    insideScript,
    String(options.services),
    String(options.servers),
    String(options.rounds),
  ];
  const output = choice.boot ? await runBooted(command) : await runHere(command);
  const result = resultIn(output);
  const layout = options.markdown === true ? markdownTable : formatTable;
  process.stdout.write(`${ipvsTables(result, layout)}\n`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
}

async function runBooted(command: readonly string[]): Promise<string> {
  const { output } = await runInEmbeddedKernel({
    command,
    memoryMegabytes,
    timeoutMs,
    onOutput: showProgress,
  });
  return output;
}

async function runHere([program = '', ...args]: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: timeoutMs });
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    output += chunk;
    showProgress(String(chunk));
  }
  return output;
}

function showProgress(chunk: string): void {
  const lines = chunk.split('\n').filter((line) => line !== '' && !line.startsWith(resultMark));
  if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
}

function resultIn(output: string): IpvsResult {
  const line = output.split('\n').find((text) => text.startsWith(resultMark));
  if (line !== undefined) return JSON.parse(line.slice(resultMark.length)) as IpvsResult;
  throw new TandemError('LAB_FAILED', 'the benchmark gave no result', {
    hint: `Its output ends with:\n${output.slice(-2_000).trim()}`,
  });
}
