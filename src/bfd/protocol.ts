/**
 * What the main thread and the vrrp thread tell each other of BFD sessions (RFC 5880), which run
 * inside the vrrp thread. Everything here survives structured cloning.
 */
import type { BfdDiagnostic, BfdState } from '../wire/bfd.js';
import type { BfdAuthenticationType, BfdKey } from '../wire/bfdAuthentication.js';
import type { BfdRejection } from '../wire/bfdReceive.js';
import type { IpAddress } from '../wire/ipAddress.js';

/** Everything that the vrrp thread needs to know of one session. */
export interface BfdSessionSpec {
  readonly name: string;
  readonly peer: IpAddress;
  /** Packets leave and arrive by it; of a multihop session it only gives the source address. */
  readonly interface: string;
  /** Whether routers may be in between (RFC 5883). */
  readonly multihop: boolean;
  /** Whether the session is held in AdminDown. */
  readonly enabled: boolean;
  /** The shortest gap between our packets, in microseconds. */
  readonly desiredMinTxUs: number;
  /** The shortest gap between packets of the peer that we can take, in microseconds. */
  readonly requiredMinRxUs: number;
  /** How many of our packets the peer may miss, 1..255. */
  readonly detectMultiplier: number;
  readonly authentication?: BfdKey;
}

/** A change of the state of a session. */
export interface BfdTransition {
  readonly from: BfdState;
  readonly to: BfdState;
  readonly diagnostic: BfdDiagnostic;
  readonly atUnixMs: number;
}

/** What the thread tells of one session. */
export interface BfdSessionReport {
  readonly name: string;
  readonly peer: IpAddress;
  readonly interface: string;
  readonly multihop: boolean;
  readonly state: BfdState;
  readonly sinceUnixMs: number;
  /** Why we last left Up, and `none` once the session is up again. */
  readonly diagnostic: BfdDiagnostic;
  /** What the peer said last, about itself. */
  readonly remote: {
    readonly state: BfdState;
    readonly diagnostic: BfdDiagnostic;
    /** 0: not known. */
    readonly discriminator: number;
    readonly lastHeardUnixMs: number | null;
  };
  readonly localDiscriminator: number;
  /** Our source address; absent while the interface cannot be used. */
  readonly source: IpAddress | null;
  /** The gap between our packets before jitter; `null` when the peer wants none. */
  readonly transmitIntervalUs: number | null;
  /** The silence after which the peer is held to be gone; `null` when it was never heard. */
  readonly detectionTimeUs: number | null;
  readonly authentication: BfdAuthenticationType | null;
  readonly transitions: readonly BfdTransition[];
  readonly counters: {
    readonly packetsSent: number;
    readonly packetsReceived: number;
    readonly sendErrors: number;
    readonly rejected: Readonly<Partial<Record<BfdRejection, number>>>;
  };
}
