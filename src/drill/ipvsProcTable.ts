/**
 * Reads the kernel's IPVS tables from their files under /proc: one quick synchronous read, which
 * a measurement at every few milliseconds can afford.
 */
import { readFileSync } from 'node:fs';
import { type IpAddress, ipFromBytes } from '../wire/ipAddress.js';

/** A virtual service, by its address or by its firewall mark. */
export type ProcService =
  | { readonly address: IpAddress; readonly port: number }
  | { readonly mark: number };

/** A real server of a service, as `/proc/net/ip_vs` shows it. */
export interface ProcServer {
  readonly service: ProcService;
  readonly address: IpAddress;
  readonly port: number;
  readonly weight: number;
}

/** A connection or persistence template, as `/proc/net/ip_vs_conn` shows it. */
export interface ProcConnection {
  readonly clientAddress: IpAddress;
  /** 0 in a persistence template. */
  readonly clientPort: number;
  readonly virtualAddress: IpAddress;
  readonly virtualPort: number;
  readonly serverAddress: IpAddress;
  readonly serverPort: number;
  readonly state: string;
}

// The name `self` would be the main thread; only `thread-self` follows the calling thread's
// namespace.
const tablePath = '/proc/thread-self/net/ip_vs';
const connectionsPath = '/proc/thread-self/net/ip_vs_conn';

/** The servers of all services of the calling thread's namespace. */
export function readProcServers(): readonly ProcServer[] {
  return parseProcServers(readFileSync(tablePath, 'latin1'));
}

/** The connections of the calling thread's namespace. */
export function readProcConnections(): readonly ProcConnection[] {
  return parseProcConnections(readFileSync(connectionsPath, 'latin1'));
}

/** Parses the text of `/proc/net/ip_vs`. */
export function parseProcServers(text: string): readonly ProcServer[] {
  const servers: ProcServer[] = [];
  let service: ProcServer['service'] | undefined;
  for (const line of text.split('\n')) {
    const head = /^(?:TCP|UDP|SCTP)\s+([0-9A-F]{8}|\[[0-9a-f:]+\]):([0-9A-F]{4})\s/.exec(line);
    if (head !== null) {
      service = { address: readAddress(head[1]), port: hexNumber(head[2]) };
      continue;
    }
    const mark = /^FWM\s+([0-9A-F]{8})\s/.exec(line);
    if (mark !== null) {
      service = { mark: hexNumber(mark[1]) };
      continue;
    }
    if (!line.startsWith(' ')) service = undefined;
    const row = /^\s+->\s+([0-9A-F]{8}|\[[0-9a-f:]+\]):([0-9A-F]{4})\s+\S+\s+(\d+)\s/.exec(line);
    if (row === null || service === undefined) continue;
    const weight = Number(row[3]);
    servers.push({ service, address: readAddress(row[1]), port: hexNumber(row[2]), weight });
  }
  return servers;
}

/** Parses the text of `/proc/net/ip_vs_conn`. */
export function parseProcConnections(text: string): readonly ProcConnection[] {
  const pair = '([0-9A-F]{8}|[0-9a-f:]{39}) ([0-9A-F]{4})';
  // The templates of a firewall mark are of no transport protocol.
  const row = new RegExp(`^(?:TCP|UDP|SCTP|IP)\\s+${pair} ${pair} ${pair} (\\S+)\\s`);
  return text.split('\n').flatMap((line) => {
    const fields = row.exec(line);
    if (fields === null) return [];
    return [
      {
        clientAddress: readAddress(fields[1]),
        clientPort: hexNumber(fields[2]),
        virtualAddress: readAddress(fields[3]),
        virtualPort: hexNumber(fields[4]),
        serverAddress: readAddress(fields[5]),
        serverPort: hexNumber(fields[6]),
        state: fields[7] ?? '',
      },
    ];
  });
}

/** Eight digits of IPv4, or the groups of IPv6, in brackets where a port follows. */
function readAddress(text: string | undefined): IpAddress {
  return ipFromBytes(Buffer.from((text ?? '').replace(/[[\]:]/g, ''), 'hex'));
}

function hexNumber(text: string | undefined): number {
  return Number.parseInt(text ?? '', 16);
}
