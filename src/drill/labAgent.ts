/** A director's agent in a lab: the real program, as a process inside the director's namespace. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchStatus } from '../api/client.js';
import type { StatusDocument } from '../api/statusModel.js';
import { TandemError } from '../errors.js';
import type { NetworkNamespace } from '../kernel/networkNamespace.js';
import { labConfig } from './labConfig.js';
import { agentSocketPath } from './labPrograms.js';
import { identifyProcess, type ProcessIdentity } from './labRegistry.js';
import { lastWords } from './lastWords.js';
import { mainScriptPath } from './packageFolders.js';
import type { Topology } from './topology.js';

/** How often an agent's status is asked for while something is awaited, in milliseconds. */
const statusIntervalMs = 100;

/** How much of a status an error shows, in characters. */
const statusTextMax = 1_000;

/** One agent. */
export class LabAgent {
  readonly node: string;
  readonly socketPath: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly #namespace: NetworkNamespace;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(node: string, topology: Topology, namespace: NetworkNamespace, folder: string) {
    this.node = node;
    this.#namespace = namespace;
    this.socketPath = agentSocketPath(folder, node);
    this.configPath = join(folder, `${node}.yaml`);
    this.logPath = join(folder, `${node}.log`);
    writeFileSync(this.configPath, labConfig(topology, this.socketPath));
  }

  /** Starts the process; {@link waitForStatus} tells when it works. */
  start(): void {
    const log = openSync(this.logPath, 'a');
    try {
      const args = [mainScriptPath(), 'run', '-c', this.configPath, '--node', this.node];
      const child = this.#namespace.spawn(process.execPath, args, {
        stdio: ['ignore', log, log],
        env: { PATH: process.env.PATH, LANG: 'C.UTF-8' },
      });
      this.#ended = new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.once('error', () => resolve());
      });
      this.#process = child;
    } finally {
      closeSync(log);
    }
  }

  /** The running process; `undefined` when it has ended or was never started. */
  get identity(): ProcessIdentity | undefined {
    return this.isRunning ? identifyProcess(this.#process?.pid ?? 0) : undefined;
  }

  /** Whether the process runs. */
  get isRunning(): boolean {
    const child = this.#process;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Sends it a signal, if it runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#process?.kill(signal);
  }

  /** Resolves when the process has ended; throws `LAB_FAILED` after `timeoutMs`. */
  async waitForEnd(timeoutMs: number): Promise<void> {
    const timeout = new AbortController();
    const late = sleep(timeoutMs, 'late', { signal: timeout.signal, ref: false });
    const outcome = await Promise.race([this.#ended, late.catch(() => undefined)]);
    timeout.abort();
    if (outcome === 'late') throw this.#failed(`did not end within ${timeoutMs} ms`);
  }

  /** Waits until the agent's status is as wanted; throws `LAB_FAILED` after `timeoutMs`. */
  async waitForStatus(
    what: string,
    timeoutMs: number,
    isWanted: (status: StatusDocument) => boolean,
  ): Promise<StatusDocument> {
    const deadline = Date.now() + timeoutMs;
    let last = 'no status yet';
    for (;;) {
      if (!this.isRunning) throw this.#failed('has ended');
      try {
        const status = await fetchStatus(this.socketPath);
        if (isWanted(status)) return status;
        last = JSON.stringify(status);
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      if (Date.now() > deadline) {
        throw this.#failed(
          `had not ${what} after ${timeoutMs} ms (${last.slice(0, statusTextMax)})`,
        );
      }
      await sleep(statusIntervalMs);
    }
  }

  /** The log that it has written so far. */
  get log(): string {
    try {
      return readFileSync(this.logPath, 'utf8');
    } catch {
      return '';
    }
  }

  #failed(what: string): TandemError {
    const { message, hint } = lastWords(this.log);
    return new TandemError(
      'LAB_FAILED',
      `the agent of ${this.node} ${what}: ${message}`,
      hint === undefined ? {} : { hint },
    );
  }
}
