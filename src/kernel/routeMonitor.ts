/** Link and address events of a network namespace, as they happen. */
import * as rt from 'netlink/dist/rt/structs.js';
import { parseMessages } from 'netlink/dist/structs.js';
import { NetlinkSocket, overrun } from './netlinkSocket.js';
import { readAddress, readLink } from './routeMessages.js';
import type { RouteEvent } from './routeModel.js';

/** Datagrams that one read takes at most; what is left keeps the descriptor readable. */
const datagramsPerReadMax = 1024;

const groups = [
  rt.MulticastGroups.LINK,
  rt.MulticastGroups.IPV4_IFADDR,
  rt.MulticastGroups.IPV6_IFADDR,
];

/** An open monitor. */
export interface RouteMonitor {
  /** For polling. */
  readonly fd: number;
  /** What happened since the last read, as far as so many datagrams tell it; never waits. */
  read(datagramsMax?: number): RouteEvent[];
  close(): void;
}

/** Opens a monitor of the calling thread's network namespace. It stays in it. */
export function openRouteMonitor(): RouteMonitor {
  const mask = groups.reduce((bits, group) => bits | (1 << (group - 1)), 0);
  const socket = new NetlinkSocket('route', mask);
  return {
    fd: socket.fd,
    read: (datagramsMax = datagramsPerReadMax) => readEvents(socket, datagramsMax),
    close: () => socket.close(),
  };
}

function readEvents(socket: NetlinkSocket, datagramsMax: number): RouteEvent[] {
  const events: RouteEvent[] = [];
  for (let count = 0; count < datagramsMax; count += 1) {
    const datagram = socket.receive();
    if (datagram === undefined) break;
    if (datagram === overrun) {
      events.push({ kind: 'overrun' });
      continue;
    }
    for (const message of parseMessages(datagram)) {
      const event = readEvent(message.type, message.data);
      if (event !== undefined) events.push(event);
    }
  }
  return events;
}

function readEvent(type: number, data: Buffer): RouteEvent | undefined {
  switch (type) {
    case rt.MessageType.NEWLINK:
    case rt.MessageType.DELLINK: {
      const link = readLink(data);
      const action = type === rt.MessageType.NEWLINK ? 'changed' : 'removed';
      return link && { kind: 'link', action, link };
    }
    case rt.MessageType.NEWADDR:
    case rt.MessageType.DELADDR: {
      const address = readAddress(data);
      const action = type === rt.MessageType.NEWADDR ? 'added' : 'removed';
      return address && { kind: 'address', action, address };
    }
    default:
      return undefined;
  }
}
