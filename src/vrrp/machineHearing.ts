/**
 * What a virtual router makes of an advertisement (RFC 9568, 6.4.2 and 6.4.3).
 */
import { compareIpAddresses, type IpAddress } from '../wire/ipAddress.js';
import { ownerPriority, resignPriority } from '../wire/vrrp.js';
import type { MachineDraft } from './machineDraft.js';
import { isHeld } from './machineHolds.js';
import { mayBeDeposed, takesOverAtOnce } from './machineLateness.js';
import type { MachineEvent } from './machineModel.js';
import { becomeBackup, giveWay } from './machineTransitions.js';
import type { TransitionReason } from './reasons.js';
import { activeDownUs, centisecondUs, skewUs } from './timing.js';

/**
 * An Active that hears lower advertisements answers at most this often. RFC 9568 asks for an answer
 * to each; a queue of them, read after a stall, or a flood, needs only one.
 */
export const assertionGapUs = 10_000;

/** An Active that hears lower advertisements repeats its announcements at most this often. */
export const assertionAnnouncementGapUs = 1_000_000;

type AdvertisementEvent = Extract<MachineEvent, { type: 'advertisement' }>;

/** RFC 9568, 6.4.2: an equal priority always counts as the Active, whatever the addresses. */
export function hearAsBackup(draft: MachineDraft, event: AdvertisementEvent): void {
  const { priority } = event.advertisement;
  if (priority === resignPriority) {
    hearResignation(draft, event);
    return;
  }
  rememberRival(draft, event);
  if (priority >= draft.priority || !preempts(draft)) {
    draft.update({ preemptNotBeforeUs: undefined });
    acceptActive(draft, event);
  } else if (refrainsFromPreempting(draft, event.receivedUs)) {
    acceptActive(draft, event);
  }
}

/**
 * The wait that follows is Skew_Time, or none where there is no other Backup. A second resignation
 * within it does not restart it: an Active that steps down repeats its priority 0, and `tandem
 * release` may follow a polite stop.
 */
function hearResignation(draft: MachineDraft, event: AdvertisementEvent): void {
  const { activeResigned, activeUnreachable } = draft.state;
  if (activeResigned || activeUnreachable) return;
  draft.update({
    activeDownSinceUs: event.receivedUs,
    activeResigned: true,
    lastAcceptedUs: undefined,
    rival: undefined,
  });
  draft.armActiveDown();
}

/**
 * The peer cannot be reached by BFD any more. When it is the Active, that counts as a priority 0
 * does: Skew_Time is waited from now, and an advertisement that still comes ends that. A second BFD
 * failure within the wait, or one after a resignation, does not restart it.
 */
export function losePeer(draft: MachineDraft, peer: IpAddress): void {
  const { rival, activeResigned, activeUnreachable, lastAcceptedUs } = draft.state;
  if (rival?.address !== peer || lastAcceptedUs === undefined) return;
  if (activeResigned || activeUnreachable) return;
  const { priority, version } = draft;
  const { activeDownSinceUs, activeAdvertIntervalUs } = draft.state;
  const skew = skewUs(priority, activeAdvertIntervalUs, version);
  const down = activeDownUs(priority, activeAdvertIntervalUs, version);
  if (activeDownSinceUs + down <= draft.nowUs + skew) return;
  draft.update({
    activeDownSinceUs: draft.nowUs,
    activeUnreachable: true,
    lastAcceptedUs: undefined,
  });
  draft.armActiveDown();
}

/** The owner always preempts (RFC 9568, 6.1). */
function preempts(draft: MachineDraft): boolean {
  return draft.priority === ownerPriority || draft.state.spec.preempt.enabled;
}

/** The delay counts from the first lower advertisement; until it ends such ones are accepted. */
function refrainsFromPreempting(draft: MachineDraft, receivedUs: number): boolean {
  if (draft.priority === ownerPriority) return false;
  // The delay counts from when this node is ready.
  if (isHeld(draft.state, draft.nowUs)) {
    draft.update({ preemptNotBeforeUs: undefined });
    return true;
  }
  const delayUs = draft.state.spec.preempt.delayMs * 1000;
  if (delayUs === 0) return false;
  const notBeforeUs = draft.state.preemptNotBeforeUs ?? receivedUs + delayUs;
  draft.update({ preemptNotBeforeUs: notBeforeUs });
  return receivedUs < notBeforeUs;
}

/** Learns the Active's interval and waits for it from the time at which it was received. */
function acceptActive(draft: MachineDraft, event: AdvertisementEvent): void {
  draft.update({
    activeAdvertIntervalUs: event.advertisement.advertIntervalCs * centisecondUs,
    activeDownSinceUs: event.receivedUs,
    activeResigned: false,
    activeUnreachable: false,
    lastAcceptedUs: event.receivedUs,
  });
  draft.armActiveDown();
}

function rememberRival(draft: MachineDraft, event: AdvertisementEvent): void {
  draft.update({
    heardPriority: event.advertisement.priority,
    rival: {
      address: event.source,
      priority: event.advertisement.priority,
      lastHeardUs: event.receivedUs,
    },
  });
}

/** RFC 9568, 6.4.3. Preempt_Mode is not consulted here; erratum 8298 lets an owner yield too. */
export function hearAsActive(draft: MachineDraft, event: AdvertisementEvent): void {
  const { priority } = event.advertisement;
  if (priority === resignPriority) {
    if (draft.state.steppingDownUntilUs !== undefined) return;
    draft.send(draft.priority);
    draft.arm('advertisement', draft.nowUs + draft.ownIntervalUs);
    return;
  }
  const reason = yieldReason(draft, event);
  if (reason === undefined) {
    // Whoever took the place that was offered is lower still: there is nobody to leave it to.
    const isOfferEnded = draft.state.steppingDownUntilUs !== undefined;
    draft.update({ heardPriority: priority, steppingDownUntilUs: undefined });
    assertActive(draft, isOfferEnded);
    return;
  }
  if (draft.state.leaving) {
    giveWay(draft);
    return;
  }
  becomeBackup(draft, reason);
  rememberRival(draft, event);
  acceptActive(draft, event);
}

function yieldReason(draft: MachineDraft, event: AdvertisementEvent): TransitionReason | undefined {
  const { source, advertisement } = event;
  const { ownAddress, steppingDownUntilUs, placeOfferedTo } = draft.state;
  const isLate = mayBeDeposed(draft);
  if (steppingDownUntilUs !== undefined && placeOfferedTo === 'anyone') return 'operator';
  if (advertisement.priority > draft.priority) return 'higher-priority-heard';
  if (advertisement.priority < draft.priority) {
    return isLate && !takesOverAtOnce(draft) ? 'own-loop-late' : undefined;
  }
  if (ownAddress === undefined) return undefined;
  if (compareIpAddresses(source, ownAddress) > 0) return 'higher-address-heard';
  if (draft.priority === ownerPriority) return ownerYieldReason(draft, event);
  // A Backup would not take over from an equal, whatever the addresses.
  return isLate ? 'own-loop-late' : undefined;
}

/**
 * Of two owners the one with the lower address yields. One of another make may not; then the higher
 * one asserts itself for two intervals, gives the other the time to hear that, and yields itself:
 * any one Active is better than two. It is the Active again when the other has gone.
 */
function ownerYieldReason(
  draft: MachineDraft,
  { advertisement }: AdvertisementEvent,
): TransitionReason | undefined {
  const { nowUs, ownIntervalUs } = draft;
  const slowerUs = Math.max(ownIntervalUs, advertisement.advertIntervalCs * centisecondUs);
  const contestUs = 2 * ownIntervalUs + Math.floor(1.2 * slowerUs);
  const earlier = draft.state.ownerContest;
  const goesOn = earlier !== undefined && nowUs - earlier.lastUs <= contestUs;
  const sinceUs = goesOn ? earlier.sinceUs : nowUs;
  draft.update({ ownerContest: { sinceUs, lastUs: nowUs } });
  return nowUs - sinceUs > contestUs ? 'second-owner-heard' : undefined;
}

/**
 * Another Active with less right to be one was heard: a split has healed. It is told at once, and
 * so is the link, whose tables may point at the other. What was sent last is an answer already,
 * unless it was the priority 0 of an offer that has just ended.
 */
function assertActive(draft: MachineDraft, isOfferEnded: boolean): void {
  const { lastSentUs, lastAnnouncedUs, spec } = draft.state;
  const isAnswered = lastSentUs !== undefined && draft.nowUs - lastSentUs < assertionGapUs;
  if (isOfferEnded || !isAnswered) {
    draft.send(draft.priority);
  }
  const nextAnnouncementUs = (lastAnnouncedUs ?? 0) + assertionAnnouncementGapUs;
  if (lastAnnouncedUs === undefined || draft.nowUs >= nextAnnouncementUs) {
    draft.announce(spec.addresses, spec.announcements.repeat);
    // The other announces after its advertisement, and its burst may be on its way still.
    draft.arm('delayed-announcement', draft.nowUs + assertionAnnouncementGapUs);
  } else {
    // It takes the place of a later burst: the split may have been what the link needs to hear of.
    draft.arm('delayed-announcement', nextAnnouncementUs);
  }
}
