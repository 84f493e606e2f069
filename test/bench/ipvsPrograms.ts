/** The programs of the IPVS benchmark as processes, and what is seen of them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { TandemError } from '../../src/errors.js';

/** Our executable, as it was built for the tests. */
export const tandemScript = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Runs a command to its end with a file as input, and gives how long that took, in ms. */
export function timedRun(command: readonly string[], inputPath = '/dev/null'): number {
  const [program = '', ...args] = command;
  const input = openSync(inputPath, 'r');
  try {
    const startedMs = performance.now();
    const result = spawnSync(program, args, {
      stdio: [input, 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    });
    const durationMs = performance.now() - startedMs;
    if (result.status === 0) return durationMs;
    throw new TandemError('LAB_FAILED', `${command.join(' ')} ended with ${result.status}`, {
      hint: result.stderr.trim().slice(-1_000) || 'It said nothing.',
    });
  } finally {
    closeSync(input);
  }
}

/** A program that keeps the table; its output goes to a file. */
export class TableKeeper {
  readonly #child: ChildProcess;
  readonly #logPath: string;

  constructor(command: readonly string[], logPath: string) {
    const [program = '', ...args] = command;
    const log = openSync(logPath, 'w');
    this.#logPath = logPath;
    this.#child = spawn(program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Throws what it said when it has ended. */
  requireRunning(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) return;
    const said = readFileSync(this.#logPath, 'utf8').slice(-2_000).trim();
    throw new TandemError('LAB_FAILED', `${this.#child.spawnfile} has ended`, {
      hint: said || 'It said nothing.',
    });
  }

  /** Memory of the process and its children in KiB: what it has now, and the highest it had. */
  memory(): { readonly nowKib: number; readonly peakKib: number } {
    const pids = [this.#child.pid ?? 0, ...childrenOf(this.#child.pid ?? 0)];
    const sum = (field: string): number =>
      pids.reduce((total, pid) => total + statusField(pid, field), 0);
    return { nowKib: sum('VmRSS'), peakKib: sum('VmHWM') };
  }

  /** Ends it politely and waits for that. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statusField(pid, 'PPid') === parent);
}

/** A number of /proc/PID/status; 0 of a process that is gone. */
function statusField(pid: number, field: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
