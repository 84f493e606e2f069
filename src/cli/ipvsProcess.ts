/**
 * Runs `tandem ipvs` with the streams of this process. Nothing else is imported for it, and it is
 * bundled as one file, because scripts call it in loops.
 */
import { fstatSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { CommandIo } from '../ipvs/command/context.js';
import { type ProgramName, runIpvsCommand } from '../ipvs/command/run.js';
import { defaultSocketPath } from './defaults.js';

const standardInput = 0;

/** Runs a command line and leaves its exit status to the process. */
export async function runIpvsCommandLine(
  program: ProgramName,
  words: readonly string[],
): Promise<void> {
  workAlone();
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  // A reader that has seen enough, such as `head`, is no failure.
  process.stdout.on('error', () => process.exit(0));
  process.exitCode = await runIpvsCommand(program, words, processIo(interrupt.signal));
}

/**
 * A command is over in a second. Helper threads, of the collector and of the optimising compiler,
 * cost it more than they take off it where there is one processor, and young memory that grows in
 * small steps is collected in each. Optimised is what runs some sixty times longer than usual.
 */
function workAlone(): void {
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--semi-space-growth-factor=8');
  setFlagsFromString('--interrupt-budget=4000000');
}

function processIo(signal: AbortSignal): CommandIo {
  return {
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    readInput,
    isTerminal: process.stdout.isTTY,
    socketPath: defaultSocketPath(process.env),
    signal,
  };
}

/** Standard input, whole. A file is read at once; a pipe or terminal may keep us waiting. */
async function readInput(): Promise<string> {
  if (fstatSync(standardInput).isFile()) return readFileSync(standardInput, 'utf8');
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
