/**
 * Changes of a running virtual router that do not come from the election: its settings and its
 * demotions. Both are applied without leaving Active.
 */
import { ownerPriority, resignPriority } from '../wire/vrrp.js';
import type { MachineDraft } from './machineDraft.js';
import type { Demotion, VirtualAddress, VirtualRouterSpec } from './protocol.js';
import { activeDownUs } from './timing.js';

/**
 * Takes over a new set of demotions.
 *
 * An Active whose operator wants it to step down does not just leave: it offers its place with
 * priority 0 and keeps the addresses until the one that takes it is heard, so that they are never
 * without a holder. When nobody takes it within an Active_Down_Interval, it goes on. An owner's
 * priority is never moved, so an owner does not step down either.
 */
export function applyDemotions(draft: MachineDraft, demotions: readonly Demotion[]): void {
  const asked = (list: readonly Demotion[]) =>
    list.some(({ reason }) => reason === 'operator-step-down');
  const newlyAsked = asked(demotions) && !asked(draft.state.demotions);
  draft.update({ demotions });
  if (draft.state.current === 'backup') draft.armActiveDown();
  if (draft.state.current !== 'active' || draft.priority === ownerPriority) return;
  if (newlyAsked) {
    const offerUs = activeDownUs(draft.priority, draft.ownIntervalUs);
    draft.update({ steppingDownUntilUs: draft.nowUs + offerUs });
    draft.send(resignPriority);
    draft.arm('advertisement', draft.nowUs + draft.ownIntervalUs);
  } else if (!asked(demotions)) {
    draft.update({ steppingDownUntilUs: undefined });
  }
}

/** Takes over new settings of the same virtual router, live. */
export function applySpec(draft: MachineDraft, spec: VirtualRouterSpec): void {
  const previous = draft.state.spec;
  draft.update({ spec });
  if (draft.state.current === 'active') applyAsActive(draft, previous);
  else if (draft.state.current === 'backup') applyAsBackup(draft, previous);
}

/** The Backups learn the new interval and priority from the advertisement that goes out at once. */
function applyAsActive(draft: MachineDraft, previous: VirtualRouterSpec): void {
  const { spec } = draft.state;
  const added = without(spec.addresses, previous.addresses);
  draft.removeAddresses(without(previous.addresses, spec.addresses));
  draft.send(draft.state.steppingDownUntilUs === undefined ? draft.priority : resignPriority);
  draft.arm('advertisement', draft.nowUs + draft.ownIntervalUs);
  draft.addAddresses(added);
  if (added.length > 0) draft.announce(added, spec.announcements.repeat);
  if (spec.announcements.refreshMs !== previous.announcements.refreshMs) {
    draft.cancel('announcement-refresh');
    const { refreshMs } = spec.announcements;
    if (refreshMs > 0) draft.arm('announcement-refresh', draft.nowUs + refreshMs * 1000);
  }
}

function applyAsBackup(draft: MachineDraft, previous: VirtualRouterSpec): void {
  const { spec, lastAcceptedUs } = draft.state;
  if (spec.preempt.delayMs !== previous.preempt.delayMs) {
    draft.update({ preemptNotBeforeUs: undefined });
  }
  // Until an Active is heard, the interval waited for is our own.
  if (lastAcceptedUs === undefined && spec.advertIntervalCs !== previous.advertIntervalCs) {
    draft.update({ activeAdvertIntervalUs: draft.ownIntervalUs });
  }
  draft.armActiveDown();
}

/** The addresses of one list that are not in another; an address elsewhere is another address. */
function without(
  addresses: readonly VirtualAddress[],
  others: readonly VirtualAddress[],
): readonly VirtualAddress[] {
  return addresses.filter((address) => !others.some((other) => isSameAddress(address, other)));
}

/** Whether two virtual addresses are the same address, prefix and interface. */
export function isSameAddress(left: VirtualAddress, right: VirtualAddress): boolean {
  return (
    left.interface === right.interface &&
    left.prefix.address === right.prefix.address &&
    left.prefix.length === right.prefix.length
  );
}
