/**
 * What runs in the health thread: it starts the probes that the scheduler calls for, lets the
 * verdict judge their outcomes, and tells main what changed. It decides nothing itself.
 */
import { isDeepStrictEqual } from 'node:util';
import { CheckRecord } from './checkRecord.js';
import { LoadMeter } from './loadMeter.js';
import { LogBudget } from './logBudget.js';
import { inconclusive, type Probe, type ProbeOutcome } from './probes/probe.js';
import type { CheckReport, CheckSpec, FromHealth } from './protocol.js';
import { type RunId, Scheduler, type SchedulerCounters } from './scheduler.js';

/**
 * News is told at once, and what comes within this time after it is told together: a single death
 * waits for nothing, and a rack that dies is a message or two.
 */
export const batchIntervalMs = 20;

/** Every report is sent again this often, so that a message that was lost heals. */
export const completeIntervalMs = 5_000;

/** But no more of them at a time: of more checks a part each time, in turn. */
export const completeReportsMax = 1_000;

/** What the engine needs from around it. */
export interface HealthEngineOptions {
  readonly probe: Probe;
  readonly post: (message: FromHealth) => void;
  /** Numbers in [0, 1) for the spread of the first probes and for jitter. */
  readonly random: () => number;
  /** Probes that run at once; absent: the default of the scheduler. */
  readonly probesConcurrentMax?: number;
}

interface RunningProbe {
  readonly record: CheckRecord;
  readonly abort: AbortController;
}

/** Probes the servers of one configuration after the other, until it is stopped. */
export class HealthEngine {
  readonly #options: HealthEngineOptions;
  readonly #scheduler: Scheduler;
  readonly #log: LogBudget;
  readonly #records = new Map<string, CheckRecord>();
  readonly #running = new Map<RunId, RunningProbe>();
  readonly #changed = new Set<CheckRecord>();
  readonly #completeTimer: NodeJS.Timeout;
  #tickTimer: NodeJS.Timeout | undefined;
  /** The time that the timer waits for. */
  #armedMs = Number.POSITIVE_INFINITY;
  #tickImmediate: NodeJS.Immediate | undefined;
  #newsImmediate: NodeJS.Immediate | undefined;
  /** Runs for {@link batchIntervalMs} after news was told. */
  #batchTimer: NodeJS.Timeout | undefined;
  /** The checks whose turn it is not yet to be reported again. */
  #unrepeated: CheckRecord[] = [];
  /** What the clock of the day is ahead of the monotonic one, as of the last tick. */
  #unixOffsetMs = Date.now() - performance.now();
  #sharedMs: number | undefined;
  #countersLogged: SchedulerCounters;
  readonly #load: LoadMeter;
  #stopped = false;

  constructor(options: HealthEngineOptions) {
    this.#options = options;
    const { random, probesConcurrentMax } = options;
    const bound = probesConcurrentMax === undefined ? {} : { probesConcurrentMax };
    this.#scheduler = new Scheduler({ random, ...bound });
    this.#load = new LoadMeter(performance.now());
    this.#countersLogged = this.#scheduler.counters;
    this.#log = new LogBudget(options.post);
    this.#completeTimer = setInterval(() => this.#onCompleteInterval(), completeIntervalMs);
  }

  /**
   * Takes over a whole set of checks. One that equals a check of before keeps its verdict and its
   * cadence; one that is new or differs starts as unknown. A complete report follows at once.
   */
  configure(checks: readonly CheckSpec[]): void {
    if (this.#stopped) return;
    const specs = new Map(checks.map((check) => [check.id, check]));
    const gone = [...this.#records.values()].filter(
      ({ spec }) => !isDeepStrictEqual(specs.get(spec.id), spec),
    );
    for (const record of gone) {
      this.#records.delete(record.spec.id);
      this.#changed.delete(record);
    }
    const added = [...specs.values()].filter(({ id }) => !this.#records.has(id));
    for (const spec of added) this.#records.set(spec.id, new CheckRecord(spec, Date.now()));
    const goneIds = gone.map(({ spec }) => spec.id);
    const cancelled = this.#scheduler.change(goneIds, added, performance.now());
    for (const run of cancelled) this.#endProbe(run);
    this.#requestTick();
    this.#sendComplete();
  }

  /** Probes these checks at once, whenever they would have been due. Unknown ones are ignored. */
  hint(ids: readonly string[]): void {
    if (this.#stopped) return;
    const nowMs = performance.now();
    for (const id of ids) this.#scheduler.pullForward(id, nowMs);
    this.#requestTick();
  }

  /** The checks of one kind. */
  idsOf(type: CheckSpec['probe']['type']): readonly string[] {
    return [...this.#records.values()].flatMap(({ spec }) =>
      spec.probe.type === type ? [spec.id] : [],
    );
  }

  /** Ends every probe and timer; nothing is posted after it. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#completeTimer);
    clearTimeout(this.#tickTimer);
    clearImmediate(this.#tickImmediate);
    clearImmediate(this.#newsImmediate);
    clearTimeout(this.#batchTimer);
    this.#records.clear();
    for (const run of [...this.#running.keys()]) this.#endProbe(run);
  }

  #tick(): void {
    this.#tickImmediate = undefined;
    const nowMs = performance.now();
    this.#unixOffsetMs = Date.now() - nowMs;
    for (const action of this.#scheduler.advance(nowMs)) {
      if (action.type === 'expire') this.#endProbe(action.run);
      else {
        this.#load.note(action.lateMs);
        this.#startProbe(action.id, action.run, nowMs);
      }
    }
    this.#armTimer(nowMs);
  }

  #armTimer(nowMs: number): void {
    clearTimeout(this.#tickTimer);
    this.#armedMs = Number.POSITIVE_INFINITY;
    const { wakeMs } = this.#scheduler;
    if (wakeMs === undefined) return;
    this.#armedMs = wakeMs;
    // One millisecond more, since Node's clock for timers is behind: else it would wake up twice.
    const delayMs = Math.max(1, Math.ceil(wakeMs - nowMs) + 1);
    this.#tickTimer = setTimeout(() => this.#onTimer(), delayMs);
  }

  /** Without a probe that runs there is no deadline that an answer could miss. */
  #onTimer(): void {
    if (this.#scheduler.hasRunning || this.#tickImmediate !== undefined) this.#requestTick();
    else this.#tick();
  }

  /**
   * Runs the tick after the sockets of this turn of the event loop were served. Node runs timers
   * first, so a deadline could otherwise expire although the answer has been there for long.
   */
  #requestTick(): void {
    this.#tickImmediate ??= setImmediate(() => this.#tick());
  }

  #startProbe(id: string, run: RunId, nowMs: number): void {
    const record = this.#records.get(id);
    if (record === undefined) {
      this.#scheduler.finished(run);
      return;
    }
    const abort = new AbortController();
    this.#running.set(run, { record, abort });
    this.#probe(record.spec, abort.signal).then(
      (outcome) => this.#onOutcome(record, run, outcome, nowMs),
      (error: unknown) => {
        this.#onOutcome(record, run, this.#onProbeThrew(record, error), nowMs);
      },
    );
  }

  /** A probe that throws at once is a rejection as any other. */
  #probe(spec: CheckSpec, signal: AbortSignal): Promise<ProbeOutcome> {
    try {
      return this.#options.probe(spec, spec.probe, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Fires the deadline of a probe: it settles by itself in this very turn. */
  #endProbe(run: RunId): void {
    this.#running.get(run)?.abort.abort();
  }

  #onOutcome(record: CheckRecord, run: RunId, outcome: ProbeOutcome, startedMs: number): void {
    this.#running.delete(run);
    this.#scheduler.finished(run);
    if (this.#scheduler.hasWaiting && !this.#stopped) this.#requestTick();
    // The outcome of a check that has been reconfigured since says nothing of its successor.
    if (this.#records.get(record.spec.id) !== record) return;
    const nowMs = this.#outcomeMs();
    const durationMs = Math.round((nowMs - startedMs) * 1000) / 1000;
    const isNews = record.take(outcome, durationMs, Math.round(nowMs + this.#unixOffsetMs));
    this.#keepPace(record, nowMs);
    if (!isNews) return;
    this.#changed.add(record);
    // Not before the others that end in this turn were heard.
    if (this.#batchTimer === undefined) {
      this.#newsImmediate ??= setImmediate(() => this.#sendChanged());
    }
  }

  /**
   * The time of an outcome. Those that are told together share a look at the clock, since on some
   * machines that is a system call.
   */
  #outcomeMs(): number {
    if (this.#sharedMs === undefined) {
      this.#sharedMs = performance.now();
      queueMicrotask(() => {
        this.#sharedMs = undefined;
      });
    }
    return this.#sharedMs;
  }

  /** A verdict that has changed, or may be about to, is probed at another interval. */
  #keepPace({ spec, intervalMs }: CheckRecord, nowMs: number): void {
    this.#scheduler.setInterval(spec.id, intervalMs, nowMs);
    const { wakeMs, hasRunning } = this.#scheduler;
    // What is earlier must not be missed, and what is idle need not wake up for a heartbeat.
    const isLater = !hasRunning && wakeMs !== undefined && wakeMs > this.#armedMs;
    if (wakeMs !== undefined && (wakeMs < this.#armedMs || isLater)) this.#armTimer(nowMs);
  }

  #onProbeThrew(record: CheckRecord, error: unknown): ProbeOutcome {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (this.#records.get(record.spec.id) === record && record.lastReason !== 'internal-error') {
      this.#log.write('error', 'A probe failed for a reason of its own', {
        check: record.spec.id,
        error: error instanceof Error ? (error.stack ?? text) : text,
      });
    }
    return inconclusive('internal-error', text);
  }

  #sendChanged(): void {
    this.#newsImmediate = undefined;
    this.#batchTimer = undefined;
    const reports: CheckReport[] = [...this.#changed].map((record) => record.report());
    if (reports.length === 0) return;
    this.#changed.clear();
    this.#options.post({ type: 'reports', complete: false, reports });
    this.#batchTimer = setTimeout(() => this.#sendChanged(), batchIntervalMs);
  }

  #sendComplete(): void {
    this.#changed.clear();
    this.#unrepeated = [];
    const reports = [...this.#records.values()].map((record) => record.report());
    this.#options.post({ type: 'reports', complete: true, reports });
  }

  /** Sends the reports again, or with many checks those whose turn it is. */
  #repeat(): void {
    if (this.#records.size <= completeReportsMax) {
      this.#sendComplete();
      return;
    }
    if (this.#unrepeated.length === 0) this.#unrepeated = [...this.#records.values()];
    const reports = this.#unrepeated.splice(-completeReportsMax).map((record) => record.report());
    this.#options.post({ type: 'reports', complete: false, reports });
  }

  #onCompleteInterval(): void {
    this.#repeat();
    const before = this.#countersLogged;
    const counters = this.#scheduler.counters;
    this.#countersLogged = counters;
    const load = this.#load.take(performance.now(), this.#records.size, counters);
    this.#options.post({ type: 'load', load });
    const deferred = counters.deferred - before.deferred;
    const stalls = counters.stalls - before.stalls;
    if (deferred > 0 || stalls > 0) {
      const message = 'The health thread is short of time or of room for probes';
      const started = counters.started - before.started;
      const skipped = counters.skipped - before.skipped;
      this.#log.write('warn', message, { deferred, stalls, skipped, started });
    }
    this.#log.renew();
  }
}
