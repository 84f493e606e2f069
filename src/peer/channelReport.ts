/** What the thread of the peer channel tells main of it: the present state and the counters. */
import type { PeerHello } from '../wire/peerMessage.js';
import type { PeerCounters, PeerReport, PeerRouters } from './protocol.js';
import type { PeerDisconnectReason, PeerRefusalReason, PeerRefuser } from './reasons.js';

/** What is asked of the connection at the time of a report. */
export interface ReportedConnection {
  readonly address: string;
  readonly keyId: string;
  readonly lagMs: number | null;
  readonly peerStateAgeMs: number | null;
}

/** Keeps it up to date. */
export class ChannelReport {
  #role: PeerReport['role'] = 'listens';
  #sinceUnixMs = 0;
  #reason: PeerDisconnectReason | null = 'not-yet-connected';
  #detail = '';
  #peer: PeerReport['peer'] = null;
  #refused: PeerReport['refused'] = null;
  #routers: PeerRouters | null = null;
  readonly #counters: { -readonly [Name in keyof PeerCounters]: number } = {
    connections: 0,
    heartbeatTimeouts: 0,
    refusals: 0,
    protocolErrors: 0,
    messagesSkipped: 0,
    messagesDropped: 0,
    strangers: 0,
  };

  /** New settings: nothing is known of the peer that they name. */
  restart(role: PeerReport['role'], nowUnixMs: number): void {
    this.#role = role;
    this.#refused = null;
    this.#reason = null;
    this.disconnected('not-yet-connected', '', nowUnixMs);
  }

  count(counter: keyof PeerCounters): void {
    this.#counters[counter] += 1;
  }

  connected(hello: PeerHello, nowUnixMs: number): void {
    this.count('connections');
    this.#sinceUnixMs = nowUnixMs;
    this.#reason = null;
    this.#detail = '';
    this.#refused = null;
    this.#routers = null;
    const { node, agentVersion: version, protocolVersion, startedUnixMs } = hello;
    this.#peer = { node, version, protocolVersion, startedUnixMs };
  }

  /** Whether this is another reason than before. */
  disconnected(reason: PeerDisconnectReason, detail: string, nowUnixMs: number): boolean {
    const isNews = reason !== this.#reason || detail !== this.#detail;
    if (this.#reason === null) this.#sinceUnixMs = nowUnixMs;
    this.#reason = reason;
    this.#detail = detail;
    this.#peer = null;
    this.#routers = null;
    return isNews;
  }

  /** Whether this is another refusal than before. */
  refused(reason: PeerRefusalReason, by: PeerRefuser, detail: string, nowUnixMs: number): boolean {
    this.count('refusals');
    const isNews = reason !== this.#refused?.reason || by !== this.#refused.by;
    this.#refused = { reason, by, detail, atUnixMs: nowUnixMs };
    this.disconnected('refused', detail, nowUnixMs);
    return isNews;
  }

  /** Whether the peer's routers are others, or in other states, than before. */
  setRouters(routers: PeerRouters): boolean {
    const before = this.#routers;
    this.#routers = routers;
    const inShort = (list: PeerRouters | null): string =>
      JSON.stringify(
        list?.map(({ name, state, effectivePriority }) => [name, state, effectivePriority]),
      );
    return inShort(before) !== inShort(routers);
  }

  make(connection: ReportedConnection | undefined): PeerReport {
    return {
      connected: connection !== undefined,
      sinceUnixMs: this.#sinceUnixMs,
      reason: this.#reason,
      detail: this.#detail,
      role: this.#role,
      address: connection?.address ?? null,
      keyId: connection?.keyId ?? null,
      peer: this.#peer,
      refused: this.#refused,
      heartbeatLagMs: connection?.lagMs ?? null,
      stateAgeMs: connection?.peerStateAgeMs ?? null,
      routers: this.#routers,
      counters: { ...this.#counters },
    };
  }
}
