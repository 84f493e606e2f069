/**
 * What the state machine of one BFD session knows, hears and decides. Values only; the rules are in
 * `machine.ts`.
 */
import type { BfdControlPacket, BfdDiagnostic, BfdState } from '../wire/bfd.js';
import type { BfdSessionSpec } from './protocol.js';

/** The timers of one session. */
export type SessionTimerName =
  /** The next periodic packet. */
  | 'transmit'
  /** The end of the detection time. */
  | 'detection';

/** Time and chance, as they are given to one step. */
export interface Moment {
  /** Monotonic. */
  readonly nowUs: number;
  /** A random number in [0, 1), for the jitter of the next packet. */
  readonly jitter: number;
}

/** What the peer said last (RFC 5880, 6.8.1); the initial values are those of the RFC. */
export interface RemoteEnd {
  /** Its name of the session; 0 when not known, and again after a detection time of silence. */
  readonly discriminator: number;
  readonly state: BfdState;
  readonly diagnostic: BfdDiagnostic;
  readonly demand: boolean;
  /** 0: it wants no periodic packets. */
  readonly requiredMinRxUs: number;
  readonly desiredMinTxUs: number;
  /** 0 as long as nothing was heard. */
  readonly detectMultiplier: number;
}

/** How far a poll sequence (RFC 5880, 6.5) is. */
export type PollState =
  | 'idle'
  | 'polling'
  /** The intervals changed again meanwhile, so another one follows. */
  | 'polling-again';

/** Everything that the machine of one session knows. */
export interface SessionState {
  readonly spec: BfdSessionSpec;
  readonly current: BfdState;
  readonly diagnostic: BfdDiagnostic;
  /** Whether startup has happened and shutdown has not. */
  readonly started: boolean;
  /** Whether the interface can be used. */
  readonly usable: boolean;
  /** Our name of the session, not 0 and unique on this node. */
  readonly localDiscriminator: number;
  readonly remote: RemoteEnd;
  /** The desired interval that transmission goes by; an increase waits for the end of a poll. */
  readonly effectiveMinTxUs: number;
  /** The required interval that detection goes by; a reduction waits for the end of a poll. */
  readonly effectiveMinRxUs: number;
  readonly poll: PollState;
  readonly lastSentUs: number | undefined;
  readonly lastHeardUs: number | undefined;
  /** Sequence number of the packet that was sent last, where authentication is configured. */
  readonly sentSequence: number;
  /** Sequence number that was accepted last. */
  readonly heardSequence: number | undefined;
  /** The generation of each armed timer. A tick of another generation is stale and ignored. */
  readonly timers: Readonly<Partial<Record<SessionTimerName, number>>>;
  /** The generation that was handed out last. */
  readonly lastGeneration: number;
}

/** What happens to one session. */
export type SessionEvent =
  | { readonly type: 'startup'; readonly usable: boolean }
  /** The interface can be used, or cannot be used any more. */
  | { readonly type: 'interface'; readonly usable: boolean }
  /** A packet that passed every check. */
  | {
      readonly type: 'packet';
      readonly packet: BfdControlPacket;
      readonly sequence: number | undefined;
      /** When the kernel received it. */
      readonly receivedUs: number;
    }
  | {
      readonly type: 'timer';
      readonly timer: SessionTimerName;
      readonly generation: number;
      readonly dueUs: number;
    }
  /** New settings of the same session. */
  | { readonly type: 'spec'; readonly spec: BfdSessionSpec }
  /** The session is taken down for good; the peer is told that this is on purpose. */
  | { readonly type: 'shutdown' };

/** What is to be done for one session, in the order of the list. */
export type SessionAction =
  | {
      readonly type: 'send';
      readonly packet: BfdControlPacket;
      /** For the authentication section, where there is one. */
      readonly sequence: number;
    }
  | {
      readonly type: 'arm-timer';
      readonly timer: SessionTimerName;
      readonly generation: number;
      readonly atUs: number;
    }
  | { readonly type: 'cancel-timer'; readonly timer: SessionTimerName }
  | {
      readonly type: 'transition';
      readonly from: BfdState;
      readonly to: BfdState;
      readonly diagnostic: BfdDiagnostic;
    };

/** The outcome of one step. */
export interface SessionStep {
  readonly state: SessionState;
  readonly actions: readonly SessionAction[];
}
