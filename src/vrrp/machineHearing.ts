/**
 * What a virtual router makes of an advertisement (RFC 9568, 6.4.2 and 6.4.3).
 */
import { compareIpAddresses } from '../wire/ipAddress.js';
import { ownerPriority, resignPriority } from '../wire/vrrp.js';
import type { MachineDraft } from './machineDraft.js';
import type { MachineEvent } from './machineModel.js';
import { becomeBackup } from './machineTransitions.js';
import type { TransitionReason } from './reasons.js';
import { centisecondUs } from './timing.js';

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
 * A second resignation within the same wait does not restart it: an Active that steps down repeats
 * its priority 0, and `tandem release` may follow a polite stop.
 */
function hearResignation(draft: MachineDraft, event: AdvertisementEvent): void {
  if (draft.state.activeResigned) return;
  draft.update({
    activeDownSinceUs: event.receivedUs,
    activeResigned: true,
    lastAcceptedUs: undefined,
    rival: undefined,
  });
  draft.armActiveDown();
}

/** The owner always preempts (RFC 9568, 6.1). */
function preempts(draft: MachineDraft): boolean {
  return draft.priority === ownerPriority || draft.state.spec.preempt.enabled;
}

/** The delay counts from the first lower advertisement; until it ends such ones are accepted. */
function refrainsFromPreempting(draft: MachineDraft, receivedUs: number): boolean {
  const delayUs = draft.state.spec.preempt.delayMs * 1000;
  if (delayUs === 0 || draft.priority === ownerPriority) return false;
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
    lastAcceptedUs: event.receivedUs,
  });
  draft.armActiveDown();
}

function rememberRival(draft: MachineDraft, event: AdvertisementEvent): void {
  draft.update({
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
    assertActive(draft);
    return;
  }
  becomeBackup(draft, reason);
  rememberRival(draft, event);
  acceptActive(draft, event);
}

function yieldReason(
  draft: MachineDraft,
  { source, advertisement }: AdvertisementEvent,
): TransitionReason | undefined {
  const { ownAddress, steppingDownUntilUs } = draft.state;
  if (steppingDownUntilUs !== undefined) return 'operator';
  if (advertisement.priority > draft.priority) return 'higher-priority-heard';
  if (advertisement.priority < draft.priority || ownAddress === undefined) return undefined;
  return compareIpAddresses(source, ownAddress) > 0 ? 'higher-address-heard' : undefined;
}

/**
 * Another Active with less right to be one was heard: a split has healed. It is told at once, and
 * so is the link, whose tables may point at the other.
 */
function assertActive(draft: MachineDraft): void {
  const { lastSentUs, lastAnnouncedUs, spec } = draft.state;
  if (lastSentUs === undefined || draft.nowUs - lastSentUs >= assertionGapUs) {
    draft.send(draft.priority);
  }
  const nextAnnouncementUs = (lastAnnouncedUs ?? 0) + assertionAnnouncementGapUs;
  if (lastAnnouncedUs === undefined || draft.nowUs >= nextAnnouncementUs) {
    draft.announce(spec.addresses, spec.announcements.repeat);
  } else {
    // It takes the place of a later burst: the split may have been what the link needs to hear of.
    draft.arm('delayed-announcement', nextAnnouncementUs);
  }
}
