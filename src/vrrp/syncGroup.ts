/**
 * Virtual routers that change state together, because traffic that comes in by one must leave by
 * the other on the same machine. Pure: the rules look at the members' states and answer with
 * events.
 *
 * - As soon as one member must become Active, all do; none does while another cannot run, or hears
 *   an Active that it has to respect. (Else a group whose routers see different neighbours, because
 *   only one link is broken, would flap: one member takes over, another yields, for ever.)
 * - When one member is Active no longer, none is.
 */
import type { MachineEvent, MachineState } from './machineModel.js';

/**
 * An Active that was heard within this many of its intervals is alive. When it has died, the first
 * member to notice has waited three intervals, and no other member has heard it for more than two.
 */
const aliveIntervals = 2;

/** Whether a group may become Active now, as far as its members know. */
export function groupMayPromote(members: readonly MachineState[], nowUs: number): boolean {
  return members.every((member) => {
    if (member.current === 'active') return true;
    if (member.current === 'initialize' || nowUs < (member.startupUntilUs ?? 0)) return false;
    const { lastAcceptedUs, activeAdvertIntervalUs } = member;
    return (
      lastAcceptedUs === undefined ||
      nowUs >= lastAcceptedUs + aliveIntervals * activeAdvertIntervalUs
    );
  });
}

/** Whether a router that starts is held in Backup: another member cannot run. */
export function isHeldByGroup(others: readonly MachineState[]): boolean {
  return others.some(
    ({ started, ownAddress, faults }) => started && (ownAddress === undefined || faults.length > 0),
  );
}

/**
 * What a change of one member means for each of the others; `undefined` is nothing. `members` are
 * the states after the change, the changed one included.
 */
export function groupReaction(
  before: MachineState,
  after: MachineState,
  members: readonly MachineState[],
): MachineEvent | undefined {
  if (before.current === after.current) return undefined;
  if (after.current === 'active') return { type: 'group-promoted' };
  if (before.current === 'active') return { type: 'group-yielded' };
  const allRun = members.every((member) => member.current !== 'initialize');
  if (before.current === 'initialize' && allRun) return { type: 'group-released' };
  return undefined;
}

/**
 * What brings the members of a new or changed group together, when some are Active and some are
 * not: all become Active if nothing speaks against it, else all leave.
 */
export function groupSettlement(
  members: readonly MachineState[],
  nowUs: number,
): MachineEvent | undefined {
  const active = members.filter((member) => member.current === 'active');
  if (active.length === 0 || active.length === members.length) return undefined;
  return { type: groupMayPromote(members, nowUs) ? 'group-promoted' : 'group-yielded' };
}
