/**
 * What keeps a Backup from taking over from a router that works, until this node is ready for it:
 * for example while the connection table is still on its way. A hold is bounded in time, and it
 * never keeps a Backup from taking over from an Active that is silent.
 */
import type { MachineDraft } from './machineDraft.js';
import type { MachineState, PreemptHold } from './machineModel.js';
import type { PreemptHoldRequest } from './protocol.js';

/** Whether a hold is in force. */
export function isHeld({ holds }: MachineState, nowUs: number): boolean {
  return holds.some(({ untilUs }) => nowUs < untilUs);
}

/**
 * The holds that a set of requests makes of those that there are. A request that is repeated does
 * not extend the wait: its bound counts from when it was made first.
 */
export function renewHolds(
  holds: readonly PreemptHold[],
  requests: readonly PreemptHoldRequest[],
  nowUs: number,
): readonly PreemptHold[] {
  return requests.map(({ reason, waitMaxMs }) => {
    const earlier = holds.find((hold) => hold.reason === reason);
    return earlier ?? { reason, untilUs: nowUs + waitMaxMs * 1000 };
  });
}

/** Takes over a new set of holds. A preemption that was already being waited for waits anew. */
export function applyHolds(draft: MachineDraft, holds: readonly PreemptHold[]): void {
  draft.update({ holds });
  const { current, rival, activeDownSinceUs } = draft.state;
  if (current !== 'backup' || rival === undefined || !isHeld(draft.state, draft.nowUs)) return;
  draft.update({ activeDownSinceUs: Math.max(activeDownSinceUs, rival.lastHeardUs) });
  draft.armActiveDown();
}
