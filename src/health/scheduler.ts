/**
 * When each check is probed, and when a probe has had its time. Deterministic: the clock and the
 * randomness are passed in, and nothing here waits or opens a socket.
 *
 * The promise that it keeps: with `timeoutMs <= intervalMs`, probes of a check start one interval
 * apart, so a failure is known within `intervalMs x fall + timeoutMs` and a recovery within
 * `intervalMs x rise + timeoutMs`. A probe that is still running when its check is due again makes
 * that tick be skipped, so a longer timeout stretches the interval to the next multiple of it.
 */
import { MinHeap } from './minHeap.js';
import type { CheckTiming } from './protocol.js';

/**
 * Probes that run at once, unless the thread was given another number. It bounds descriptors and
 * local ports when thousands of servers hang; checks beyond it wait in order, and their number is
 * counted in `deferred`.
 */
export const probesConcurrentMax = 1024;

/** The first probes of new checks are spread over one interval, but over no more than this. */
export const startSpreadMaxMs = 5_000;

/**
 * New checks are due at multiples of one of these: those of one moment share a wake of the thread,
 * which costs more than the start of a probe. Each divides a second, so that they meet again.
 */
const gridStepsMs = [250, 100, 50, 20, 10, 5] as const;

/** With many checks the steps are no shorter than this, or a fiftieth of the interval. */
const gridStepLastMs = 20;

/** So many checks share a moment, as far as a quarter of their interval allows it. */
export const checksOfMoment = 10;

/** While probes run the scheduler is woken at least this often, so that it notices a stall. */
export const heartbeatMs = 100;

/** A wake that comes this much too late means that the thread did not run in the meantime. */
export const stallMs = 50;

/**
 * A probe that starts later than this, and than a tenth of its interval, is late. One that is late
 * twice in a row is so because the thread has too much to do: its next ones are put off by half of
 * that, so that all checks have the same, longer interval. Else some would be probed twice within
 * moments and others after two intervals, and a death of theirs would be noticed as late.
 */
export const lateMs = 50;

/** What the scheduler needs to know of one check. */
export interface ScheduledCheck {
  readonly id: string;
  readonly timing: Pick<CheckTiming, 'intervalMs' | 'timeoutMs' | 'jitterPercent'>;
}

/** Names one probe; a number is never used twice. */
export type RunId = number;

/** What must happen now. */
export type SchedulerAction =
  /** The deadline of the probe has passed: end it. Its place is free already. */
  | { readonly type: 'expire'; readonly run: RunId }
  | {
      readonly type: 'start';
      readonly id: string;
      readonly run: RunId;
      /** How long after the time that it was due. */
      readonly lateMs: number;
    };

/** What has happened at the scheduler's bounds since it was made. */
export interface SchedulerCounters {
  readonly started: number;
  /** Times that a check was due while its previous probe was running or waiting. */
  readonly skipped: number;
  /** Probes that had to wait because {@link probesConcurrentMax} were running. */
  readonly deferred: number;
  /** Times that the thread was found not to have run when it should have. */
  readonly stalls: number;
}

interface Entry {
  readonly check: ScheduledCheck;
  intervalMs: number;
  /** The next tick of the cadence; it moves by whole intervals, so the cadence does not drift. */
  tickMs: number;
  /** When the check is due next: at the tick, or a little later with jitter. */
  dueMs: number;
  /** When the probe that waits for a place was due. */
  wantedMs: number;
  /** Whether the last probe started later than {@link lateMs} allows. */
  wasLate: boolean;
  run: Run | undefined;
}

interface Run {
  readonly id: RunId;
  readonly entry: Entry;
  deadlineMs: number;
}

/** Decides what is due. Times are milliseconds of one monotonic clock, fractions allowed. */
export class Scheduler {
  readonly #random: () => number;
  readonly #concurrentMax: number;
  readonly #entries = new Map<string, Entry>();
  /** Checks by when they are due. A check whose time was moved is in it under its old time too. */
  readonly #due = new MinHeap<Entry>();
  /** Runs by deadline. Those that finished stay until their deadline, and are ignored then. */
  readonly #deadlines = new MinHeap<Run>();
  readonly #running = new Map<RunId, Run>();
  /** Checks that are due and wait for a place, in order; a check is in it at most once. */
  readonly #waiting = new Set<Entry>();
  #counters = { started: 0, skipped: 0, deferred: 0, stalls: 0 };
  #nextRun: RunId = 1;
  #wakeMs: number | undefined;

  /** `random` gives numbers in [0, 1). */
  constructor(options: { readonly random: () => number; readonly probesConcurrentMax?: number }) {
    this.#random = options.random;
    this.#concurrentMax = options.probesConcurrentMax ?? probesConcurrentMax;
  }

  /** When {@link advance} must be called next; `undefined`: not before something changes. */
  get wakeMs(): number | undefined {
    return this.#wakeMs;
  }

  /** Whether probes run, so that deadlines may pass. */
  get hasRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Whether a check waits for a place, so that {@link advance} is worth calling on a finish. */
  get hasWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  get counters(): SchedulerCounters {
    return { ...this.#counters };
  }

  /**
   * Takes checks out and brings checks in; an id in both is replaced. Gives the runs of the checks
   * that went: their probes are to be ended and their outcomes ignored. Call `advance` after it.
   */
  change(remove: Iterable<string>, add: readonly ScheduledCheck[], nowMs: number): RunId[] {
    const cancelled: RunId[] = [];
    for (const id of remove) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      this.#entries.delete(id);
      this.#waiting.delete(entry);
      if (entry.run !== undefined) {
        cancelled.push(entry.run.id);
        this.#release(entry.run);
      }
    }
    this.#due.rebuild((entry) => (this.#has(entry) ? entry.dueMs : undefined));
    const kept = [...this.#entries.values()].map((entry) => entry.intervalMs);
    const added = add.map(({ timing }) => timing.intervalMs);
    const checksPerMs = [...kept, ...added].reduce((sum, intervalMs) => sum + 1 / intervalMs, 0);
    for (const [index, check] of add.entries()) {
      const spreadMs = Math.min(check.timing.intervalMs, startSpreadMaxMs);
      // One slot each, at a random place in it: even for few checks as well as for many.
      const offsetMs = (spreadMs * (index + this.#random())) / add.length;
      const { intervalMs } = check.timing;
      const stepMs = gridStepMs(intervalMs, checksPerMs);
      const dueMs = Math.max(nowMs, Math.floor((nowMs + offsetMs) / stepMs) * stepMs);
      const times = { intervalMs, tickMs: dueMs, dueMs, wantedMs: dueMs };
      const entry: Entry = { check, ...times, wasLate: false, run: undefined };
      this.#entries.set(check.id, entry);
      this.#due.push(entry.dueMs, entry);
    }
    return cancelled;
  }

  /**
   * Gives a check another interval, counted from its last tick. Call `advance` after it: the check
   * may be due sooner than before.
   */
  setInterval(id: string, intervalMs: number, nowMs: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.intervalMs === intervalMs) return;
    const tickMs = Math.max(nowMs, entry.tickMs - entry.intervalMs + intervalMs);
    entry.intervalMs = intervalMs;
    this.#move(entry, tickMs);
  }

  /**
   * Makes a check due now, and its cadence go on from here; one that is being probed, or waits for
   * it, needs no more. Call `advance` after it.
   */
  pullForward(id: string, nowMs: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.run !== undefined || this.#waiting.has(entry)) return;
    if (entry.dueMs > nowMs) this.#move(entry, nowMs);
  }

  /** A probe ended by itself. An unknown run, or one that expired, changes nothing. */
  finished(run: RunId): void {
    const found = this.#running.get(run);
    if (found === undefined) return;
    this.#release(found);
    // With nothing left that runs there is no heartbeat, and no deadline to wake up for.
    if (this.#running.size === 0) this.#wakeMs = this.#due.firstKey;
  }

  /** Says what is due at `nowMs`: what expires first, so that its place is free. */
  advance(nowMs: number): SchedulerAction[] {
    const actions: SchedulerAction[] = [];
    this.#forgiveStall(nowMs);
    for (;;) {
      const run = this.#deadlines.popUntil(nowMs);
      if (run === undefined) break;
      if (this.#running.get(run.id) !== run) continue;
      this.#release(run);
      actions.push({ type: 'expire', run: run.id });
    }
    this.#collectDue(nowMs);
    this.#startWaiting(nowMs, actions);
    this.#wakeMs = this.#nextWake(nowMs);
    return actions;
  }

  /**
   * Time in which this thread did not run is not held against the servers: the answers may be
   * waiting unread. Every running probe gets it back, and at least one heartbeat to be read in.
   */
  #forgiveStall(nowMs: number): void {
    const stalledMs = this.#wakeMs === undefined ? 0 : nowMs - this.#wakeMs;
    if (stalledMs <= stallMs || this.#running.size === 0) return;
    this.#counters.stalls += 1;
    for (const run of this.#running.values()) {
      run.deadlineMs = Math.max(run.deadlineMs + stalledMs, nowMs + heartbeatMs);
    }
    this.#deadlines.rebuild((run) =>
      this.#running.get(run.id) === run ? run.deadlineMs : undefined,
    );
  }

  /** Moves the checks that are due into the queue; ticks that were missed are left out. */
  #collectDue(nowMs: number): void {
    for (;;) {
      const entry = this.#due.popUntil(nowMs);
      if (entry === undefined) return;
      // Its time was moved: it is in the heap once more, under the time that counts.
      if (entry.dueMs > nowMs) continue;
      const { intervalMs } = entry;
      const wantedMs = entry.dueMs;
      const passedTicks = Math.floor((nowMs - entry.tickMs) / intervalMs);
      entry.tickMs += (passedTicks + 1) * intervalMs;
      const { jitterPercent = 0 } = entry.check.timing;
      const jitterMs = jitterPercent === 0 ? 0 : this.#random() * intervalMs * jitterPercent;
      entry.dueMs = entry.tickMs + jitterMs / 100;
      this.#due.push(entry.dueMs, entry);
      if (entry.run !== undefined || this.#waiting.has(entry)) {
        this.#counters.skipped += 1;
      } else {
        entry.wantedMs = wantedMs;
        this.#waiting.add(entry);
        if (this.#running.size + this.#waiting.size > this.#concurrentMax) {
          this.#counters.deferred += 1;
        }
      }
    }
  }

  #startWaiting(nowMs: number, actions: SchedulerAction[]): void {
    for (const entry of this.#waiting) {
      if (this.#running.size >= this.#concurrentMax) return;
      this.#waiting.delete(entry);
      const deadlineMs = nowMs + entry.check.timing.timeoutMs;
      const run: Run = { id: this.#nextRun, entry, deadlineMs };
      this.#nextRun += 1;
      this.#counters.started += 1;
      entry.run = run;
      this.#running.set(run.id, run);
      this.#deadlines.push(deadlineMs, run);
      const behindMs = Math.max(0, nowMs - entry.wantedMs);
      this.#putOff(entry, behindMs);
      actions.push({ type: 'start', id: entry.check.id, run: run.id, lateMs: behindMs });
    }
  }

  /** See {@link lateMs}. */
  #putOff(entry: Entry, byMs: number): void {
    const isLate = byMs > Math.max(lateMs, entry.intervalMs / 10);
    if (isLate && entry.wasLate) this.#move(entry, entry.tickMs + byMs / 2);
    entry.wasLate = isLate;
  }

  #move(entry: Entry, tickMs: number): void {
    entry.tickMs = tickMs;
    entry.dueMs = tickMs;
    this.#due.push(tickMs, entry);
    if (this.#wakeMs !== undefined) this.#wakeMs = Math.min(this.#wakeMs, tickMs);
  }

  #nextWake(nowMs: number): number | undefined {
    this.#deadlines.dropWhile((run) => this.#running.get(run.id) !== run);
    const times = [this.#due.firstKey, this.#deadlines.firstKey];
    if (this.#running.size > 0) times.push(nowMs + heartbeatMs);
    return times.reduce(
      (first, time) => (first === undefined || (time !== undefined && time < first) ? time : first),
      undefined,
    );
  }

  #has(entry: Entry): boolean {
    return this.#entries.get(entry.check.id) === entry;
  }

  #release(run: Run): void {
    this.#running.delete(run.id);
    run.entry.run = undefined;
  }
}

/** How far apart the moments are at which checks of an interval are due. */
function gridStepMs(intervalMs: number, checksPerMs: number): number {
  const leastMs = Math.min(gridStepLastMs, intervalMs / 50);
  const mostMs = Math.min(intervalMs / 4, checksOfMoment / checksPerMs);
  return gridStepsMs.find((stepMs) => leastMs <= stepMs && stepMs <= mostMs) ?? leastMs;
}
