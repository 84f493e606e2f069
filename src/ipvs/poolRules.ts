/**
 * What holds for the servers of a service together, after each was judged by itself: how many the
 * checks may take out, what a pool that is mostly down does, and who serves when nobody can. Pure.
 */
import type { ServiceConfig } from '../config/model.js';
import type { WeightDecision } from './desired.js';

/** One server of the pool. */
export interface PoolMember {
  readonly id: string;
  /** The weight that it is meant to have while it is well: the operator's, or the configured. */
  readonly weightMeant: number;
  /** What it has by its own checks. */
  readonly decision: WeightDecision;
  /** When its state began, in Unix milliseconds. */
  readonly sinceUnixMs: number;
  /** Whether it was in service until now. */
  readonly wasInService: boolean;
}

/** Whether the checks have taken a server out: then the rules of the pool may bring it back. */
export function isOutByChecks({ reason }: WeightDecision): boolean {
  return reason === 'check-failed' || reason === 'flap-damped' || reason === 'not-checked-yet';
}

/** What the rules of the pool change. */
export interface PoolDecision {
  /** Decisions that differ from the members' own. */
  readonly changed: ReadonlyMap<string, WeightDecision>;
  /** Whether the sorry server is to take the traffic. */
  readonly sorry: boolean;
}

/**
 * Applies the rules of a service. Servers of weight 0, and those that an operator took out or that
 * want to be out themselves, stay so and are not counted.
 */
export function applyPoolRules(
  config: Pick<ServiceConfig, 'health' | 'whenAllDown'>,
  members: readonly PoolMember[],
  quorum: 'met' | 'lost',
): PoolDecision {
  const meant = members.filter(
    ({ weightMeant, decision }) => weightMeant > 0 && !isOutByWish(decision),
  );
  const out = meant.filter(({ decision }) => isOutByChecks(decision));
  const { panic, maxOutPercent, whenQuorumLost } = config.health ?? {};
  if (whenQuorumLost === 'sorry-server' && quorum === 'lost') {
    return { changed: setAll(meant, () => ({ weight: 0, reason: 'below-quorum' })), sorry: true };
  }
  const healthyPercent = meant.length === 0 ? 100 : 100 - (100 * out.length) / meant.length;
  if (panic !== undefined && healthyPercent < panic.belowPercent) {
    const weightOf = (member: PoolMember): number => (panic.use === 'all' ? member.weightMeant : 0);
    const changed = setAll(meant, (each) => ({ weight: weightOf(each), reason: 'panic' }));
    return { changed, sorry: panic.use === 'none' && config.whenAllDown === 'sorry-server' };
  }
  if (maxOutPercent !== undefined && out.length > 0) {
    const allowed = Math.floor((meant.length * maxOutPercent) / 100);
    const kept = longestOutFirst(out).slice(allowed);
    if (kept.length > 0) {
      const keep = (each: PoolMember): WeightDecision => ({
        weight: each.weightMeant,
        reason: 'too-many-out',
      });
      return { changed: setAll(kept, keep), sorry: false };
    }
  }
  const serving = members.some(({ decision: { weight } }) => weight !== null && weight > 0);
  return serving ? nothing : whenNobodyServes(config.whenAllDown, out);
}

const nothing: PoolDecision = { changed: new Map(), sorry: false };

function whenNobodyServes(
  whenAllDown: ServiceConfig['whenAllDown'],
  out: readonly PoolMember[],
): PoolDecision {
  switch (whenAllDown) {
    case 'zero':
      return nothing;
    case 'sorry-server':
      return { changed: new Map(), sorry: true };
    case 'keep-weights': {
      const keep = (each: PoolMember): WeightDecision => ({
        weight: each.weightMeant,
        reason: 'weights-kept',
      });
      return { changed: setAll(out, keep), sorry: false };
    }
    case 'keep-last': {
      const last = longestOutFirst(out).at(-1);
      if (last === undefined) return nothing;
      const decision = { weight: last.weightMeant, reason: 'last-server-kept' } as const;
      return { changed: new Map([[last.id, decision]]), sorry: false };
    }
  }
}

function setAll(
  members: readonly PoolMember[],
  decide: (member: PoolMember) => WeightDecision,
): ReadonlyMap<string, WeightDecision> {
  return new Map(members.map((member) => [member.id, decide(member)]));
}

/**
 * In the order in which they went. One that was in service until now comes after one that has been
 * out for longer, whatever the clocks say.
 */
function longestOutFirst(members: readonly PoolMember[]): readonly PoolMember[] {
  return members.toSorted(
    (left, right) =>
      Number(left.wasInService) - Number(right.wasInService) ||
      left.sinceUnixMs - right.sinceUnixMs ||
      members.indexOf(right) - members.indexOf(left),
  );
}

/** Whether an operator has taken it out, or the server has asked for it. */
function isOutByWish({ weight, reason }: WeightDecision): boolean {
  if (reason === 'asked-by-server') return weight === null || weight === 0;
  return reason === 'drained' || reason === 'maintenance';
}
