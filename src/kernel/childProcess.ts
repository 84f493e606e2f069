/**
 * Commands of the operator: tracker scripts and hooks. Each runs without a shell, in a session and
 * process group of its own, as a user of its own, for a bounded time, with bounded output.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessUser } from './userDatabase.js';

/** This much of what a command prints is kept; the rest is read and thrown away. */
export const outputBytesMax = 4096;

/** How long a command that was asked to end (SIGTERM) has until it is killed, in milliseconds. */
export const endGraceMs = 500;

/** How long the pipes of a command that has ended are still read, in milliseconds. */
const outputWaitMs = 100;

/** Shortage of this machine, which says nothing about the command. */
const exhaustionCodes: readonly string[] = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'];

/** What is to be run. */
export interface CommandSpec {
  /** The program by its absolute path, then its arguments. */
  readonly command: readonly string[];
  /** Absent: the user of this process. */
  readonly user?: ProcessUser;
  /** The whole environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** How a command ended. */
export type CommandEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed-out' }
  | {
      readonly kind: 'not-started';
      readonly message: string;
      /** Whether the machine was short of something, so that it may work the next time. */
      readonly exhausted: boolean;
    };

/** The end of a command, and what it printed. */
export interface CommandResult {
  readonly end: CommandEnd;
  /** The first {@link outputBytesMax} bytes of standard output and standard error together. */
  readonly output: string;
  readonly durationMs: number;
}

/** A command that runs. */
export interface RunningCommand {
  /** Settles when it has ended, or its time is over. Never rejects. */
  readonly finished: Promise<CommandResult>;
  /** Ends it and all that it has started, as a timeout does. */
  end(): void;
}

/**
 * Starts a command. At its timeout its whole process group gets SIGTERM, and SIGKILL after
 * {@link endGraceMs} or as soon as the command itself has ended; only what has left the group
 * (setsid) survives. What a command that ends in time leaves behind in the background goes on.
 */
export function startCommand(spec: CommandSpec): RunningCommand {
  const startedMs = performance.now();
  const refusal = distrust(spec);
  if (refusal !== undefined) return notStarted(refusal, false);
  const [program = '', ...args] = spec.command;
  const { user } = spec;
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd: '/',
      env: spec.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A session of its own: its process group has the number of the process.
      detached: true,
      // libuv drops the supplementary groups with this.
      ...(user === undefined ? {} : { uid: user.userId, gid: user.groupId }),
    });
  } catch (error) {
    return notStarted(startFailure(error, user), isExhaustion(error));
  }
  const running = new Running(child, startedMs, user);
  running.limit(spec.timeoutMs);
  return running;
}

class Running implements RunningCommand {
  readonly finished: Promise<CommandResult>;
  readonly #child: ChildProcess;
  readonly #startedMs: number;
  readonly #output: Buffer[] = [];
  #outputBytes = 0;
  #timedOut = false;
  #ending = false;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, startedMs: number, user: ProcessUser | undefined) {
    this.#child = child;
    this.#startedMs = startedMs;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => this.#keep(bytes));
      // What it left in the background may break the pipe; that is no matter of ours.
      stream?.on('error', () => undefined);
    }
    this.finished = new Promise((resolve) => {
      child.once('error', (error) => {
        // A process that runs emits this too, when it could not be sent a signal.
        if (child.pid !== undefined) return;
        const message = startFailure(error, user);
        const end = { kind: 'not-started', message, exhausted: isExhaustion(error) } as const;
        resolve(this.#conclude(end, elapsedMs(this.#startedMs)));
      });
      child.once('exit', (code, signal) => {
        clearTimeout(this.#timer);
        const durationMs = elapsedMs(this.#startedMs);
        if (this.#ending) this.#signalGroup('SIGKILL');
        const own: CommandEnd =
          code === null ? { kind: 'signalled', signal: signal ?? '?' } : { kind: 'exited', code };
        const end: CommandEnd = this.#timedOut ? { kind: 'timed-out' } : own;
        // What it printed last may still be in the pipes, which others may hold open.
        this.#timer = setTimeout(() => resolve(this.#conclude(end, durationMs)), outputWaitMs);
        child.once('close', () => resolve(this.#conclude(end, durationMs)));
      });
    });
  }

  /** Arms the timeout. */
  limit(timeoutMs: number): void {
    if (this.#ended) return;
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.end();
    }, timeoutMs);
  }

  end(): void {
    if (this.#ended || this.#ending) return;
    this.#ending = true;
    this.#signalGroup('SIGTERM');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#signalGroup('SIGKILL'), endGraceMs);
  }

  #keep(bytes: Buffer): void {
    const room = outputBytesMax - this.#outputBytes;
    if (room <= 0) return;
    this.#output.push(bytes.subarray(0, room));
    this.#outputBytes += Math.min(room, bytes.length);
  }

  #conclude(end: CommandEnd, durationMs: number): CommandResult {
    this.#ended = true;
    clearTimeout(this.#timer);
    // Whoever inherited the other ends must not keep this process waiting.
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    const output = Buffer.concat(this.#output).toString('utf8');
    return { end, output, durationMs };
  }

  #signalGroup(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  }
}

/**
 * Why a command must not be run as root: whoever else may change the program, or a folder on the
 * way to it, would become root. `undefined`: nothing speaks against it.
 */
function distrust({ command, user }: CommandSpec): string | undefined {
  const [program = ''] = command;
  const runsAsRoot = (user?.userId ?? process.getuid?.() ?? 0) === 0;
  if (!runsAsRoot) return undefined;
  try {
    for (let path = realpathSync(program); ; path = dirname(path)) {
      const { uid, gid, mode } = lstatSync(path);
      if (uid !== 0) return `${path} belongs to user ${uid}, so root does not run it`;
      // A sticky folder lets nobody replace what is another's.
      const sticky = (mode & 0o1000) !== 0;
      const writable = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
      if (writable && !sticky) return `${path} can be changed by others, so root does not run it`;
      if (path === '/') return undefined;
    }
  } catch (error) {
    return messageOf(error);
  }
}

function notStarted(message: string, exhausted: boolean): RunningCommand {
  const end = { kind: 'not-started', message, exhausted } as const;
  return {
    finished: Promise.resolve({ end, output: '', durationMs: 0 }),
    end: () => undefined,
  };
}

/** What kept a command from starting; the kernel does not say that it was the user. */
function startFailure(error: unknown, user: ProcessUser | undefined): string {
  const isRefused = error instanceof Error && 'code' in error && error.code === 'EPERM';
  const which = `user ${user?.userId}: needs CAP_SETUID and CAP_SETGID`;
  return user !== undefined && isRefused ? `${messageOf(error)} (${which})` : messageOf(error);
}

function isExhaustion(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && exhaustionCodes.includes(code);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function elapsedMs(startedMs: number): number {
  return Math.round((performance.now() - startedMs) * 10) / 10;
}
