/**
 * How an Active offers its place without leaving it first, so that the addresses are never without
 * a holder: it says priority 0, on which a Backup waits for its skew only, and keeps them until the
 * one that takes over is heard. When nobody does within an Active_Down_Interval, it goes on.
 *
 * The RFC knows no such thing. An Active whose priority falls below another's goes on advertising,
 * and the other waits for its whole Active_Down_Timer, three intervals and more, before it acts.
 */
import { ownerPriority, resignPriority } from '../wire/vrrp.js';
import type { MachineDraft } from './machineDraft.js';
import type { PlaceOffer } from './machineModel.js';
import { activeDownUs } from './timing.js';

/** Says priority 0 now and on every beat, until somebody takes the place or the offer ends. */
export function offerPlace(draft: MachineDraft, to: PlaceOffer): void {
  const offerUs = activeDownUs(draft.priority, draft.ownIntervalUs, draft.version);
  draft.update({ steppingDownUntilUs: draft.nowUs + offerUs, placeOfferedTo: to });
  draft.send(resignPriority);
  draft.arm('advertisement', draft.nowUs + draft.ownIntervalUs);
}

/**
 * Says at once that the priority of an Active has changed from `before`: a lower one is advertised,
 * and the place is offered when that has just lost it the election; an offer that has lost its
 * reason is taken back.
 */
export function tellPriority(draft: MachineDraft, before: number): void {
  const { steppingDownUntilUs, placeOfferedTo } = draft.state;
  if (steppingDownUntilUs !== undefined) {
    if (placeOfferedTo === 'anyone' || isBeaten(draft, draft.priority)) return;
    draft.update({ steppingDownUntilUs: undefined });
    sendNow(draft);
  } else if (draft.priority < before) {
    sendNow(draft);
    offerIfBeaten(draft, before);
  }
}

/** Offers the place when the priority fell from one that wins to one that does not. */
export function offerIfBeaten(draft: MachineDraft, before: number): void {
  if (draft.priority === ownerPriority || !draft.state.spec.preempt.enabled) return;
  if (isBeaten(draft, draft.priority) && !isBeaten(draft, before)) offerPlace(draft, 'higher');
}

/**
 * Whether another router is known to have more right to be the Active than a priority gives: one
 * that was heard, or one that the configuration names. It may be lowered itself; then it takes the
 * place, is heard with its low priority, and yields again.
 */
function isBeaten(draft: MachineDraft, priority: number): boolean {
  const { spec, heardPriority } = draft.state;
  return [...(spec.peerPriorities ?? []), heardPriority ?? 0].some((other) => other > priority);
}

function sendNow(draft: MachineDraft): void {
  draft.send(draft.priority);
  draft.arm('advertisement', draft.nowUs + draft.ownIntervalUs);
}
