/**
 * The verdict on one server: up, down or not known yet, from the outcomes of its probes.
 *
 * A server is believed to be up on its first pass, so that a start is quick; from then on a change
 * of mind needs `fall` failures or `rise` passes in a row. An outcome that says nothing about the
 * server neither counts nor breaks a row: a director that runs out of ports must not conclude that
 * every server is dead.
 */
import type { CheckTiming } from './protocol.js';
import type { HealthState } from './reasons.js';

/** What a probe says: about the server, or nothing at all. */
export type ProbeResult = 'passed' | 'failed' | 'inconclusive';

/** How many outcomes in a row change a verdict; both at least 1. */
export type VerdictThresholds = Pick<CheckTiming, 'rise' | 'fall'>;

/** The verdict on one server, with what the next outcome is judged by. */
export interface Verdict {
  readonly state: HealthState;
  /** When `state` began, on the clock of the caller; it is kept, never computed with. */
  readonly sinceUs: number;
  /** Outcomes in a row that speak against `state`; while it is unknown, failures in a row. */
  readonly streak: number;
  readonly thresholds: VerdictThresholds;
}

/** A change of state. */
export interface VerdictTransition {
  readonly from: HealthState;
  readonly to: Exclude<HealthState, 'unknown'>;
  readonly atUs: number;
}

/** What {@link step} gives. */
export interface VerdictStep {
  readonly verdict: Verdict;
  readonly transition: VerdictTransition | undefined;
}

/** The verdict before the first probe. */
export function initialVerdict(thresholds: VerdictThresholds, nowUs: number): Verdict {
  return { state: 'unknown', sinceUs: nowUs, streak: 0, thresholds };
}

/** Takes one outcome into account. */
export function step(verdict: Verdict, result: ProbeResult, nowUs: number): VerdictStep {
  if (result === 'inconclusive') return { verdict, transition: undefined };
  const claimed = result === 'passed' ? 'up' : 'down';
  if (verdict.state === claimed) {
    const calmed = verdict.streak === 0 ? verdict : { ...verdict, streak: 0 };
    return { verdict: calmed, transition: undefined };
  }
  const streak = verdict.streak + 1;
  if (streak < streakNeeded(verdict, result)) {
    return { verdict: { ...verdict, streak }, transition: undefined };
  }
  return {
    verdict: { ...verdict, state: claimed, sinceUs: nowUs, streak: 0 },
    transition: { from: verdict.state, to: claimed, atUs: nowUs },
  };
}

/** How many outcomes of this kind in a row change the state. */
function streakNeeded(verdict: Verdict, result: 'passed' | 'failed'): number {
  if (result === 'failed') return verdict.thresholds.fall;
  return verdict.state === 'unknown' ? 1 : verdict.thresholds.rise;
}
