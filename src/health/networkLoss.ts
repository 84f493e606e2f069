/**
 * Whether it is the network of this director that is gone, rather than all of its servers. Pure.
 *
 * When every check fails at once, and each in a way that a lost network explains, the servers are
 * probably well and this director is not. One answer from anybody, even a refusal, says otherwise.
 */
import type { HealthState, ProbeReason } from './reasons.js';

/** Failures that a director without a network sees. */
const lossReasons: ReadonlySet<ProbeReason> = new Set([
  'timeout',
  'host-unreachable',
  'network-unreachable',
  'local-address',
  'session-down',
]);

/** Backends that must have failed together: one alone is more likely dead than unreachable. */
export const backendsMin = 2;

/** One check, as far as it matters here. */
export interface LossCheck {
  readonly id: string;
  /** Checks of one backend say the same. */
  readonly backend: string;
  readonly state: HealthState;
  readonly sinceUnixMs: number;
  readonly reason: ProbeReason | undefined;
  /** Within this time the check notices a failure. */
  readonly detectionMs: number;
}

/** What is believed of the network. Times are Unix milliseconds. */
export interface NetworkLoss {
  /** Whether it is held to be lost. */
  readonly lost: boolean;
  readonly sinceUnixMs: number;
  /**
   * Checks that failed by it: their verdicts are not acted upon. After the end they count again as
   * soon as they pass, or when they have had the time to.
   */
  readonly excused: ReadonlySet<string>;
  /** Until when those that still fail after the end are excused; absent while it lasts. */
  readonly excusedUntilMs?: number;
}

/** All is well. */
export const noNetworkLoss: NetworkLoss = { lost: false, sinceUnixMs: 0, excused: new Set() };

/**
 * Takes in what all checks say now, and the time. As long as all is well, it looks no further than
 * the first check that is not down. Gives the same object when nothing has changed.
 */
export function stepNetworkLoss(
  before: NetworkLoss,
  known: Iterable<LossCheck>,
  nowMs: number,
): NetworkLoss {
  const quiet = !before.lost && before.excused.size === 0;
  if (quiet && !everyOneIsDown(known)) return before;
  const checks = [...known];
  const isLost = looksLost(checks);
  if (isLost && before.lost) return before;
  if (isLost) {
    const excused = new Set([...failedTogether(checks), ...before.excused]);
    return { lost: true, sinceUnixMs: nowMs, excused };
  }
  if (before.lost) {
    const longestMs = Math.max(0, ...checks.map(({ detectionMs }) => detectionMs));
    return excuse({ ...before, lost: false, excusedUntilMs: nowMs + longestMs }, checks, nowMs);
  }
  return before.excused.size === 0 ? before : excuse(before, checks, nowMs);
}

function everyOneIsDown(checks: Iterable<LossCheck>): boolean {
  for (const { state, reason } of checks) {
    if (state !== 'down' || reason === undefined || !lossReasons.has(reason)) return false;
  }
  return true;
}

/** Every check is down by a failure of that kind, and enough of them went down together. */
function looksLost(checks: readonly LossCheck[]): boolean {
  if (!everyOneIsDown(checks)) return false;
  const together = failedTogether(checks);
  const backends = checks.filter(({ id }) => together.has(id)).map(({ backend }) => backend);
  return new Set(backends).size >= backendsMin;
}

/** Those that went down within the time in which all checks notice one event. */
function failedTogether(checks: readonly LossCheck[]): ReadonlySet<string> {
  const lastMs = Math.max(...checks.map(({ sinceUnixMs }) => sinceUnixMs));
  const windowMs = Math.max(...checks.map(({ detectionMs }) => detectionMs));
  const together = checks.filter(({ sinceUnixMs }) => lastMs - sinceUnixMs <= windowMs);
  return new Set(together.map(({ id }) => id));
}

function excuse(loss: NetworkLoss, checks: readonly LossCheck[], nowMs: number): NetworkLoss {
  const { excusedUntilMs, ...rest } = loss;
  if (excusedUntilMs === undefined || nowMs >= excusedUntilMs) {
    return { ...rest, excused: new Set() };
  }
  const down = new Set(checks.filter(({ state }) => state === 'down').map(({ id }) => id));
  const excused = new Set([...loss.excused].filter((id) => down.has(id)));
  return { ...rest, excused, ...(excused.size === 0 ? {} : { excusedUntilMs }) };
}
