/**
 * Changes of a running virtual router that do not come from the election: its settings and its
 * demotions. Both are applied without leaving Active.
 */
import { ownerPriority, resignPriority } from '../wire/vrrp.js';
import { demotionsOf } from './machineDemotions.js';
import type { MachineDraft } from './machineDraft.js';
import { offerIfBeaten, tellPriority } from './machineOffer.js';
import { changeInterface, leaveForFault } from './machineTransitions.js';
import type { Demotion, Fault, VirtualAddress, VirtualRouterSpec } from './protocol.js';
import { isSameValue } from './reconfiguration.js';
import { effectivePriority } from './timing.js';
import { routingOf, routingWithout } from './virtualRouting.js';

/**
 * Takes over a new set of demotions.
 *
 * An Active whose priority falls below that of another says so and offers its place to the other.
 * An owner's priority is never moved.
 */
export function applyDemotions(draft: MachineDraft, demotions: readonly Demotion[]): void {
  const before = draft.priority;
  draft.update({ demotions });
  if (draft.state.current === 'backup') draft.armActiveDown();
  if (draft.state.current !== 'active' || draft.priority === ownerPriority) return;
  tellPriority(draft, before);
}

/**
 * Takes over a new set of faults. With the first one the router leaves as if its interface were
 * gone, except that it can still say so; without any it starts anew. An owner does the same.
 */
export function applyFaults(draft: MachineDraft, faults: readonly Fault[], held: boolean): void {
  draft.update({ faults });
  if (!draft.state.started || draft.state.ownAddress === undefined) return;
  if (faults.length > 0) leaveForFault(draft);
  else changeInterface(draft, draft.state.ownAddress, held, 'tracker-recovered');
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
  const [routing, routingBefore] = [routingOf(spec), routingOf(previous)];
  draft.removeAddresses(
    without(previous.addresses, spec.addresses),
    routingWithout(routingBefore, routing),
  );
  draft.send(draft.state.steppingDownUntilUs === undefined ? draft.priority : resignPriority);
  draft.arm('advertisement', draft.nowUs + draft.ownIntervalUs);
  if (draft.state.steppingDownUntilUs === undefined) {
    const demotions = demotionsOf(draft.state, draft.nowUs);
    offerIfBeaten(draft, effectivePriority(previous.priority, demotions));
  }
  draft.addAddresses(added, routingWithout(routing, routingBefore));
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

/** Whether two virtual addresses are the same in the kernel. */
export function isSameAddress(left: VirtualAddress, right: VirtualAddress): boolean {
  return isSameValue(inKernel(left), inKernel(right));
}

function inKernel({ tracked: _tracked, advertised: _advertised, ...rest }: VirtualAddress) {
  return rest;
}
