/**
 * The health threads as main sees them: how many there are, which checks each has, and that a lost
 * one comes back.
 */
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { type HealthThread, startHealthThread } from '../health/client.js';
import type {
  CheckReport,
  CheckSpec,
  FromHealth,
  HealthLoad,
  SessionState,
} from '../health/protocol.js';
import type { AgentLogger } from './logger.js';
import { nextRestart, noRestarts } from './restartDelay.js';

/** Checks per second that one thread is given, before there is another. */
export const checksPerSecondOfThread = 2_500;

/** How many threads these checks need, when so many processors are there beside the election's. */
export function threadsNeeded(specs: readonly CheckSpec[], processors: number): number {
  const rate = specs.reduce((sum, { timing }) => sum + 1000 / timing.intervalMs, 0);
  return Math.max(1, Math.min(processors - 1, Math.ceil(rate / checksPerSecondOfThread)));
}

/** What is wanted of the threads. */
export interface HealthThreadsEvents {
  readonly onReports: (reports: readonly CheckReport[]) => void;
  /** A thread was lost, or all are back. */
  readonly onThread: (running: boolean) => void;
}

interface Slot {
  thread: HealthThread | undefined;
  specs: readonly CheckSpec[];
  history: typeof noRestarts;
  startedAtMs: number;
  load: HealthLoad | undefined;
}

/** Some threads, each with its share of the checks. */
export class HealthThreads {
  readonly #logger: AgentLogger;
  readonly #events: HealthThreadsEvents;
  readonly #slots: Slot[] = [];
  /** Which thread has a check: it stays there, so that a reload does not lose its state. */
  readonly #placement = new Map<string, number>();
  #sessions: readonly SessionState[] = [];
  #stopping = false;

  constructor(logger: AgentLogger, events: HealthThreadsEvents) {
    this.#logger = logger;
    this.#events = events;
  }

  /** Whether all threads are there. */
  get running(): boolean {
    return this.#slots.length > 0 && this.#slots.every(({ thread }) => thread !== undefined);
  }

  /** Restarts since the agent started, of all threads. */
  get restarts(): number {
    return this.#slots.reduce((sum, { history }) => sum + history.restarts, 0);
  }

  /** How each thread keeps up, as far as it has told. */
  get loads(): readonly HealthLoad[] {
    return this.#slots.flatMap(({ load }) => load ?? []);
  }

  /** Replaces the set of checks; equal ones keep their thread and their state. */
  configure(specs: readonly CheckSpec[], threads: number | undefined): void {
    const wanted = threads ?? threadsNeeded(specs, availableParallelism());
    // Threads that are there stay: they cost little, and moving a check would lose its state.
    const count = Math.max(wanted, this.#slots.length);
    while (this.#slots.length < count) this.#slots.push(emptySlot());
    for (const [index, share] of this.#distribute(specs, count).entries()) {
      const slot = this.#slots[index];
      if (slot !== undefined) this.#configureSlot(slot, share);
    }
  }

  /** Tells the threads of the BFD sessions, when any of them has changed. */
  takeSessions(sessions: readonly SessionState[]): void {
    if (isDeepStrictEqual(sessions, this.#sessions)) return;
    this.#sessions = sessions;
    for (const { thread } of this.#slots) thread?.post({ type: 'sessions', sessions });
  }

  /** Has these checks made at once, whenever they would have been due. */
  hint(ids: readonly string[]): void {
    const shares = new Map<number, string[]>();
    for (const id of ids) {
      const place = this.#placement.get(id);
      if (place === undefined) continue;
      const share = shares.get(place) ?? [];
      share.push(id);
      shares.set(place, share);
    }
    for (const [place, share] of shares) {
      this.#slots[place]?.thread?.post({ type: 'hint', ids: share });
    }
  }

  /** Ends the threads. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#slots.map(({ thread }) => thread?.stop()));
    for (const slot of this.#slots) slot.thread = undefined;
  }

  #distribute(specs: readonly CheckSpec[], count: number): readonly (readonly CheckSpec[])[] {
    const ids = new Set(specs.map(({ id }) => id));
    for (const id of this.#placement.keys()) if (!ids.has(id)) this.#placement.delete(id);
    const shares: CheckSpec[][] = Array.from({ length: count }, () => []);
    const unplaced: CheckSpec[] = [];
    for (const spec of specs) {
      const share = shares[this.#placement.get(spec.id) ?? -1];
      if (share === undefined) unplaced.push(spec);
      else share.push(spec);
    }
    for (const spec of unplaced) {
      const least = shares.reduce(
        (best, share, index) => (share.length < (shares[best]?.length ?? 0) ? index : best),
        0,
      );
      shares[least]?.push(spec);
      this.#placement.set(spec.id, least);
    }
    return shares;
  }

  #configureSlot(slot: Slot, specs: readonly CheckSpec[]): void {
    slot.specs = specs;
    slot.thread ??= this.#startThread(slot);
    slot.thread.post({ type: 'sessions', sessions: this.#sessions });
    slot.thread.post({ type: 'configure', checks: specs });
  }

  #startThread(slot: Slot): HealthThread {
    const thread = startHealthThread({
      threads: this.#slots.length,
      onMessage: (message) => this.#take(slot, message),
    });
    slot.startedAtMs = Date.now();
    void thread.exited.then((exit) => {
      if (slot.thread === thread) this.#lost(slot, exit.code);
    });
    return thread;
  }

  #take(slot: Slot, message: FromHealth): void {
    if (message.type === 'log') this.#logger[message.level](message.fields, message.message);
    if (message.type === 'load') slot.load = message.load;
    if (message.type === 'reports') this.#events.onReports(message.reports);
  }

  #lost(slot: Slot, code: number): void {
    slot.thread = undefined;
    slot.load = undefined;
    if (this.#stopping) return;
    const { history, delayMs } = nextRestart(slot.history, Date.now() - slot.startedAtMs);
    slot.history = history;
    this.#logger.error({ code, delayMs }, 'the health thread ended; the weights stay as they are');
    this.#events.onThread(false);
    setTimeout(() => {
      if (this.#stopping) return;
      this.#configureSlot(slot, slot.specs);
      if (this.running) this.#events.onThread(true);
    }, delayMs);
  }
}

function emptySlot(): Slot {
  return {
    thread: undefined,
    specs: [],
    history: noRestarts,
    startedAtMs: 0,
    load: undefined,
  };
}
