/**
 * Runs `tandem ipvs` with the streams of this process. Nothing else is imported for it, because
 * scripts call it in loops.
 */
import { basename } from 'node:path';
import type { CommandIo } from '../ipvs/command/context.js';
import { type ProgramName, runIpvsCommand } from '../ipvs/command/run.js';
import { defaultSocketPath } from './defaults.js';

/** Runs a command line and leaves its exit status to the process. */
export async function runIpvsCommandLine(
  program: ProgramName,
  words: readonly string[],
): Promise<void> {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  // A reader that has seen enough, such as `head`, is no failure.
  process.stdout.on('error', () => process.exit(0));
  process.exitCode = await runIpvsCommand(program, words, processIo(interrupt.signal));
}

/** What a process that was started with these words is to be, if it is ipvsadm at all. */
export function ipvsInvocation(
  argv: readonly string[],
): { readonly program: ProgramName; readonly words: readonly string[] } | undefined {
  const program = basename(argv[1] ?? '').replace(/\.js$/, '');
  if (program === 'ipvsadm' || program === 'ipvsadm-save' || program === 'ipvsadm-restore') {
    return { program, words: argv.slice(2) };
  }
  return argv[2] === 'ipvs' ? { program: 'tandem ipvs', words: argv.slice(3) } : undefined;
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

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
