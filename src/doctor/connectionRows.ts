/** What the rows of /proc/net/ip_vs_conn say to the doctor. Pure. */
import { type IpAddress, ipFromBytes } from '../wire/ipAddress.js';
import type { TemplateFact, WaitingConnection } from './facts.js';

/** How far the clock of connections may be behind, and their seconds cut off. */
const clockLagSeconds = 2;

/** A connection in its handshake. */
export interface HandshakeRow extends Omit<WaitingConnection, 'asksAgain'> {
  /** What is left of its time, which each packet of the client sets anew, in seconds. */
  readonly expiresSeconds: number;
}

/** Connections in a handshake, and clients that are remembered. */
export interface TableConnections {
  readonly waiting: readonly HandshakeRow[];
  readonly templates: readonly TemplateFact[];
}

/** Reads rows, the heading among them. */
export function connectionsOf(rows: readonly string[]): TableConnections {
  const waiting: HandshakeRow[] = [];
  const templates: TemplateFact[] = [];
  for (const row of rows) {
    const [, from, fromPort, to, toPort, destination, destinationPort, state, expires] = row
      .trim()
      .split(/\s+/);
    const [client, virtual, server] = [from, to, destination].map(addressOf);
    if (client === undefined || virtual === undefined || server === undefined) continue;
    const clientPort = portOf(fromPort);
    if (clientPort === 0) templates.push({ client, virtual, server });
    else if (state === 'SYN_RECV') {
      const ports = { virtualPort: portOf(toPort), serverPort: portOf(destinationPort) };
      const expiresSeconds = Number(expires);
      waiting.push({ client, clientPort, virtual, server, ...ports, expiresSeconds });
    }
  }
  return { waiting, templates };
}

/**
 * Those that waited at both looks. A handshake that is well is over by then.
 *
 * @param elapsedMs how long after the first look the second one was
 */
export function waitingInBoth(
  before: readonly HandshakeRow[],
  after: readonly HandshakeRow[],
  elapsedMs: number,
): readonly WaitingConnection[] {
  // The file has whole seconds, cut off, of a clock that may lag behind on a busy machine.
  const agedSeconds = Math.max(0, Math.floor(elapsedMs / 1_000) - clockLagSeconds);
  const keyOf = ({ client, clientPort, virtual, virtualPort }: HandshakeRow): string =>
    `${client} ${clientPort} ${virtual} ${virtualPort}`;
  const isSetAnew = (then: number, now: number): boolean =>
    now > then || (agedSeconds > 0 && now >= then - agedSeconds);
  const known = new Map(before.map((row) => [keyOf(row), row.expiresSeconds]));
  return after.flatMap((row) => {
    const expiredThen = known.get(keyOf(row));
    if (expiredThen === undefined) return [];
    const { expiresSeconds, ...connection } = row;
    return [{ ...connection, asksAgain: isSetAnew(expiredThen, expiresSeconds) }];
  });
}

/** `0A010064`, or 32 digits in groups with or without colons for IPv6. */
function addressOf(text: string | undefined): IpAddress | undefined {
  const hex = (text ?? '').replace(/[:[\]]/g, '');
  if (!/^(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32})$/.test(hex)) return undefined;
  return ipFromBytes(Buffer.from(hex, 'hex'));
}

function portOf(text: string | undefined): number {
  return Number.parseInt(text ?? '', 16) || 0;
}
