/**
 * What the kernel's counters say about servers between two checks. Pure.
 *
 * Clients notice a dead server before its next check does. The counters show it: connections are
 * handed to the server, and no more than their first packet follows. That is a hint and no proof
 * (clients may be slow, or scan), so it only makes the next check come at once.
 */
import type { ListedServer } from '../wire/ipvsModel.js';
import type { ServerId } from './desired.js';

/** When counters are a hint. */
export interface PassiveHintRules {
  /** How often the counters are read. */
  readonly intervalMs: number;
  /** So many connections without an answer are suspicious; fewer say nothing. */
  readonly connectionsMin: number;
}

/** The counters of a server, over all listeners of its service. */
export interface ServerCounters {
  /** A connection of TCP has at least a handshake and an end; of datagrams nothing is known. */
  readonly isTcp: boolean;
  /** With NAT the answers pass through this director, and are counted. */
  readonly seesAnswers: boolean;
  readonly connections: bigint;
  readonly incomingPackets: bigint;
  readonly outgoingPackets: bigint;
}

/** A client that is answered sends its SYN, then more: two packets a connection at the least. */
const packetsOfConnectionMin = 2n;

/** Adds up the entries of a server. */
export function countServer(
  entries: readonly { readonly isTcp: boolean; readonly server: ListedServer }[],
): ServerCounters {
  const sum = (read: (server: ListedServer) => bigint): bigint =>
    entries.reduce((total, { server }) => total + read(server), 0n);
  return {
    isTcp: entries.every(({ isTcp }) => isTcp),
    seesAnswers: entries.every(({ server }) => server.forwarding === 'nat'),
    connections: sum(({ statistics }) => statistics.connections),
    incomingPackets: sum(({ statistics }) => statistics.incomingPackets),
    outgoingPackets: sum(({ statistics }) => statistics.outgoingPackets),
  };
}

/** The servers that look dead between two readings, in the order of the second. */
export function suspects(
  before: ReadonlyMap<ServerId, ServerCounters>,
  after: ReadonlyMap<ServerId, ServerCounters>,
  { connectionsMin }: Pick<PassiveHintRules, 'connectionsMin'>,
): readonly ServerId[] {
  return [...after].flatMap(([id, now]) => {
    const then = before.get(id);
    return then !== undefined && isSuspect(then, now, BigInt(connectionsMin)) ? [id] : [];
  });
}

function isSuspect(then: ServerCounters, now: ServerCounters, min: bigint): boolean {
  const connections = now.connections - then.connections;
  const incoming = now.incomingPackets - then.incomingPackets;
  const outgoing = now.outgoingPackets - then.outgoingPackets;
  // Somebody has zeroed the counters, or the server was removed and added again.
  if (connections < 0n || incoming < 0n || outgoing < 0n) return false;
  if (now.seesAnswers && incoming >= min && outgoing === 0n) return true;
  return now.isTcp && connections >= min && incoming < connections * packetsOfConnectionMin;
}
