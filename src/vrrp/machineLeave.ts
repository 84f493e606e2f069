/**
 * How a router leaves for good. A Backup goes at once. An Active says priority 0 and keeps the
 * addresses until the Backup that takes over is heard, so that clients are served throughout; when
 * nobody is heard in the time that every Backup must have acted in, it goes all the same.
 *
 * The RFC has the addresses taken off together with the priority 0, which leaves clients without
 * any director for the Skew_Time of the Backup.
 */
import { resignPriority } from '../wire/vrrp.js';
import type { MachineDraft } from './machineDraft.js';
import { shutDown } from './machineTransitions.js';
import { skewUs } from './timing.js';

/** How long a Backup may take, beyond its Skew_Time, until it is heard. */
export const successorSlackUs = 100_000;

/** A stop does not take longer than this, however slow the advertisements are. */
export const farewellMaxUs = 3_000_000;

/** The lowest priority, which has the longest Skew_Time. */
const lowestPriority = 1;

/** Leaves, now or as soon as somebody has taken the place. */
export function leaveForGood(draft: MachineDraft): void {
  if (draft.state.leaving) return;
  draft.update({ leaving: true });
  if (draft.state.current !== 'active') {
    shutDown(draft, 'shutdown');
    return;
  }
  const skew = skewUs(lowestPriority, draft.ownIntervalUs, draft.version);
  const untilUs = draft.nowUs + Math.min(skew + successorSlackUs, farewellMaxUs);
  // An announcement would take back from the successor what it has just taken.
  draft.cancel('delayed-announcement', 'announcement-refresh');
  draft.update({ steppingDownUntilUs: untilUs, placeOfferedTo: 'anyone' });
  draft.send(resignPriority);
  draft.arm('advertisement', Math.min(draft.nowUs + draft.ownIntervalUs, untilUs));
}

/** The time of a farewell is over, and nobody was heard. */
export function isFarewellOver({ state, nowUs }: MachineDraft): boolean {
  return state.leaving && nowUs >= (state.steppingDownUntilUs ?? nowUs);
}
