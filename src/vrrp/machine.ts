/**
 * The state machine of one virtual router: RFC 9568, 6.4, with errata 8298 to 8301, version 3 over
 * IPv4. Pure: time comes in as a value, and everything that is to be done goes out as actions.
 *
 * Where it goes beyond the RFC it says so. The order of the actions is part of the contract: the
 * advertisement first, so that the previous Active lets go of the addresses, then the addresses,
 * then the announcements that tell the link where they are.
 */
import { resignPriority } from '../wire/vrrp.js';
import { MachineDraft } from './machineDraft.js';
import { hearAsActive, hearAsBackup } from './machineHearing.js';
import type { MachineEvent, MachineState, MachineStep } from './machineModel.js';
import { applyDemotions, applySpec } from './machineSettings.js';
import {
  becomeActive,
  becomeBackup,
  changeInterface,
  restartBackup,
  shutDown,
} from './machineTransitions.js';
import type { Demotion, VirtualRouterSpec } from './protocol.js';
import { centisecondUs } from './timing.js';

/** A virtual router before its startup. */
export function initialMachine(
  spec: VirtualRouterSpec,
  demotions: readonly Demotion[] = [],
): MachineState {
  return {
    spec,
    demotions,
    current: 'initialize',
    reason: 'startup',
    started: false,
    ownAddress: undefined,
    activeAdvertIntervalUs: spec.advertIntervalCs * centisecondUs,
    activeDownSinceUs: 0,
    activeResigned: false,
    lastAcceptedUs: undefined,
    preemptNotBeforeUs: undefined,
    steppingDownUntilUs: undefined,
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
      changeInterface(draft, event.address, event.held, 'startup');
      break;
    case 'interface':
      if (state.started) changeInterface(draft, event.address, event.held, 'interface-up');
      break;
    case 'shutdown':
      shutDown(draft, event.reason);
      break;
    case 'advertisement':
      if (state.current === 'backup') hearAsBackup(draft, event);
      else if (state.current === 'active') hearAsActive(draft, event);
      break;
    case 'timer':
      if (draft.isCurrent(event.timer, event.generation)) runTimer(draft, event);
      break;
    case 'promotion-held':
      // The reason to wait is asked again after one interval, for as long as there is one.
      if (draft.isCurrent('active-down', event.generation)) {
        draft.arm('active-down', nowUs + state.activeAdvertIntervalUs);
      }
      break;
    case 'group-promoted':
      if (state.current === 'backup') becomeActive(draft, 'sync-group');
      break;
    case 'group-yielded':
      // The others of the link hear at once that this one leaves too.
      if (state.current === 'active') {
        draft.send(resignPriority);
        becomeBackup(draft, 'sync-group');
      }
      break;
    case 'group-released':
      if (state.current === 'backup') restartBackup(draft);
      break;
    case 'demotions':
      applyDemotions(draft, event.demotions);
      break;
    case 'spec':
      applySpec(draft, event.spec);
      break;
  }
  return draft.finish();
}

type TimerEvent = Extract<MachineEvent, { type: 'timer' }>;

function runTimer(draft: MachineDraft, event: TimerEvent): void {
  const { spec, activeResigned } = draft.state;
  switch (event.timer) {
    case 'active-down':
      becomeActive(draft, activeResigned ? 'active-resigned' : 'active-down-timer');
      return;
    case 'advertisement':
      sendDueAdvertisement(draft, event.dueUs);
      return;
    case 'delayed-announcement':
      draft.cancel('delayed-announcement');
      draft.announce(spec.addresses, spec.announcements.repeat);
      return;
    case 'announcement-refresh':
      draft.announce(spec.addresses, 1);
      draft.arm('announcement-refresh', draft.nowUs + spec.announcements.refreshMs * 1000);
      return;
  }
}

/** Keeps the rhythm of the deadlines, so that lateness does not add up. */
function sendDueAdvertisement(draft: MachineDraft, dueUs: number): void {
  const { latenessMaxUs, steppingDownUntilUs } = draft.state;
  draft.update({ latenessMaxUs: Math.max(latenessMaxUs, draft.nowUs - dueUs) });
  // Nobody took the place that was offered, so the service goes on here, at the lowered priority.
  if (steppingDownUntilUs !== undefined && draft.nowUs >= steppingDownUntilUs) {
    draft.update({ steppingDownUntilUs: undefined });
  }
  const offered = draft.state.steppingDownUntilUs !== undefined;
  draft.send(offered ? resignPriority : draft.priority);
  const nextUs = dueUs + draft.ownIntervalUs;
  draft.arm('advertisement', nextUs > draft.nowUs ? nextUs : draft.nowUs + draft.ownIntervalUs);
}
