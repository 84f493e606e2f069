/**
 * The main thread's hold on the vrrp thread: starts it, keeps what it reports, and when it dies
 * says priority 0 in its place, takes its addresses off and starts it again.
 */
import { TandemError } from '../errors.js';
import { startVrrpThread, type VrrpThread } from '../vrrp/client.js';
import type {
  Demotion,
  FromVrrp,
  VirtualRouterReport,
  VrrpConfiguration,
} from '../vrrp/protocol.js';
import { releaseAddresses } from '../vrrp/release.js';
import type { AgentLogger } from './logger.js';
import { nextRestart, noRestarts } from './restartDelay.js';

/** How long the thread may take to open its sockets, in milliseconds; a slow machine needs some. */
const configureTimeoutMs = 30_000;

/** What the agent wants to hear from the election. */
export interface ElectionEvents {
  /** New reports are at hand: every second, and at every change of state. */
  readonly onReport: () => void;
}

interface PendingConfigure {
  readonly resolve: () => void;
  readonly reject: (error: TandemError) => void;
  readonly timer: NodeJS.Timeout;
}

/** The election of this node. */
export class Election {
  readonly #logger: AgentLogger;
  readonly #events: ElectionEvents;
  #thread: VrrpThread | undefined;
  #configuration: VrrpConfiguration = { routers: [], syncGroups: [] };
  #demotions: readonly Demotion[] = [];
  #reports: readonly VirtualRouterReport[] = [];
  #pending: PendingConfigure | undefined;
  #history = noRestarts;
  #startedAtMs = 0;
  #lastReportAtMs = 0;
  #turns = 0;
  #stopping = false;

  constructor(logger: AgentLogger, events: ElectionEvents) {
    this.#logger = logger.child({ thread: 'vrrp' });
    this.#events = events;
  }

  /** The last reports, one for each virtual router. */
  get reports(): readonly VirtualRouterReport[] {
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

  /** Milliseconds since the thread last reported; the watchdog is not fed when it grows. */
  silenceMs(nowMs: number): number {
    return this.#lastReportAtMs === 0 ? 0 : nowMs - this.#lastReportAtMs;
  }

  /** Turns of the thread's loop at its last report. */
  get turns(): number {
    return this.#turns;
  }

  /**
   * Hands a configuration to the thread, which is started when it is not there yet.
   * Throws what the thread refused it with; the previous configuration then goes on.
   */
  async configure(configuration: VrrpConfiguration): Promise<void> {
    if (this.#pending !== undefined) {
      throw new TandemError('INTERNAL', 'the vrrp thread is being configured already');
    }
    const thread = this.#thread ?? this.#startThread();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(
          new TandemError('THREAD_FAILED', 'the vrrp thread did not take its configuration', {
            hint: `It had ${configureTimeoutMs / 1000} s; the log says what it was doing.`,
          }),
        );
      }, configureTimeoutMs);
      this.#pending = { resolve, reject, timer };
      thread.post({ type: 'configure', configuration });
    });
    this.#configuration = configuration;
  }

  /** Replaces the demotions that apply to every virtual router of this node. */
  setDemotions(demotions: readonly Demotion[]): void {
    this.#demotions = demotions;
    this.#thread?.post({ type: 'demotions', demotions });
  }

  /** Priority 0, addresses off, thread ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#settle(new TandemError('THREAD_FAILED', 'the agent is stopping'));
    await this.#thread?.stop();
    this.#thread = undefined;
  }

  #startThread(): VrrpThread {
    const thread = startVrrpThread({ onMessage: (message) => this.#take(message) });
    this.#thread = thread;
    this.#startedAtMs = Date.now();
    this.#lastReportAtMs = Date.now();
    void thread.exited.then((exit) => {
      if (this.#thread === thread) this.#lost(exit.error?.message ?? `exit code ${exit.code}`);
    });
    return thread;
  }

  #take(message: FromVrrp): void {
    switch (message.type) {
      case 'configured':
        this.#settle();
        break;
      case 'refused':
        this.#settle(new TandemError(message.code, message.message, { hint: message.hint }));
        break;
      case 'report':
        this.#reports = message.routers;
        this.#turns = message.turns;
        this.#lastReportAtMs = Date.now();
        this.#events.onReport();
        break;
      case 'transition':
        this.#logger.info(
          { router: message.router, from: message.from, to: message.to, reason: message.reason },
          `virtual router ${message.router} is now ${message.to}: ${message.reason}`,
        );
        break;
      case 'log':
        this.#logger[message.level](message.fields, message.message);
        break;
      case 'stopped':
        break;
    }
  }

  #settle(error?: TandemError): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    clearTimeout(pending.timer);
    if (error === undefined) pending.resolve();
    else pending.reject(error);
  }

  /** The thread ended by itself: let the peer take over at once, then start again. */
  #lost(why: string): void {
    this.#thread = undefined;
    this.#settle(new TandemError('THREAD_FAILED', `the vrrp thread ended: ${why}`));
    if (this.#stopping || this.#configuration.routers.length === 0) return;
    const { history, delayMs } = nextRestart(this.#history, Date.now() - this.#startedAtMs);
    this.#history = history;
    this.#logger.error({ why, delayMs }, 'the vrrp thread ended; saying priority 0 in its place');
    try {
      releaseAddresses(this.#configuration);
    } catch (error) {
      this.#logger.error({ err: error }, 'could not give up the addresses of the dead thread');
    }
    setTimeout(() => void this.#restart(), delayMs);
  }

  async #restart(): Promise<void> {
    if (this.#stopping) return;
    try {
      await this.configure(this.#configuration);
      this.#thread?.post({ type: 'demotions', demotions: this.#demotions });
      this.#logger.info({ restarts: this.restarts }, 'the vrrp thread runs again');
    } catch (error) {
      // An ended thread comes back through #lost; a refusal is retried like an end.
      this.#logger.error({ err: error }, 'the vrrp thread could not be configured');
      const thread = this.#thread;
      if (thread !== undefined) {
        await thread.stop();
        if (this.#thread === thread) this.#lost('its configuration was refused');
      }
    }
  }
}
