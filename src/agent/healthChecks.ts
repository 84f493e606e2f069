/**
 * The main thread's hold on the health thread: starts it, keeps the last report of every check,
 * and starts it again when it ends. Meanwhile the weights stay as they are and the node is demoted.
 */
import { type HealthThread, startHealthThread } from '../health/client.js';
import type { CheckReport, CheckSpec, FromHealth } from '../health/protocol.js';
import type { AgentLogger } from './logger.js';
import { nextRestart, noRestarts } from './restartDelay.js';

/** What the agent wants to hear from the checks. */
export interface HealthEvents {
  /** Some server's state changed, so the desired weights may have changed. */
  readonly onChange: () => void;
  /** The thread was lost or is back. */
  readonly onThread: (running: boolean) => void;
}

/** The health checks of this node. */
export class HealthChecks {
  readonly #logger: AgentLogger;
  readonly #events: HealthEvents;
  #thread: HealthThread | undefined;
  #checks: readonly CheckSpec[] = [];
  readonly #reports = new Map<string, CheckReport>();
  #history = noRestarts;
  #startedAtMs = 0;
  #stopping = false;

  constructor(logger: AgentLogger, events: HealthEvents) {
    this.#logger = logger.child({ thread: 'health' });
    this.#events = events;
  }

  /** The last report of every check, by its id. */
  get reports(): ReadonlyMap<string, CheckReport> {
    return this.#reports;
  }

  /** Restarts since the agent started. */
  get restarts(): number {
    return this.#history.restarts;
  }

  /** Whether the thread is there. */
  get running(): boolean {
    return this.#thread !== undefined;
  }

  /** Replaces the set of checks; equal ones keep their state. */
  configure(checks: readonly CheckSpec[]): void {
    this.#checks = checks;
    const wanted = new Set(checks.map((check) => check.id));
    for (const id of this.#reports.keys()) if (!wanted.has(id)) this.#reports.delete(id);
    const thread = this.#thread ?? this.#startThread();
    thread.post({ type: 'configure', checks });
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#thread?.stop();
    this.#thread = undefined;
  }

  #startThread(): HealthThread {
    const thread = startHealthThread({ onMessage: (message) => this.#take(message) });
    this.#thread = thread;
    this.#startedAtMs = Date.now();
    void thread.exited.then((exit) => {
      if (this.#thread === thread) this.#lost(exit.code);
    });
    return thread;
  }

  #take(message: FromHealth): void {
    if (message.type === 'log') this.#logger[message.level](message.fields, message.message);
    if (message.type === 'reports') this.#takeReports(message.reports);
  }

  #takeReports(reports: readonly CheckReport[]): void {
    const wanted = new Set(this.#checks.map((check) => check.id));
    let changed = false;
    for (const report of reports) {
      // A report of a check that a reload has just removed may still be on its way.
      if (!wanted.has(report.id)) continue;
      const before = this.#reports.get(report.id)?.state ?? 'unknown';
      this.#reports.set(report.id, report);
      if (before === report.state) continue;
      changed = true;
      this.#logger[report.state === 'down' ? 'warn' : 'info'](
        {
          check: report.id,
          from: before,
          to: report.state,
          reason: report.last?.reason,
          detail: report.last?.detail,
        },
        `server ${report.id} is ${report.state}: ${report.last?.reason ?? 'no result yet'}`,
      );
    }
    if (changed) this.#events.onChange();
  }

  #lost(code: number): void {
    this.#thread = undefined;
    if (this.#stopping) return;
    const { history, delayMs } = nextRestart(this.#history, Date.now() - this.#startedAtMs);
    this.#history = history;
    this.#logger.error({ code, delayMs }, 'the health thread ended; the weights stay as they are');
    this.#events.onThread(false);
    setTimeout(() => {
      if (this.#stopping) return;
      this.configure(this.#checks);
      this.#events.onThread(true);
    }, delayMs);
  }
}
