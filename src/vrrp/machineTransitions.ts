/**
 * How a virtual router enters and leaves its states (RFC 9568, 6.4), for whatever reason.
 */
import { ownerPriority, resignPriority } from '../wire/vrrp.js';
import type { MachineDraft } from './machineDraft.js';
import type { MachineState } from './machineModel.js';
import type { TransitionReason } from './reasons.js';
import { routingOf } from './virtualRouting.js';

/** Startup, interface lost or back, another source address, faults gone: one rule for all. */
export function changeInterface(
  draft: MachineDraft,
  address: MachineState['ownAddress'],
  held: boolean,
  reason: 'startup' | 'interface-up' | 'tracker-recovered',
): void {
  draft.update({ ownAddress: address });
  if (address === undefined) {
    leave(draft, 'interface-down');
  } else if (draft.state.faults.length > 0) {
    draft.update({ reason: 'tracker-failed' });
  } else if (draft.state.current === 'initialize') {
    draft.update({ activeAdvertIntervalUs: draft.ownIntervalUs });
    const isDelayed = draft.nowUs < (draft.state.startupUntilUs ?? 0);
    if (draft.state.spec.priority === ownerPriority && !held && !isDelayed) {
      becomeActive(draft, reason === 'startup' ? 'startup-owner' : reason);
    } else {
      becomeBackup(draft, reason);
    }
  }
}

/** Leaves because of a fault: priority 0 first, while the addresses still answer. */
export function leaveForFault(draft: MachineDraft): void {
  if (draft.state.current === 'active') draft.send(resignPriority);
  leave(draft, 'tracker-failed');
}

/** Leaves for good because the one that takes over was heard, so that there is nothing to say. */
export function giveWay(draft: MachineDraft): void {
  draft.update({ started: false });
  leave(draft, 'shutdown');
}

/** Nothing can be sent on an interface that is lost, so the peers find out by their own timers. */
function leave(
  draft: MachineDraft,
  reason: 'interface-down' | 'tracker-failed' | 'shutdown',
): void {
  if (draft.state.current === 'initialize') {
    draft.update({ reason });
    return;
  }
  cancelAllTimers(draft);
  if (draft.state.current === 'active') removeEverything(draft);
  draft.update({
    rival: undefined,
    lateness: { ...draft.state.lateness, listeningUntilUs: undefined },
  });
  draft.transition('initialize', reason);
}

/** Leaves for good: priority 0 first, while the addresses still answer, then the addresses. */
export function shutDown(draft: MachineDraft, reason: TransitionReason): void {
  draft.update({ started: false });
  if (draft.state.current === 'initialize') return;
  cancelAllTimers(draft);
  if (draft.state.current === 'active') {
    draft.send(resignPriority);
    removeEverything(draft);
  }
  draft.transition('initialize', reason);
}

/** Whatever moves with the Active. */
function removeEverything(draft: MachineDraft): void {
  const { spec } = draft.state;
  draft.removeAddresses(spec.addresses, routingOf(spec));
}

function cancelAllTimers(draft: MachineDraft): void {
  draft.cancel('active-down', 'advertisement', 'delayed-announcement', 'announcement-refresh');
}

/** Takes over: advertisement, addresses, announcements, in this order. */
export function becomeActive(draft: MachineDraft, reason: TransitionReason): void {
  const { spec } = draft.state;
  draft.cancel('active-down');
  draft.update({
    activeResigned: false,
    activeUnreachable: false,
    lastAcceptedUs: undefined,
    preemptNotBeforeUs: undefined,
    steppingDownUntilUs: undefined,
    ownerContest: undefined,
    rival: undefined,
  });
  draft.send(draft.priority);
  draft.addAddresses(spec.addresses, routingOf(spec));
  draft.announce(spec.addresses, spec.announcements.repeat);
  draft.arm('advertisement', draft.nowUs + draft.ownIntervalUs);
  const { delayMs, refreshMs } = spec.announcements;
  if (delayMs > 0) draft.arm('delayed-announcement', draft.nowUs + delayMs * 1000);
  if (refreshMs > 0) draft.arm('announcement-refresh', draft.nowUs + refreshMs * 1000);
  draft.transition('active', reason);
}

/**
 * Enters Backup and counts from now. From Initialize the addresses are taken off as well: those
 * that a crashed agent left behind must not be on two routers.
 */
export function becomeBackup(draft: MachineDraft, reason: TransitionReason): void {
  cancelAllTimers(draft);
  removeEverything(draft);
  draft.update({
    steppingDownUntilUs: undefined,
    lateness: { ...draft.state.lateness, listeningUntilUs: undefined },
  });
  restartBackup(draft);
  draft.transition('backup', reason);
}

/** Counts anew, as a Backup that has not heard anybody. */
export function restartBackup(draft: MachineDraft): void {
  draft.update({
    activeDownSinceUs: draft.nowUs,
    activeResigned: false,
    activeUnreachable: false,
    lastAcceptedUs: undefined,
    preemptNotBeforeUs: undefined,
  });
  draft.armActiveDown();
}
