/**
 * One connection to the peer as a pure machine: introduction on both sides, then heartbeats. Time
 * comes in as a value; what is to be done goes out as actions.
 *
 *     greeting ── hello accepted and welcome heard ──▶ open ──▶ closed
 *        └── refused by either side, or not over in time ───────▶
 */
import type { PeerHello, PeerMessage, PeerMessageOf } from '../wire/peerMessage.js';
import { judgeHello } from './introduction.js';
import type { PeerRefusalReason } from './reasons.js';
import { type PeerDisconnectReason, type PeerRefuser, peerRefusalReasons } from './reasons.js';

/** How often each side sends a heartbeat, in milliseconds. */
export const heartbeatIntervalMs = 500;

/** A peer that was not heard for so long is held to be gone, in milliseconds. */
export const heartbeatTimeoutMs = 3_000;

/** How long the introduction may take, in milliseconds. */
export const introductionTimeoutMs = 5_000;

/** Heartbeats whose answer is awaited at most; more are not remembered, and so not measured. */
export const awaitedAnswersMax = 8;

const sequenceLimit = 0x1_0000_0000;

/** Everything that is known of one connection. Times are of one monotonic clock. */
export interface SessionState {
  readonly own: PeerHello;
  /** The name that the peer must have. */
  readonly peer: string;
  readonly phase: 'greeting' | 'open' | 'closed';
  /** The peer's hello, once it was accepted. */
  readonly hello: PeerHello | undefined;
  readonly openedMs: number;
  readonly lastHeardMs: number;
  readonly nextHeartbeatMs: number;
  readonly nextSequence: number;
  /** Heartbeats that were not answered yet, oldest first. */
  readonly awaited: readonly { readonly sequence: number; readonly sentMs: number }[];
  /** Time from the last answered heartbeat to its answer; null before the first answer. */
  readonly lagMs: number | null;
  /** What the peer said of the age of its own state, and when it said so. */
  readonly stateAge: { readonly ageMs: number; readonly heardMs: number } | undefined;
}

/** What happens to a connection. */
export type SessionEvent =
  /** Bytes came in, with the messages that they completed, perhaps none. */
  | { readonly type: 'received'; readonly messages: readonly PeerMessage[] }
  /** Time passed. `stateAgeMs`: how long our own main thread has told nothing of the election. */
  | { readonly type: 'tick'; readonly stateAgeMs: number };

/** The messages that are not about the connection itself. */
export type PeerContent =
  | PeerMessageOf<'vrrpState'>
  | PeerMessageOf<'configDigest'>
  | PeerMessageOf<'overrides'>;

/** What is to be done, in the order of the list. */
export type SessionAction =
  | { readonly type: 'send'; readonly message: PeerMessage }
  | { readonly type: 'opened'; readonly hello: PeerHello }
  | { readonly type: 'deliver'; readonly message: PeerContent }
  | {
      readonly type: 'refused';
      readonly by: PeerRefuser;
      readonly reason: PeerRefusalReason;
      readonly detail: string;
    }
  | { readonly type: 'close'; readonly reason: PeerDisconnectReason };

/** The machine after an event, and what is to be done. */
export interface SessionStep {
  readonly state: SessionState;
  readonly actions: readonly SessionAction[];
}

/** A connection whose TLS handshake has just succeeded: both sides say hello at once. */
export function openSession(own: PeerHello, peer: string, nowMs: number): SessionStep {
  return {
    state: {
      own,
      peer,
      phase: 'greeting',
      hello: undefined,
      openedMs: nowMs,
      lastHeardMs: nowMs,
      nextHeartbeatMs: nowMs,
      nextSequence: 1,
      awaited: [],
      lagMs: null,
      stateAge: undefined,
    },
    actions: [{ type: 'send', message: { type: 'hello', ...own } }],
  };
}

/** One event, at one time. The given state is left as it is. */
export function stepSession(state: SessionState, event: SessionEvent, nowMs: number): SessionStep {
  if (state.phase === 'closed') return { state, actions: [] };
  if (event.type === 'tick') return tick(state, event.stateAgeMs, nowMs);
  let current: SessionState = { ...state, lastHeardMs: nowMs };
  const actions: SessionAction[] = [];
  for (const message of event.messages) {
    const step = hear(current, message, nowMs);
    current = step.state;
    actions.push(...step.actions);
    if (current.phase === 'closed') break;
  }
  return { state: current, actions };
}

/** When the next tick is due; infinite when there is nothing to wait for. */
export function nextTickMs(state: SessionState): number {
  if (state.phase === 'greeting') return state.openedMs + introductionTimeoutMs;
  if (state.phase === 'closed') return Number.POSITIVE_INFINITY;
  return Math.min(state.nextHeartbeatMs, state.lastHeardMs + heartbeatTimeoutMs);
}

/** The lag at this moment: that of the last answer, or the time for which one is overdue. */
export function lagMs(state: SessionState, nowMs: number): number | null {
  const [oldest] = state.awaited;
  if (state.lagMs === null || oldest === undefined) return state.lagMs;
  return Math.max(state.lagMs, nowMs - oldest.sentMs);
}

/** How old the peer's state is at this moment; null before its first heartbeat. */
export function stateAgeMs(state: SessionState, nowMs: number): number | null {
  if (state.stateAge === undefined) return null;
  return state.stateAge.ageMs + (nowMs - state.stateAge.heardMs);
}

function tick(state: SessionState, ownStateAgeMs: number, nowMs: number): SessionStep {
  if (state.phase === 'greeting') {
    if (nowMs < state.openedMs + introductionTimeoutMs) return { state, actions: [] };
    return close(state, 'introduction-timeout');
  }
  if (nowMs >= state.lastHeardMs + heartbeatTimeoutMs) return close(state, 'heartbeat-timeout');
  if (nowMs < state.nextHeartbeatMs) return { state, actions: [] };
  const sequence = state.nextSequence;
  const message = { type: 'heartbeat', sequence, stateAgeMs: ownStateAgeMs } as const;
  const awaited = [...state.awaited, { sequence, sentMs: nowMs }];
  return {
    state: {
      ...state,
      nextHeartbeatMs: nowMs + heartbeatIntervalMs,
      nextSequence: (sequence + 1) % sequenceLimit,
      awaited: awaited.slice(0, awaitedAnswersMax),
    },
    actions: [{ type: 'send', message }],
  };
}

function hear(state: SessionState, message: PeerMessage, nowMs: number): SessionStep {
  switch (message.type) {
    case 'hello':
      return hearHello(state, message);
    case 'welcome':
      if (state.phase !== 'greeting' || state.hello === undefined) return protocolError(state);
      return {
        state: { ...state, phase: 'open', nextHeartbeatMs: nowMs },
        actions: [{ type: 'opened', hello: state.hello }],
      };
    case 'refusal':
      return refused(state, 'peer', refusalReason(message.reason), message.detail);
    case 'heartbeat':
      if (state.phase !== 'open') return protocolError(state);
      return {
        state: { ...state, stateAge: { ageMs: message.stateAgeMs, heardMs: nowMs } },
        actions: [
          { type: 'send', message: { type: 'heartbeatAnswer', sequence: message.sequence } },
        ],
      };
    case 'heartbeatAnswer':
      if (state.phase !== 'open') return protocolError(state);
      return { state: hearAnswer(state, message.sequence, nowMs), actions: [] };
    case 'vrrpState':
    case 'configDigest':
    case 'overrides':
      if (state.phase !== 'open') return protocolError(state);
      return { state, actions: [{ type: 'deliver', message }] };
  }
}

function hearHello(state: SessionState, message: PeerMessageOf<'hello'>): SessionStep {
  if (state.hello !== undefined) return protocolError(state);
  const { type: _, ...hello } = message;
  const refusal = judgeHello(state.own, state.peer, hello);
  if (refusal === undefined) {
    return {
      state: { ...state, hello },
      actions: [{ type: 'send', message: { type: 'welcome' } }],
    };
  }
  const { reason, detail } = refusal;
  const told = { type: 'send', message: { type: 'refusal', reason, detail } } as const;
  const step = refused(state, 'this-node', reason, detail);
  return { state: step.state, actions: [told, ...step.actions] };
}

/** Answers come in the order of the heartbeats, so what was awaited before it will not come. */
function hearAnswer(state: SessionState, sequence: number, nowMs: number): SessionState {
  const index = state.awaited.findIndex((heartbeat) => heartbeat.sequence === sequence);
  const answered = state.awaited[index];
  if (answered === undefined) return state;
  return {
    ...state,
    awaited: state.awaited.slice(index + 1),
    lagMs: nowMs - answered.sentMs,
  };
}

function refused(
  state: SessionState,
  by: PeerRefuser,
  reason: PeerRefusalReason,
  detail: string,
): SessionStep {
  const { state: closed, actions } = close(state, 'refused');
  return { state: closed, actions: [{ type: 'refused', by, reason, detail }, ...actions] };
}

function protocolError(state: SessionState): SessionStep {
  return close(state, 'protocol-error');
}

function close(state: SessionState, reason: PeerDisconnectReason): SessionStep {
  return { state: { ...state, phase: 'closed' }, actions: [{ type: 'close', reason }] };
}

/** A newer peer may refuse for a reason that is not known here. */
function refusalReason(text: string): PeerRefusalReason {
  return peerRefusalReasons.find((reason) => reason === text) ?? 'other';
}
