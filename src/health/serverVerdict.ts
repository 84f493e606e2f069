/**
 * What the checks of one server mean for it: joined to one verdict, kept from flapping, and brought
 * back slowly. Pure.
 *
 * It stands between the verdict on each check (`verdict.ts`) and the weights (`src/ipvs`). All that
 * it can do to a weight is to lower it.
 */
import type { HealthState } from './reasons.js';

/** Failures of one server that are remembered; older ones are forgotten first. */
export const failuresRememberedMax = 64;

/** A ramp has so many steps, unless that made them shorter than {@link rampStepMinMs}. */
export const rampSteps = 20;

/** Shortest time between two weights of one ramp. */
export const rampStepMinMs = 500;

/** How a server gains weight after it came back. */
export interface SlowStart {
  readonly durationMs: number;
  /** `linear`; `late`: little at first, most at the end; `early`: the other way round. */
  readonly curve: 'linear' | 'late' | 'early';
  /** What it begins with, in percent of its weight, 1..100. */
  readonly fromPercent: number;
}

/** How a server that fails again and again is kept out for longer and longer. */
export interface FlapDamping {
  /** From this many failures within `windowMs` on, a return has to wait. */
  readonly failures: number;
  readonly windowMs: number;
  /** The first wait; it doubles with each further failure, up to `holdMaxMs`. */
  readonly holdMs: number;
  readonly holdMaxMs: number;
}

/** The rules for the servers of one service. */
export interface ServerRules {
  /** How many of the checks must pass. */
  readonly needed: number;
  /** Whether a server without a verdict takes no traffic. */
  readonly startDown: boolean;
  readonly slowStart?: SlowStart;
  readonly flapDamping?: FlapDamping;
}

/** One check of the server, as far as it matters here. */
export interface CheckOpinion {
  readonly state: HealthState;
  /** Absent: 100. */
  readonly weightPercent?: number;
  /** Whether it is down because the server itself wants to be left alone. */
  readonly wantsOut?: boolean;
}

/** Why a server has less than its whole weight, or none. */
export type OperationalReason =
  /** The checks say that it is down. */
  | 'check-failed'
  /** There is no verdict yet, and until there is the service wants it out. */
  | 'not-checked-yet'
  /** The checks pass, but it failed too often of late. */
  | 'flap-damped'
  /** It came back a short while ago. */
  | 'slow-start'
  /** It asked for less, or to be left alone: by an agent, a script or a file. */
  | 'asked-by-server';

/** What is known of one server. Times are Unix milliseconds. */
export interface ServerVerdict {
  /** What the checks say together; it stays what it was while they say nothing. */
  readonly joined: HealthState;
  /** When `joined` began; `undefined` before the first verdict. */
  readonly joinedSinceMs: number;
  /** When it failed, oldest first, within the window of the damping. */
  readonly failuresAtMs: readonly number[];
  /** It passes but is kept out until then. */
  readonly heldUntilMs?: number;
  /** When it began to take traffic again; absent: it always did. */
  readonly backSinceMs?: number;
  /** The share that its checks ask for, 0..100. */
  readonly askedPercent: number;
  /** It is down by its own wish, and not because anything failed. */
  readonly wantsOut: boolean;
}

/** What a server may do at some moment. */
export interface Operation {
  readonly state: HealthState;
  readonly sinceUnixMs: number;
  /** Share of its weight, 0..100; 0 when it is down. */
  readonly percent: number;
  /** Absent: nothing is taken off. */
  readonly reason?: OperationalReason;
  /** When this changes by itself; absent: not. */
  readonly nextMs?: number;
}

/** Before the first verdict. */
export function initialServerVerdict(nowMs: number): ServerVerdict {
  return {
    joined: 'unknown',
    joinedSinceMs: nowMs,
    failuresAtMs: [],
    askedPercent: 100,
    wantsOut: false,
  };
}

/** Up when enough checks pass, down when too many fail for that, unknown in between. */
export function joinChecks(checks: readonly CheckOpinion[], needed: number): HealthState {
  const count = (state: HealthState): number =>
    checks.filter((check) => check.state === state).length;
  if (count('up') >= needed) return 'up';
  return count('down') > checks.length - needed ? 'down' : 'unknown';
}

/** Takes in what the checks say now, and the time. */
export function stepServer(
  before: ServerVerdict,
  checks: readonly CheckOpinion[],
  rules: ServerRules,
  nowMs: number,
): ServerVerdict {
  const says = joinChecks(checks, rules.needed);
  const joined = says === 'unknown' ? before.joined : says;
  const asked = checks.flatMap(({ state, weightPercent = 100 }) =>
    state === 'up' ? [weightPercent] : [],
  );
  const askedPercent = Math.min(100, ...asked);
  const failed = checks.filter(({ state }) => state === 'down');
  const isOwnWish = failed.length > 0 && failed.every(({ wantsOut }) => wantsOut === true);
  const wantsOut = joined === 'down' && (says === 'unknown' ? before.wantsOut : isOwnWish);
  if (joined === before.joined) return admitWhenDue({ ...before, askedPercent, wantsOut }, nowMs);
  const windowMs = rules.flapDamping?.windowMs ?? 0;
  const recent = before.failuresAtMs.filter((atMs) => nowMs - atMs < windowMs);
  const changed = { joined, joinedSinceMs: nowMs, askedPercent, wantsOut };
  if (joined === 'down') {
    const failure = before.joined === 'up' && !wantsOut ? [nowMs] : [];
    return { ...changed, failuresAtMs: [...recent, ...failure].slice(-failuresRememberedMax) };
  }
  const wasOut = before.joined === 'down' || rules.startDown;
  if (!wasOut) return { ...changed, failuresAtMs: recent };
  const holdMs = holdAfter(recent.length, rules.flapDamping);
  const after = { ...changed, failuresAtMs: recent };
  return holdMs > 0 ? { ...after, heldUntilMs: nowMs + holdMs } : { ...after, backSinceMs: nowMs };
}

/** What the server may do now. Expects {@link stepServer} to have seen the same time. */
export function operationOf(verdict: ServerVerdict, rules: ServerRules, nowMs: number): Operation {
  const { joined, joinedSinceMs: sinceUnixMs, heldUntilMs } = verdict;
  if (joined === 'down') {
    const reason = verdict.wantsOut ? 'asked-by-server' : 'check-failed';
    return { state: 'down', sinceUnixMs, percent: 0, reason };
  }
  if (joined === 'unknown') {
    if (!rules.startDown) return { state: 'unknown', sinceUnixMs, percent: 100 };
    return { state: 'unknown', sinceUnixMs, percent: 0, reason: 'not-checked-yet' };
  }
  if (heldUntilMs !== undefined) {
    const reason = 'flap-damped';
    return { state: 'down', sinceUnixMs, percent: 0, reason, nextMs: heldUntilMs };
  }
  const ramp = rampAt(verdict, rules.slowStart, nowMs);
  const percent = (ramp.percent * verdict.askedPercent) / 100;
  const reason: OperationalReason | undefined =
    ramp.percent < 100 ? 'slow-start' : percent < 100 ? 'asked-by-server' : undefined;
  return {
    state: 'up',
    sinceUnixMs: verdict.backSinceMs ?? sinceUnixMs,
    percent,
    ...(reason === undefined ? {} : { reason }),
    ...(ramp.nextMs === undefined ? {} : { nextMs: ramp.nextMs }),
  };
}

/** How long a server that passes again is kept out, after so many failures of late. */
export function holdAfter(failures: number, damping: FlapDamping | undefined): number {
  if (damping === undefined || failures < damping.failures) return 0;
  // Beyond 30 doublings the greatest hold has long been reached.
  const doublings = Math.min(30, failures - damping.failures);
  return Math.min(damping.holdMaxMs, damping.holdMs * 2 ** doublings);
}

function admitWhenDue(verdict: ServerVerdict, nowMs: number): ServerVerdict {
  const { heldUntilMs, ...rest } = verdict;
  if (heldUntilMs === undefined || nowMs < heldUntilMs) return verdict;
  return { ...rest, backSinceMs: nowMs };
}

const curves = {
  linear: (share: number): number => share,
  late: (share: number): number => share * share,
  early: (share: number): number => Math.sqrt(share),
} as const satisfies Record<SlowStart['curve'], (share: number) => number>;

function rampAt(
  { backSinceMs }: ServerVerdict,
  slowStart: SlowStart | undefined,
  nowMs: number,
): { readonly percent: number; readonly nextMs?: number } {
  if (slowStart === undefined || backSinceMs === undefined) return { percent: 100 };
  const { durationMs, curve, fromPercent } = slowStart;
  // A clock that was set back must not stretch the ramp.
  const elapsedMs = Math.max(0, nowMs - backSinceMs);
  if (elapsedMs >= durationMs) return { percent: 100 };
  const stepMs = Math.max(rampStepMinMs, durationMs / rampSteps);
  const step = Math.floor(elapsedMs / stepMs);
  const share = curves[curve](Math.min(1, (step * stepMs) / durationMs));
  return {
    percent: fromPercent + (100 - fromPercent) * share,
    nextMs: backSinceMs + Math.min(durationMs, (step + 1) * stepMs),
  };
}
