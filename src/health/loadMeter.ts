/** Measures how a health thread keeps up. Pure: the clock is passed in. */
import { LatenessHistogram } from '../vrrp/latenessHistogram.js';
import type { HealthLoad } from './protocol.js';
import type { SchedulerCounters } from './scheduler.js';

/** Collects how late probes begin, from one report to the next. */
export class LoadMeter {
  #fromMs: number;
  #lateness = new LatenessHistogram();

  constructor(nowMs: number) {
    this.#fromMs = nowMs;
  }

  /** A probe begins, so long after it was due. */
  note(lateMs: number): void {
    this.#lateness.add(lateMs * 1000);
  }

  /** What was collected since the last call; a new period begins. */
  take(nowMs: number, checks: number, counters: SchedulerCounters): HealthLoad {
    const { count, p50Us, p99Us, maxUs } = this.#lateness.summary;
    const seconds = Math.max(1, nowMs - this.#fromMs) / 1000;
    this.#fromMs = nowMs;
    this.#lateness = new LatenessHistogram();
    return {
      checks,
      probesPerSecond: Math.round((count / seconds) * 10) / 10,
      lateMs: { p50: p50Us / 1000, p99: p99Us / 1000, max: maxUs / 1000 },
      skipped: counters.skipped,
      deferred: counters.deferred,
      stalls: counters.stalls,
    };
  }
}
