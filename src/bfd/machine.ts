/**
 * The state machine of one BFD session: RFC 5880, 6.2 and 6.8, asynchronous mode, active role.
 * Pure: time and chance come in as values, and everything that is to be done goes out as actions.
 */
import type { BfdControlPacket } from '../wire/bfd.js';
import { advertisedMinTxUs, SessionDraft, transmitIntervalUs } from './machineDraft.js';
import type { Moment, RemoteEnd, SessionEvent, SessionState, SessionStep } from './machineModel.js';
import type { BfdSessionSpec } from './protocol.js';
import { detectionUs, slowIntervalUs } from './timing.js';

/** The initial values of RFC 5880, 6.8.1. */
const unknownRemote: RemoteEnd = {
  discriminator: 0,
  state: 'down',
  diagnostic: 'none',
  demand: false,
  requiredMinRxUs: 1,
  desiredMinTxUs: 0,
  detectMultiplier: 0,
};

/** After this many detection times of silence the peer may begin another sequence (6.8.1). */
const sequenceMemoryDetections = 2;

/**
 * A session before its startup. The discriminator is not 0 and unique on this node; it and the
 * first sequence number are random, so that they cannot be guessed (RFC 5880, 6.8.1).
 */
export function initialSession(
  spec: BfdSessionSpec,
  chance: { readonly discriminator: number; readonly sequence: number },
): SessionState {
  return {
    spec,
    current: spec.enabled ? 'down' : 'admin-down',
    diagnostic: spec.enabled ? 'none' : 'administratively-down',
    started: false,
    usable: false,
    localDiscriminator: chance.discriminator,
    remote: unknownRemote,
    effectiveMinTxUs: Math.max(spec.desiredMinTxUs, slowIntervalUs),
    effectiveMinRxUs: spec.requiredMinRxUs,
    poll: 'idle',
    lastSentUs: undefined,
    lastHeardUs: undefined,
    sentSequence: chance.sequence,
    heardSequence: undefined,
    timers: {},
    lastGeneration: 0,
  };
}

/** One event, at one moment. The given state is left as it is. */
export function stepSession(state: SessionState, event: SessionEvent, moment: Moment): SessionStep {
  const draft = new SessionDraft(state, moment);
  switch (event.type) {
    case 'startup':
      draft.update({ started: true, usable: event.usable });
      draft.sendPromptly();
      break;
    case 'interface':
      if (state.started && state.usable !== event.usable) changeInterface(draft, event.usable);
      break;
    case 'packet':
      if (state.started) hear(draft, event);
      break;
    case 'timer':
      if (!draft.isCurrent(event.timer, event.generation)) break;
      if (event.timer === 'transmit') transmit(draft, event.dueUs);
      else expire(draft);
      break;
    case 'spec':
      applySpec(draft, event.spec);
      break;
    case 'shutdown':
      if (state.started) shutDown(draft);
      break;
  }
  return draft.finish();
}

/**
 * The last sequence number that counts for a packet received now: it is forgotten after twice the
 * detection time, so that a peer that started anew is heard (RFC 5880, 6.8.1, bfd.AuthSeqKnown).
 */
export function knownSequence(state: SessionState, receivedUs: number): number | undefined {
  const { remote, lastHeardUs, heardSequence, effectiveMinRxUs } = state;
  if (lastHeardUs === undefined) return undefined;
  const { detectMultiplier, desiredMinTxUs } = remote;
  const detection = detectionUs(detectMultiplier, effectiveMinRxUs, desiredMinTxUs);
  const forgottenUs = lastHeardUs + sequenceMemoryDetections * detection;
  return receivedUs < forgottenUs ? heardSequence : undefined;
}

type PacketEvent = Extract<SessionEvent, { type: 'packet' }>;

/** RFC 5880, 6.8.6, from the point where a packet is accepted. */
function hear(draft: SessionDraft, { packet, sequence, receivedUs }: PacketEvent): void {
  const intervalBeforeUs = transmitIntervalUs(draft.state);
  draft.update({
    lastHeardUs: receivedUs,
    heardSequence: sequence,
    remote: {
      discriminator: packet.myDiscriminator,
      state: packet.state,
      diagnostic: packet.diagnostic,
      demand: packet.demand,
      requiredMinRxUs: packet.requiredMinRxUs,
      desiredMinTxUs: packet.desiredMinTxUs,
      detectMultiplier: packet.detectMultiplier,
    },
  });
  if (packet.final) endPoll(draft);
  // In AdminDown the rest of the packet is discarded, and nothing is detected.
  const listens = draft.state.current !== 'admin-down';
  const changed = listens && follow(draft, packet);
  if (listens && packet.poll) draft.send(true);
  if (changed) draft.sendPromptly();
  else if (transmitIntervalUs(draft.state) !== intervalBeforeUs) rescheduleTransmit(draft);
  if (listens) draft.restartDetection();
}

/** The table of RFC 5880, 6.8.6; true when our state has changed. */
function follow(draft: SessionDraft, packet: BfdControlPacket): boolean {
  const { current, diagnostic } = draft.state;
  const lost = packet.state === 'admin-down' || (packet.state === 'down' && current === 'up');
  if (lost) {
    if (current === 'down') return false;
    draft.transition('down', 'neighbour-signalled-down');
    return true;
  }
  if (current === 'down' && packet.state === 'down') {
    // What ended the session before stays visible on both ends until it is up again.
    draft.transition('init', diagnostic);
    return true;
  }
  const rises =
    (current === 'down' && packet.state === 'init') ||
    (current === 'init' && (packet.state === 'init' || packet.state === 'up'));
  if (rises) draft.transition('up', 'none');
  return rises;
}

/** The peer has answered: the intervals that it was told of take effect (RFC 5880, 6.8.3). */
function endPoll(draft: SessionDraft): void {
  const { poll, spec } = draft.state;
  if (poll === 'polling-again') draft.update({ poll: 'polling' });
  if (poll !== 'polling') return;
  draft.update({
    poll: 'idle',
    effectiveMinTxUs: advertisedMinTxUs(draft.state),
    effectiveMinRxUs: spec.requiredMinRxUs,
  });
}

/** Another interval applies from the packet that was sent last: a shorter one at once. */
function rescheduleTransmit(draft: SessionDraft): void {
  draft.scheduleTransmit(draft.state.lastSentUs ?? draft.nowUs);
}

/** Keeps the rhythm of the deadlines; after a stall it begins a new one instead of catching up. */
function transmit(draft: SessionDraft, dueUs: number): void {
  const intervalUs = transmitIntervalUs(draft.state) ?? 0;
  draft.send();
  const isLate = draft.nowUs - dueUs > intervalUs / 4;
  draft.scheduleTransmit(isLate ? draft.nowUs : dueUs);
}

/** The detection time has passed without a packet (RFC 5880, 6.8.4). */
function expire(draft: SessionDraft): void {
  draft.cancel('detection');
  draft.updateRemote({ discriminator: 0 });
  const { current } = draft.state;
  if (current !== 'init' && current !== 'up') return;
  draft.transition('down', 'detection-time-expired');
  draft.sendPromptly();
}

/** Without its interface a session is down for a reason that is ours, not the peer's silence. */
function changeInterface(draft: SessionDraft, usable: boolean): void {
  draft.update({ usable });
  if (usable) {
    draft.sendPromptly();
    return;
  }
  draft.cancel('transmit', 'detection');
  draft.updateRemote({ discriminator: 0 });
  const { current } = draft.state;
  if (current === 'init' || current === 'up') draft.transition('down', 'path-down');
}

/** Takes over new settings of the same session, live (RFC 5880, 6.8.3). */
function applySpec(draft: SessionDraft, spec: BfdSessionSpec): void {
  const before = draft.state;
  draft.update({ spec });
  if (!before.started) return;
  if (spec.enabled !== before.spec.enabled) {
    draft.cancel('detection');
    if (spec.enabled) draft.transition('down', 'none');
    else draft.transition('admin-down', 'administratively-down');
  } else {
    applyIntervals(draft, before);
  }
  draft.sendPromptly();
  if (draft.state.current !== 'admin-down') draft.restartDetection();
}

function applyIntervals(draft: SessionDraft, before: SessionState): void {
  const { spec, current } = draft.state;
  const minTxUs = advertisedMinTxUs(draft.state);
  const changed =
    minTxUs !== advertisedMinTxUs(before) || spec.requiredMinRxUs !== before.spec.requiredMinRxUs;
  if (!changed) return;
  if (current !== 'up') {
    draft.update({ effectiveMinTxUs: minTxUs, effectiveMinRxUs: spec.requiredMinRxUs });
    return;
  }
  draft.update({
    effectiveMinTxUs: Math.min(minTxUs, before.effectiveMinTxUs),
    effectiveMinRxUs: Math.max(spec.requiredMinRxUs, before.effectiveMinRxUs),
  });
  draft.beginPoll();
}

/** AdminDown tells the peer that this is no failure (RFC 5880, 6.8.16). */
function shutDown(draft: SessionDraft): void {
  if (draft.state.current !== 'admin-down') {
    draft.transition('admin-down', 'administratively-down');
  }
  draft.send();
  draft.cancel('transmit', 'detection');
  draft.update({ started: false });
}
