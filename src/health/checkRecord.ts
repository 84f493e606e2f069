/** What the health thread keeps of one check. */
import type { ProbeOutcome } from './probes/probe.js';
import type { CheckReport, CheckSpec } from './protocol.js';
import type { ProbeReason } from './reasons.js';
import { initialVerdict, step, type Verdict } from './verdict.js';

/** One check: its verdict, its last result and its counters. */
export class CheckRecord {
  readonly spec: CheckSpec;
  #verdict: Verdict;
  #last: CheckReport['last'] = null;
  #weightPercent: number | undefined;
  #connectionsMax: number | undefined;
  #probes = { passed: 0, failed: 0, unknown: 0 };

  constructor(spec: CheckSpec, nowUnixMs: number) {
    this.spec = spec;
    this.#verdict = initialVerdict(spec.timing, nowUnixMs * 1000);
  }

  /** The reason of the last result; `undefined` before the first. */
  get lastReason(): ProbeReason | undefined {
    return this.#last?.reason;
  }

  /** How often the check is probed in its present state. */
  get intervalMs(): number {
    const { intervalMs, changingIntervalMs, downIntervalMs } = this.spec.timing;
    const { state, streak } = this.#verdict;
    if (state === 'unknown' || streak > 0) return changingIntervalMs ?? intervalMs;
    return state === 'down' ? (downIntervalMs ?? intervalMs) : intervalMs;
  }

  /** Takes one outcome into account. Tells whether there is something new to report at once. */
  take(outcome: ProbeOutcome, durationMs: number, nowUnixMs: number): boolean {
    const reasonBefore = this.lastReason;
    const { verdict, transition } = step(this.#verdict, outcome.result, nowUnixMs * 1000);
    this.#verdict = verdict;
    this.#probes[outcome.result === 'inconclusive' ? 'unknown' : outcome.result] += 1;
    const { reason, detail } = outcome;
    const percentBefore = this.#weightPercent;
    const connectionsBefore = this.#connectionsMax;
    if (outcome.result === 'passed') {
      this.#weightPercent = outcome.weightPercent;
      this.#connectionsMax = outcome.connectionsMax;
    }
    this.#last = { reason, detail, atUnixMs: nowUnixMs, durationMs };
    if (transition !== undefined || reason !== reasonBefore) return true;
    return this.#weightPercent !== percentBefore || this.#connectionsMax !== connectionsBefore;
  }

  report(): CheckReport {
    return {
      id: this.spec.id,
      state: this.#verdict.state,
      sinceUnixMs: Math.round(this.#verdict.sinceUs / 1000),
      streak: this.#verdict.streak,
      last: this.#last,
      probes: { ...this.#probes },
      ...(this.#weightPercent === undefined ? {} : { weightPercent: this.#weightPercent }),
      ...(this.#connectionsMax === undefined ? {} : { connectionsMax: this.#connectionsMax }),
    };
  }
}
