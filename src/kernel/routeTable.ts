/**
 * Reading routes, and hearing that they change.
 *
 * A change names its table and destination only: the kernel says nothing when IPv4 routes go with
 * their link, so that whoever needs to be certain reads the table again, on link events as well.
 */
import * as rt from 'netlink/dist/rt/structs.js';
import { AttrStream, parseAttributes, parseMessages, putU32 } from 'netlink/dist/structs.js';
import { TandemError } from '../errors.js';
import { type IpAddress, type IpFamily, ipFromBytes } from '../wire/ipAddress.js';
import { type NetlinkRequest, NetlinkRequester } from './netlinkRequest.js';
import { NetlinkSocket, overrun } from './netlinkSocket.js';
import type { Route, RouteHop } from './routeModel.js';
import { addressFamily } from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';

/** struct rtmsg (rtnetlink.h): offsets of the fields in use, and its size. */
const message = { family: 0, destinationLength: 1, table: 4, type: 7, flags: 8, size: 12 } as const;

/** struct rtnexthop (rtnetlink.h). */
const nextHop = { length: 0, flags: 2, interfaceIndex: 4, size: 8 } as const;

/** Route attributes in use (rtnetlink.h, RTA_*). */
const attribute = {
  destination: 1,
  interface: 4,
  gateway: 5,
  multipath: 9,
  table: 15,
  via: 18,
} as const;

/** RTNH_F_DEAD and RTNH_F_LINKDOWN. */
const unusableFlags = 0x1 | 0x10;

/** Routes that carry packets: RTN_UNICAST and RTN_LOCAL. The others drop or refuse them. */
const carryingTypes: readonly number[] = [1, 2];

/** Datagrams that one read of a monitor takes; what is left keeps the descriptor readable. */
const datagramsPerReadMax = 256;

/** That a route was added, changed or removed, or that such messages were lost. */
export type RouteTableEvent = Pick<Route, 'table' | 'destination'> | typeof overrun;

/** A connection for reading routes; it stays in the namespace that it was opened in. */
export interface RouteTableReader {
  /** All routes of one family and table. Throws `SYSTEM_CALL` or `NETLINK_TIMEOUT`. */
  routes(family: IpFamily, table: number): readonly Route[];
  close(): void;
}

/** Opens a reader in the calling thread's network namespace. */
export function openRouteTableReader(): RouteTableReader {
  const requester = new NetlinkRequester('route');
  return {
    routes: (family, table) => readRoutes(requester, family, table),
    close: () => requester.close(),
  };
}

/** Hears of changes of routes, in every table. */
export interface RouteTableMonitor {
  /** For polling. */
  readonly fd: number;
  /** What happened since the last read; never waits. */
  read(): readonly RouteTableEvent[];
  close(): void;
}

/** Opens a monitor of the calling thread's network namespace. It stays in it. */
export function openRouteTableMonitor(): RouteTableMonitor {
  const groups = [rt.MulticastGroups.IPV4_ROUTE, rt.MulticastGroups.IPV6_ROUTE];
  const mask = groups.reduce((bits, group) => bits | (1 << (group - 1)), 0);
  const socket = new NetlinkSocket('route', mask);
  return { fd: socket.fd, read: () => readEvents(socket), close: () => socket.close() };
}

function readRoutes(
  requester: NetlinkRequester,
  family: IpFamily,
  table: number,
): readonly Route[] {
  const header = Buffer.alloc(message.size);
  header.writeUInt8(family === 4 ? addressFamily.inet : addressFamily.inet6, message.family);
  const stream = new AttrStream();
  stream.emit(header);
  stream.push(attribute.table, putU32(table));
  const request: NetlinkRequest = {
    type: rt.MessageType.GETROUTE,
    payload: Buffer.concat(stream.bufs),
    name: 'RTM_GETROUTE',
    context: `table ${table}, IPv${family}`,
  };
  try {
    // Kernels before 4.20 do not filter by table.
    return requester
      .dump(request, ({ data }) => readRoute(data))
      .filter((route) => route.table === table);
  } catch (error) {
    // The kernel makes a table with its first route.
    if (error instanceof TandemError && error.errnoName === 'ENOENT') return [];
    throw error;
  }
}

function readEvents(socket: NetlinkSocket): readonly RouteTableEvent[] {
  const events: RouteTableEvent[] = [];
  for (let count = 0; count < datagramsPerReadMax; count += 1) {
    const datagram = socket.receive();
    if (datagram === undefined) break;
    if (datagram === overrun) {
      events.push(overrun);
      continue;
    }
    for (const { type, data } of parseMessages(datagram)) {
      if (type !== rt.MessageType.NEWROUTE && type !== rt.MessageType.DELROUTE) continue;
      const route = readRoute(data);
      if (route !== undefined) events.push({ table: route.table, destination: route.destination });
    }
  }
  return events;
}

/** Reads RTM_NEWROUTE and RTM_DELROUTE; `undefined` for other families than IPv4 and IPv6. */
export function readRoute(data: Buffer): Route | undefined {
  const familyNumber = data.readUInt8(message.family);
  const family = ([4, 6] as const).find(
    (each) => (each === 4 ? addressFamily.inet : addressFamily.inet6) === familyNumber,
  );
  if (family === undefined) return undefined;
  let table: number = data.readUInt8(message.table);
  let address = ipFromBytes(new Uint8Array(family === 4 ? 4 : 16));
  let hops: RouteHop[] = [];
  const single = new HopDraft(readU32(data, message.flags));
  parseAttributes(data.subarray(message.size), ({ type, data: value }) => {
    if (type === attribute.table) table = readU32(value, 0);
    else if (type === attribute.destination) address = ipFromBytes(value);
    else if (type === attribute.multipath) hops = readHops(value);
    else single.take(type, value);
  });
  if (hops.length === 0) hops = [single.hop()];
  const carries = carryingTypes.includes(data.readUInt8(message.type));
  return {
    table,
    destination: { address, length: data.readUInt8(message.destinationLength) },
    hops: carries ? hops : [],
  };
}

function readHops(data: Buffer): RouteHop[] {
  const hops: RouteHop[] = [];
  for (let at = 0; at + nextHop.size <= data.length; ) {
    const length = readU16(data, at + nextHop.length);
    if (length < nextHop.size || at + length > data.length) break;
    const hop = new HopDraft(data.readUInt8(at + nextHop.flags));
    hop.interfaceIndex = readU32(data, at + nextHop.interfaceIndex);
    parseAttributes(data.subarray(at + nextHop.size, at + length), ({ type, data: value }) => {
      hop.take(type, value);
    });
    hops.push(hop.hop());
    at += (length + 3) & ~3;
  }
  return hops;
}

/** A hop while its attributes are read. */
class HopDraft {
  readonly #flags: number;
  interfaceIndex: number | undefined;
  #gateway: IpAddress | undefined;

  constructor(flags: number) {
    this.#flags = flags;
  }

  take(type: number, value: Buffer): void {
    if (type === attribute.interface) this.interfaceIndex = readU32(value, 0);
    else if (type === attribute.gateway) this.#gateway = ipFromBytes(value);
    // A gateway of the other family comes with its family in front (struct rtvia).
    else if (type === attribute.via) this.#gateway = ipFromBytes(value.subarray(2));
  }

  hop(): RouteHop {
    return {
      ...(this.#gateway === undefined ? {} : { gateway: this.#gateway }),
      ...(this.interfaceIndex === undefined ? {} : { interfaceIndex: this.interfaceIndex }),
      usable: (this.#flags & unusableFlags) === 0,
    };
  }
}

function readU16(data: Buffer, at: number): number {
  return hostIsLittleEndian ? data.readUInt16LE(at) : data.readUInt16BE(at);
}

function readU32(data: Buffer, at: number): number {
  return hostIsLittleEndian ? data.readUInt32LE(at) : data.readUInt32BE(at);
}
