/** The connection table of the kernel, as /proc/net/ip_vs_conn has it, and its listing. Pure. */
import { type IpAddress, ipFromBytes, parseIpAddress } from '../../wire/ipAddress.js';
import type { IpvsProtocol } from '../../wire/ipvsModel.js';
import type { EndpointNames } from './names.js';

/** One end of a connection. */
export interface ConnectionEnd {
  readonly address: IpAddress;
  readonly port: number;
}

/** One connection or persistence template. */
export interface IpvsConnection {
  /** As the kernel writes it: `TCP`, `UDP`, `SCTP`, `IP` for templates of marks. */
  readonly protocol: string;
  readonly client: ConnectionEnd;
  readonly virtual: ConnectionEnd;
  readonly server: ConnectionEnd;
  readonly state: string;
  /** Seconds until it is forgotten. */
  readonly expiresSeconds: number;
  /** The persistence engine and what it knows the client by. */
  readonly engine?: { readonly name: string; readonly data: string };
}

/** Reads one line of /proc/net/ip_vs_conn; `undefined` for the title and for what is no line. */
export function parseConnectionLine(line: string): IpvsConnection | undefined {
  const words = line.trim().split(/\s+/);
  const [protocol, , , , , , , state, expires, name, data] = words;
  const client = parseEnd(words[1], words[2]);
  const virtual = parseEnd(words[3], words[4]);
  const server = parseEnd(words[5], words[6]);
  if (protocol === undefined || state === undefined || !/^\d+$/.test(expires ?? '')) {
    return undefined;
  }
  if (client === undefined || virtual === undefined || server === undefined) return undefined;
  return {
    protocol,
    client,
    virtual,
    server,
    state,
    expiresSeconds: Number(expires),
    ...(name === undefined ? {} : { engine: { name, data: data ?? '' } }),
  };
}

/** The titles of a listing of connections. */
export function connectionTitle(engineData: boolean): string {
  const titles = 'pro expire state       source             virtual            destination';
  return `IPVS connection entries\n${titles}${
    engineData ? '        pe name          pe_data' : ''
  }\n`;
}

/** The line of a connection, with its end. */
export function connectionLine(
  connection: IpvsConnection,
  engineData: boolean,
  names: EndpointNames,
): string {
  const { protocol, expiresSeconds, engine } = connection;
  const named = namedProtocols[protocol];
  const endpoint = ({ address, port }: ConnectionEnd): string =>
    names.endpoint(address, port, named);
  const minutes = String(Math.floor(expiresSeconds / 60)).padStart(2, '0');
  const seconds = String(expiresSeconds % 60).padStart(2, '0');
  const words = [
    protocol.padEnd(3),
    `${minutes}:${seconds}`.padEnd(6),
    connection.state.padEnd(11),
    endpoint(connection.client).padEnd(18),
    endpoint(connection.virtual).padEnd(18),
  ];
  const server = endpoint(connection.server);
  if (!engineData || engine === undefined) return `${[...words, server].join(' ')}\n`;
  return `${[...words, server.padEnd(16), engine.name.padEnd(18), engine.data].join(' ')}\n`;
}

/** Protocols whose ports have names in a listing of connections. */
export const namedProtocols: Readonly<Record<string, IpvsProtocol>> = {
  TCP: 'tcp',
  UDP: 'udp',
  SCTP: 'sctp',
};

function parseEnd(
  address: string | undefined,
  port: string | undefined,
): ConnectionEnd | undefined {
  if (address === undefined || !/^[0-9A-F]{4}$/i.test(port ?? '')) return undefined;
  const parsed = /^[0-9A-F]{8}$/i.test(address)
    ? ipFromBytes(Buffer.from(address, 'hex'))
    : parseIpAddress(address.replace(/^\[(.*)\]$/, '$1'));
  if (parsed === undefined) return undefined;
  return { address: parsed, port: Number.parseInt(port ?? '', 16) };
}
