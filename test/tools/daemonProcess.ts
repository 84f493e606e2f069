/** A program inside a network namespace that logs to a file and never outlives its starter. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { onProcessEnd } from '../../src/drill/processEnd.js';
import type { NetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { waitFor } from './waiting.js';

/** How much of a log an error shows, in characters. */
const logTailMax = 3_000;

/** How long a program may take to end after SIGTERM before it is killed, in milliseconds. */
const endTimeoutMs = 15_000;

/** What to run, and where. */
export interface DaemonOptions {
  readonly namespace: NetworkNamespace;
  readonly command: string;
  readonly args: readonly string[];
  /** Standard output and standard error go here, behind what is there already. */
  readonly logPath: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** How a program ended. */
export interface DaemonEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started program. */
export class DaemonProcess {
  readonly #options: DaemonOptions;
  readonly #child: ChildProcess;
  readonly #forget: () => boolean;
  #end: DaemonEnd | undefined;
  #failure: Error | undefined;

  /** Starts it. */
  constructor(options: DaemonOptions) {
    this.#options = options;
    const log = openSync(options.logPath, 'a');
    try {
      this.#child = options.namespace.spawn(options.command, options.args, {
        stdio: ['ignore', log, log],
        env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...options.environment },
      });
    } finally {
      closeSync(log);
    }
    this.#forget = onProcessEnd(() => this.signal('SIGKILL'));
    const ended = (end: DaemonEnd): void => {
      this.#end ??= end;
      this.#forget();
    };
    this.#child.once('exit', (code, signal) => ended({ code, signal }));
    this.#child.once('error', (error) => {
      this.#failure = error;
      ended({ code: null, signal: null });
    });
  }

  /** The process id; throws when it could not be started. */
  get pid(): number {
    if (this.#child.pid === undefined) throw this.#failure ?? new Error('it was not started');
    return this.#child.pid;
  }

  /** Whether it runs. */
  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** Sends a signal, if it runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  /** Waits until it has ended by itself. Throws after `timeoutMs`. */
  async waitForEnd(timeoutMs: number = endTimeoutMs): Promise<DaemonEnd> {
    return waitFor(`the end of ${this.#options.command}`, () => this.#end, {
      timeoutMs,
      evidence: () => this.logTail,
    });
  }

  /** Ends it for certain: by `signal`, and when that takes too long by SIGKILL. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<DaemonEnd> {
    this.signal(signal);
    try {
      return await this.waitForEnd();
    } catch (error) {
      this.signal('SIGKILL');
      await this.waitForEnd();
      throw error;
    }
  }

  /** Everything that it has written so far. */
  get log(): string {
    return readFileSync(this.#options.logPath, 'utf8');
  }

  /** The last of it, for errors. */
  get logTail(): string {
    return this.log.slice(-logTailMax).trim();
  }

  /** Waits for something that the running program does. Throws at once when it has ended. */
  async waitUntil<T>(
    what: string,
    look: () => T | undefined | false | Promise<T | undefined | false>,
  ) {
    return waitFor(
      what,
      () => {
        if (this.isRunning) return look();
        throw new Error(`${what}: ${this.#options.command} has ended\n${this.logTail}`);
      },
      { evidence: () => this.logTail },
    );
  }
}
