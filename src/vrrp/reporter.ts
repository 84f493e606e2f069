/**
 * Everything that the vrrp thread tells the main thread: transitions, reports and log lines, and
 * the counters behind them.
 */

import type { BfdSessionReport } from '../bfd/protocol.js';
import { nowUs } from '../kernel/monotonicClock.js';
import type { TrackerReport } from '../track/model.js';
import type { ElectionState, RouterEffect } from './election.js';
import type { FromVrrp, LatenessSummary, LogLevel, RealtimeReport } from './protocol.js';
import type { RouterKey } from './reconfiguration.js';
import { Remarks } from './remarks.js';
import { RouterStatistics } from './routerStatistics.js';

type LogFields = Extract<FromVrrp, { type: 'log' }>['fields'];

/** The thread's voice. */
export class Reporter {
  readonly #post: (message: FromVrrp) => void;
  readonly #remarks = new Remarks();
  readonly #statistics = new Map<RouterKey, RouterStatistics>();

  constructor(post: (message: FromVrrp) => void) {
    this.#post = post;
  }

  /** The counters of a router, made when first asked for. */
  statistics(router: RouterKey): RouterStatistics {
    let statistics = this.#statistics.get(router);
    if (statistics === undefined) {
      statistics = new RouterStatistics(Date.now());
      this.#statistics.set(router, statistics);
    }
    return statistics;
  }

  /** Forgets the counters of routers that are there no longer. */
  retain(election: ElectionState): void {
    for (const key of [...this.#statistics.keys()]) {
      if (!election.routers.has(key)) this.#statistics.delete(key);
    }
  }

  log(level: LogLevel, message: string, fields: LogFields): void {
    this.#post({ type: 'log', level, message, fields });
  }

  /** A log line about something that repeats: once, and again after it was absent for a while. */
  remark(subject: string, level: LogLevel, message: string, fields: LogFields): void {
    if (this.#remarks.isNews(subject, nowUs())) this.log(level, message, fields);
  }

  transition({ router, spec, from, to, reason }: RouterEffect<'transition'>): void {
    const atUnixMs = Date.now();
    this.statistics(router).changed(from, to, reason, atUnixMs);
    this.#post({ type: 'transition', router: spec.name, from, to, reason, atUnixMs });
  }

  /** `trackers` only when they are other than at the last report. */
  report(
    election: ElectionState,
    others: {
      readonly turns: number;
      readonly loop: LatenessSummary;
      readonly realtime: RealtimeReport;
      readonly trackers: readonly TrackerReport[] | undefined;
      readonly sessions: readonly BfdSessionReport[];
    },
  ): void {
    const { turns, loop, realtime, trackers, sessions } = others;
    const now = nowUs();
    const offsetMs = Date.now() - now / 1000;
    const toUnixMs = (us: number) => Math.round(offsetMs + us / 1000);
    const routers = [...election.routers].map(([key, machine]) =>
      this.statistics(key).report(machine, now, toUnixMs),
    );
    const news = trackers === undefined ? {} : { trackers };
    this.#post({ type: 'report', routers, turns, loop, realtime, sessions, ...news });
  }
}
