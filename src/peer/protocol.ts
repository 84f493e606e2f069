/**
 * The messages between the main thread and the thread of the peer channel, and the values in them.
 * Everything here survives structured cloning; times that cross threads are Unix milliseconds.
 */
import type { MessagePort } from 'node:worker_threads';
import type { LogLevel } from '../vrrp/protocol.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { OverrideRecord } from '../wire/overrideModel.js';
import type { PeerMessageOf, PeerRouterState } from '../wire/peerMessage.js';
import type { PeerDisconnectReason, PeerRefusalReason, PeerRefuser } from './reasons.js';

/** One pre-shared key. */
export interface PeerKey {
  /** What the connecting side names it by; not secret. */
  readonly id: string;
  /** The key itself, 32 bytes in hexadecimal. */
  readonly hex: string;
}

/** Everything that the thread needs to know of the pair. */
export interface PeerSettings {
  /** The version of the protocol that this node says it speaks. */
  readonly protocolVersion: number;
  readonly cluster: string;
  /** This node. */
  readonly node: string;
  readonly agentVersion: string;
  readonly startedUnixMs: number;
  readonly peer: string;
  readonly port: number;
  /** One path each: the n-th address of this node and the n-th of the peer. At least one. */
  readonly paths: readonly { readonly own: IpAddress; readonly peer: IpAddress }[];
  /** The first is used to connect, all are accepted. At least one. */
  readonly keys: readonly PeerKey[];
}

/** The states of all virtual routers of one director. */
export type PeerRouters = readonly PeerRouterState[];

/** The part of one director's VRRP configuration that both must have alike. */
export type PeerSharedConfig = Omit<PeerMessageOf<'configDigest'>, 'type'>;

/** From main to the thread. */
export type ToPeer =
  | { readonly type: 'configure'; readonly settings: PeerSettings }
  /** Our own virtual routers, for the peer. Sent at every report of the election. */
  | { readonly type: 'routers'; readonly routers: PeerRouters }
  /** Our own shared configuration, for the peer. */
  | { readonly type: 'sharedConfig'; readonly config: PeerSharedConfig }
  /** All overrides that are known here, for the peer. */
  | { readonly type: 'overrides'; readonly records: readonly OverrideRecord[] }
  /** The end of a new sync thread's port; it is transferred with the message. */
  | { readonly type: 'dataPort'; readonly port: MessagePort }
  | { readonly type: 'stop' };

/** What was counted since the thread started. */
export interface PeerCounters {
  readonly connections: number;
  readonly heartbeatTimeouts: number;
  readonly refusals: number;
  readonly protocolErrors: number;
  /** Messages of a type or version that this program does not know. */
  readonly messagesSkipped: number;
  /** Messages that were not sent because the send queue was full or they were too long. */
  readonly messagesDropped: number;
  /** Connections that were turned away or failed and did not come from an address of the peer. */
  readonly strangers: number;
}

/** What the thread knows of the channel and of the peer. */
export interface PeerReport {
  readonly connected: boolean;
  /** Since when it is connected, or not. */
  readonly sinceUnixMs: number;
  /** Why it is not connected; null while it is. */
  readonly reason: PeerDisconnectReason | null;
  /** For a person: the errno, or what was wrong. May be empty. */
  readonly detail: string;
  /** The node whose name sorts first connects, the other listens. */
  readonly role: 'connects' | 'listens';
  /** The peer's end of the connection; null when there is none. */
  readonly address: string | null;
  /** The key that the connection was made with. */
  readonly keyId: string | null;
  /** How the peer introduced itself; null when it is not connected. */
  readonly peer: {
    readonly node: string;
    readonly version: string;
    readonly protocolVersion: number;
    readonly startedUnixMs: number;
  } | null;
  /** The last refusal, until a connection succeeds. */
  readonly refused: {
    readonly reason: PeerRefusalReason;
    readonly by: PeerRefuser;
    readonly detail: string;
    readonly atUnixMs: number;
  } | null;
  /** Time from a heartbeat to its answer; grows while an answer is awaited. */
  readonly heartbeatLagMs: number | null;
  /** How long the peer's main thread has told nothing new of its election. */
  readonly stateAgeMs: number | null;
  /** The peer's virtual routers, in our own clock; null when they are not known. */
  readonly routers: PeerRouters | null;
  readonly counters: PeerCounters;
}

/** From the thread to main. */
export type FromPeer =
  /** At every change, and every second. */
  | { readonly type: 'report'; readonly report: PeerReport }
  /** The peer's shared configuration; null when the peer is not connected any more. */
  | { readonly type: 'peerConfig'; readonly config: PeerSharedConfig | null }
  /** All overrides that the peer knows. */
  | { readonly type: 'peerOverrides'; readonly records: readonly OverrideRecord[] }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    }
  | { readonly type: 'stopped' };
