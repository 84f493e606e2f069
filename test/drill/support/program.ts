/** Runs the compiled program as a user would. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The compiled `main.js` that belongs to these tests. */
export const mainScript = fileURLToPath(new URL('../../../src/main.js', import.meta.url));

/** How a run ended. */
export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Put before the program's own command line, for example setpriv and its options. */
  readonly prefix?: readonly string[];
}

/** Runs the program to its end. */
export function runProgram(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const [command = '', ...rest] = [
    ...(options.prefix ?? []),
    process.execPath,
    mainScript,
    ...args,
  ];
  const child = spawn(command, rest, {
    env: { ...process.env, ...options.env },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}
