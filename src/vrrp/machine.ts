/**
 * The state machine of one virtual router: RFC 9568, 6.4, with errata 8298 to 8301, version 3 over
 * IPv4. Pure: time comes in as a value, and everything that is to be done goes out as actions.
 *
 * Where it goes beyond the RFC it says so. The order of the actions is part of the contract: the
 * advertisement first, so that the previous Active lets go of the addresses, then the addresses,
 * then the announcements that tell the link where they are.
 */
import { ownerPriority, resignPriority } from '../wire/vrrp.js';
import { MachineDraft } from './machineDraft.js';
import { hearAsActive, hearAsBackup, losePeer } from './machineHearing.js';
import { applyHolds } from './machineHolds.js';
import { listensFirst, mayAnnounce, waitsOnceMore } from './machineLateness.js';
import { isFarewellOver, leaveForGood } from './machineLeave.js';
import type { MachineEvent, MachineState, MachineStep, TimerName } from './machineModel.js';
import { applyDemotions, applyFaults, applySpec } from './machineSettings.js';
import { endOffer, stepDown } from './machineStepDown.js';
import {
  becomeActive,
  becomeBackup,
  changeInterface,
  restartBackup,
  shutDown,
} from './machineTransitions.js';
import type { Demotion, VirtualRouterSpec } from './protocol.js';
import type { TransitionReason } from './reasons.js';
import { centisecondUs, skewUs } from './timing.js';

/** A virtual router before its startup. */
export function initialMachine(
  spec: VirtualRouterSpec,
  demotions: readonly Demotion[] = [],
): MachineState {
  return {
    spec,
    demotions,
    faults: [],
    current: 'initialize',
    reason: 'startup',
    started: false,
    ownAddress: undefined,
    activeAdvertIntervalUs: spec.advertIntervalCs * centisecondUs,
    activeDownSinceUs: 0,
    activeResigned: false,
    activeUnreachable: false,
    lastAcceptedUs: undefined,
    preemptNotBeforeUs: undefined,
    startupUntilUs: undefined,
    holds: [],
    stepDown: undefined,
    ownerContest: undefined,
    lateness: {
      count: 0,
      lastUs: undefined,
      listeningUntilUs: undefined,
      demotedUntilUs: undefined,
    },
    steppingDownUntilUs: undefined,
    leaving: false,
    placeOfferedTo: 'anyone',
    heardPriority: undefined,
    rival: undefined,
    lastSentUs: undefined,
    lastAnnouncedUs: undefined,
    latenessMaxUs: 0,
    timers: {},
    lastGeneration: 0,
  };
}

/** One event, at one time. The given state is left as it is. */
export function step(state: MachineState, event: MachineEvent, nowUs: number): MachineStep {
  const draft = new MachineDraft(state, nowUs);
  switch (event.type) {
    case 'startup':
      draft.update({ started: true });
      delayStartup(draft);
      changeInterface(draft, event.address, event.held, 'startup');
      break;
    case 'interface':
      if (state.started) changeInterface(draft, event.address, event.held, 'interface-up');
      break;
    case 'shutdown':
      shutDown(draft, event.reason);
      break;
    case 'leave':
      leaveForGood(draft);
      break;
    case 'advertisement':
      if (state.current === 'backup') hearAsBackup(draft, event);
      else if (state.current === 'active') hearAsActive(draft, event);
      break;
    case 'timer':
      if (draft.isCurrent(event.timer, event.generation)) runTimer(draft, event);
      break;
    case 'promotion-held':
      if (draft.isCurrent('active-down', event.generation)) waitForGroup(draft);
      break;
    case 'group-promoted':
      if (state.current === 'backup') becomeActive(draft, 'sync-group');
      break;
    case 'group-yielded':
      // The others of the link hear at once that this one leaves too.
      if (state.current === 'active' && state.leaving) {
        shutDown(draft, 'shutdown');
      } else if (state.current === 'active') {
        draft.send(resignPriority);
        becomeBackup(draft, 'sync-group');
      }
      break;
    case 'group-released':
      if (state.current === 'backup') restartBackup(draft);
      break;
    case 'peer-unreachable':
      if (state.current === 'backup') losePeer(draft, event.peer);
      break;
    case 'demotions':
      applyDemotions(draft, event.demotions);
      break;
    case 'faults':
      applyFaults(draft, event.faults, event.held);
      break;
    case 'holds':
      applyHolds(draft, event.holds);
      break;
    case 'step-down':
      stepDown(draft, event.untilUs, event.force);
      break;
    case 'spec':
      applySpec(draft, event.spec);
      break;
  }
  return draft.finish();
}

type TimerEvent = Extract<MachineEvent, { type: 'timer' }>;

function runTimer(draft: MachineDraft, event: TimerEvent): void {
  const { spec } = draft.state;
  switch (event.timer) {
    case 'active-down':
      if (!waitsOnceMore(draft, event.dueUs)) becomeActive(draft, promotionReason(draft.state));
      return;
    case 'advertisement':
      sendDueAdvertisement(draft, event.dueUs);
      return;
    case 'delayed-announcement':
      if (postponesAnnouncement(draft, event.timer)) return;
      draft.cancel('delayed-announcement');
      draft.announce(spec.addresses, spec.announcements.repeat);
      return;
    case 'announcement-refresh':
      if (postponesAnnouncement(draft, event.timer)) return;
      draft.announce(spec.addresses, 1);
      draft.arm('announcement-refresh', draft.nowUs + spec.announcements.refreshMs * 1000);
      return;
  }
}

/**
 * The reason to wait is asked again after one interval, for as long as there is one. Before that,
 * whoever would have taken over at once asks after Skew_Time, as others do: by then the other
 * members have heard the resignation too, and most likely have brought this one with them.
 */
function waitForGroup(draft: MachineDraft): void {
  const { activeAdvertIntervalUs, activeDownSinceUs, activeResigned } = draft.state;
  const skew = skewUs(draft.priority, activeAdvertIntervalUs, draft.version);
  const skewedUs = activeResigned ? activeDownSinceUs + skew : 0;
  const isSkewAhead = skewedUs > draft.nowUs;
  draft.arm('active-down', isSkewAhead ? skewedUs : draft.nowUs + activeAdvertIntervalUs);
}

/** The delay of the startup counts once: an interface that comes back later does not wait. */
function delayStartup(draft: MachineDraft): void {
  const delayMs = draft.state.spec.startupDelayMs ?? 0;
  if (delayMs > 0) draft.update({ startupUntilUs: draft.nowUs + delayMs * 1000 });
}

function promotionReason(state: MachineState): TransitionReason {
  const { spec, reason, activeResigned, activeUnreachable } = state;
  if (activeResigned) return 'active-resigned';
  if (activeUnreachable) return 'active-unreachable-bfd';
  const isOwnerAtStart = spec.priority === ownerPriority && reason === 'startup';
  return isOwnerAtStart ? 'startup-owner' : 'active-down-timer';
}

function postponesAnnouncement(draft: MachineDraft, timer: TimerName): boolean {
  if (mayAnnounce(draft)) return false;
  draft.arm(timer, draft.nowUs + draft.ownIntervalUs);
  return true;
}

/** Keeps the rhythm of the deadlines, so that lateness does not add up. */
function sendDueAdvertisement(draft: MachineDraft, dueUs: number): void {
  const { latenessMaxUs, steppingDownUntilUs, lateness, lastSentUs, spec } = draft.state;
  draft.update({ latenessMaxUs: Math.max(latenessMaxUs, draft.nowUs - dueUs) });
  if (isFarewellOver(draft)) {
    shutDown(draft, 'shutdown');
    return;
  }
  if (steppingDownUntilUs !== undefined && draft.nowUs >= steppingDownUntilUs) endOffer(draft);
  if (listensFirst(draft, dueUs)) return;
  const offered = draft.state.steppingDownUntilUs !== undefined;
  // What was heard in this turn may have been answered; a second advertisement says nothing more.
  if (lastSentUs !== draft.nowUs) draft.send(offered ? resignPriority : draft.priority, dueUs);
  // Nobody spoke up, but somebody may have held the addresses meanwhile.
  if (lateness.listeningUntilUs !== undefined) {
    draft.announce(spec.addresses, spec.announcements.repeat);
  }
  const inRhythmUs = dueUs + draft.ownIntervalUs;
  const nextUs = inRhythmUs > draft.nowUs ? inRhythmUs : draft.nowUs + draft.ownIntervalUs;
  const endUs = draft.state.leaving ? draft.state.steppingDownUntilUs : undefined;
  draft.arm('advertisement', Math.min(nextUs, endUs ?? nextUs));
}
