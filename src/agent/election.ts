/**
 * The main thread's hold on the vrrp thread: starts it, keeps what it reports, and when it dies
 * says priority 0 in its place, takes its addresses off and starts it again.
 */
import type { StatusDocument } from '../api/statusModel.js';
import type { BfdSessionReport } from '../bfd/protocol.js';
import { TandemError } from '../errors.js';
import type { TrackerReport } from '../track/model.js';
import { startVrrpThread, type VrrpThread } from '../vrrp/client.js';
import type {
  FromVrrp,
  LatenessSummary,
  PreemptHoldRequest,
  RealtimeReport,
  ToVrrp,
  VirtualRouterReport,
  VrrpConfiguration,
} from '../vrrp/protocol.js';
import { releaseAddresses } from '../vrrp/release.js';
import type { RouterTransition } from './hookJobs.js';
import type { AgentLogger } from './logger.js';
import { nextRestart, noRestarts } from './restartDelay.js';
import type { Burdens } from './tracking.js';

/** How long the thread may take to open its sockets, in milliseconds; a slow machine needs some. */
const configureTimeoutMs = 30_000;

/** What the agent wants to hear from the election. */
export interface ElectionEvents {
  /** New reports are at hand: every second, and at every change of state. */
  readonly onReport: () => void;
  /** A router changed its state; the report of the same turn follows. */
  readonly onTransition: (transition: RouterTransition) => void;
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
  #burdens: Extract<ToVrrp, { type: 'demotions' }> = { type: 'demotions', demotions: [] };
  #holds: readonly PreemptHoldRequest[] = [];
  #trackers: readonly TrackerReport[] = [];
  #sessions: readonly BfdSessionReport[] = [];
  #reports: readonly VirtualRouterReport[] = [];
  #pending: PendingConfigure | undefined;
  #history = noRestarts;
  #startedAtMs = 0;
  #lastReportAtMs = 0;
  #turns = 0;
  #loop: LatenessSummary | null = null;
  #realtime: RealtimeReport | null = null;
  #stopping = false;

  constructor(logger: AgentLogger, events: ElectionEvents) {
    this.#logger = logger.child({ thread: 'vrrp' });
    this.#events = events;
  }

  /** The last reports, one for each virtual router. */
  get reports(): readonly VirtualRouterReport[] {
    return this.#reports;
  }

  /** The last reports of the BFD sessions; none while the thread is not there. */
  get sessions(): readonly BfdSessionReport[] {
    return this.#sessions;
  }

  /** The trackers that the thread follows. */
  get trackers(): readonly TrackerReport[] {
    return this.#trackers;
  }

  /** What the status says of the thread. */
  get thread(): StatusDocument['threads']['vrrp'] {
    const { restarts, running } = this;
    return { restarts, running, loop: this.#loop, realtime: this.#realtime };
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

  /** Replaces the demotions and faults that main knows of. */
  setBurdens({ demotions, faults }: Burdens): void {
    this.#burdens = { type: 'demotions', demotions, faults };
    this.#thread?.post(this.#burdens);
  }

  /** Replaces what keeps the routers from taking over from one that works. */
  setHolds(holds: readonly PreemptHoldRequest[]): void {
    this.#holds = holds;
    this.#thread?.post({ type: 'holds', holds });
  }

  /** Lets routers step down; what comes of it is in the reports. */
  stepDown(request: Omit<Extract<ToVrrp, { type: 'step-down' }>, 'type'>): void {
    this.#thread?.post({ type: 'step-down', ...request });
  }

  /** Names of the routers that move with a router, itself included; none if there is no such. */
  movingWith(router: string): readonly string[] {
    const { routers, syncGroups } = this.#configuration;
    if (!routers.some(({ name }) => name === router)) return [];
    const groups = syncGroups.filter(({ members }) => members.includes(router));
    return [...new Set([router, ...groups.flatMap(({ members }) => members)])];
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
    // Before any router: one that must not run must not start either.
    thread.post(this.#burdens);
    thread.post({ type: 'holds', holds: this.#holds });
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
        this.#trackers = message.trackers ?? this.#trackers;
        this.#sessions = message.sessions;
        this.#turns = message.turns;
        this.#loop = message.loop;
        this.#realtime = message.realtime;
        this.#lastReportAtMs = Date.now();
        this.#events.onReport();
        break;
      case 'transition':
        this.#logger.info(
          { router: message.router, from: message.from, to: message.to, reason: message.reason },
          `virtual router ${message.router} is now ${message.to}: ${message.reason}`,
        );
        this.#events.onTransition(message);
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
    this.#tellLoss();
    setTimeout(() => void this.#restart(), delayMs);
  }

  /** What the thread cannot say any more: its routers have left, and their addresses are off. */
  #tellLoss(): void {
    const atUnixMs = Date.now();
    for (const { name, state } of this.#reports) {
      if (state === 'initialize') continue;
      const change = { from: state, to: 'initialize', reason: 'thread-lost' } as const;
      this.#events.onTransition({ router: name, ...change, atUnixMs });
    }
    this.#sessions = [];
    const left = { state: 'initialize', reason: 'thread-lost', sinceUnixMs: atUnixMs } as const;
    this.#reports = this.#reports.map((report) => ({ ...report, ...left, active: null }));
    this.#events.onReport();
  }

  async #restart(): Promise<void> {
    if (this.#stopping) return;
    try {
      await this.configure(withoutStartupDelays(this.#configuration));
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

/** The delay is for the start of the machine or the agent, not for a thread that is replaced. */
function withoutStartupDelays(configuration: VrrpConfiguration): VrrpConfiguration {
  const routers = configuration.routers.map((router) => ({ ...router, startupDelayMs: 0 }));
  return { ...configuration, routers };
}
