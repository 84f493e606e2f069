/** `npm run bench -- soak`: a pair under traffic, reloaded every second, for as long as wanted. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { formatTable } from '../../src/cli/table.js';
import { runInEmbeddedKernel } from '../../src/drill/embeddedKernel.js';
import { chooseKernel, readKernelFacts } from '../../src/drill/kernelChoice.js';
import { TandemError } from '../../src/errors.js';
import type { Benchmark } from './benchmark.js';
import { wholeNumber } from './options.js';
import { type SoakResult, soakFaults, soakMark, soakRows } from './soakModel.js';

const insideScript = fileURLToPath(new URL('./soakInside.js', import.meta.url));

/** The share of the time in which no director steps down, and no request may be lost. */
const steadyShare = 0.6;
/** Beyond the time asked for: to boot, to build the lab, and what a slow machine takes longer. */
const extraMs = 300_000;

interface SoakOptions {
  readonly seconds: number;
  readonly json?: string;
}

/** The benchmark. */
export const soakBenchmark: Benchmark = {
  name: 'soak',
  summary: 'A pair under traffic for long: reloads, drains, failing checks, failovers; what grows?',
  configure(command: Command): void {
    command
      .option('--seconds <number>', 'how long', wholeNumber(30, 86_400), 600)
      .option('--json <file>', 'also write every sample to a file')
      .addHelpText('after', help)
      .action((options: SoakOptions) => runSoakBenchmark(options));
  },
};

const help = `
The lab nat runs on the running kernel when that has IPVS and this is root, else on an embedded one.
Every second both agents load a file in which a weight has changed. In each 12 seconds a server is
drained for 3, and one fails its checks for 3. For the last two fifths of the time the Active steps
down once in each 12 seconds, for 3. Before that no request may be lost, and no counter of the
kernel reset. Memory, descriptors and threads of the agents are compared between the third fifth and
the last.

Example:
  npm run bench -- soak --seconds 60`;

async function runSoakBenchmark({ seconds, json }: SoakOptions): Promise<void> {
  const choice = chooseKernel(await readKernelFacts(), undefined);
  process.stderr.write(`${choice.reason}\n`);
  const steady = Math.round(seconds * steadyShare);
  const command = [process.execPath, insideScript, String(steady), String(seconds - steady)];
  const timeoutMs = seconds * 3_000 + extraMs;
  const output = choice.boot
    ? (await runInEmbeddedKernel({ command, timeoutMs, onOutput: showProgress })).output
    : await runHere(command);
  const result = resultIn(output);
  process.stdout.write(`${formatTable(soakRows(result)).join('\n')}\n`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
  const faults = soakFaults(result);
  if (faults.length > 0) throw new TandemError('DRILL_FAILED', faults.join('\n       '));
}

function showProgress(text: string): void {
  if (!text.includes(soakMark)) process.stderr.write(text);
}

function runHere(command: readonly string[]): Promise<string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    showProgress(text);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}

function resultIn(output: string): SoakResult {
  const line = output.split('\n').find((text) => text.startsWith(soakMark));
  if (line === undefined) {
    throw new TandemError('LAB_FAILED', `the soak gave no result:\n${output.slice(-2_000)}`);
  }
  return JSON.parse(line.slice(soakMark.length)) as SoakResult;
}
