/**
 * What an operator's `tandem failover` does to one virtual router: it offers its place to whoever
 * takes it, and for a while its priority is the lowest there is. So it comes back by preemption as
 * configured, and it still takes over when nobody else is left.
 */
import { ownerPriority } from '../wire/vrrp.js';
import type { MachineDraft } from './machineDraft.js';
import { offerPlace } from './machineOffer.js';

/** Steps down until a time; one that has passed takes a step-down back. Owners do not step down. */
export function stepDown(draft: MachineDraft, untilUs: number, force: boolean): void {
  if (draft.state.spec.priority === ownerPriority || draft.state.leaving) return;
  if (untilUs <= draft.nowUs) {
    takeBack(draft);
    return;
  }
  draft.update({ stepDown: { untilUs, force } });
  if (draft.state.current === 'active') offerPlace(draft, 'anyone');
  else if (draft.state.current === 'backup') draft.armActiveDown();
}

/**
 * The place was offered for a whole Active_Down_Interval, and nobody took it: the service goes on
 * here. Unless the operator insists, the step-down has failed and ends with the offer.
 */
export function endOffer(draft: MachineDraft): void {
  draft.update({ steppingDownUntilUs: undefined });
  if (draft.state.stepDown?.force === false) draft.update({ stepDown: undefined });
}

function takeBack(draft: MachineDraft): void {
  if (draft.state.stepDown === undefined) return;
  draft.update({ stepDown: undefined });
  if (draft.state.current === 'backup') draft.armActiveDown();
  if (draft.state.current !== 'active') return;
  if (draft.state.placeOfferedTo === 'anyone') draft.update({ steppingDownUntilUs: undefined });
  draft.send(draft.priority);
  draft.arm('advertisement', draft.nowUs + draft.ownIntervalUs);
}
