/** Sockets: the numbers of the kernel's headers, and options set by name. */

import { hostIsLittleEndian } from './structLayout.js';
import { type CallParticulars, checked, libc } from './systemCall.js';

/** Address families (socket.h). */
export const addressFamily = { unix: 1, inet: 2, inet6: 10, netlink: 16, packet: 17 } as const;

const socketKinds = { stream: 1, datagram: 2, raw: 3 } as const;
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;

/** Do not raise SIGPIPE. */
export const messageNoSignal = 0x4000;

/** An option: its level and number, and the name that the headers give it. */
interface SocketOption {
  readonly level: number;
  readonly number: number;
  readonly name: string;
}

/** The options in use (asm-generic/socket.h, in.h, netlink.h). */
export const socketOption = {
  reuseAddress: { level: 1, number: 2, name: 'SO_REUSEADDR' },
  peerCredentials: { level: 1, number: 17, name: 'SO_PEERCRED' },
  sendBuffer: { level: 1, number: 7, name: 'SO_SNDBUF' },
  receiveBuffer: { level: 1, number: 8, name: 'SO_RCVBUF' },
  error: { level: 1, number: 4, name: 'SO_ERROR' },
  linger: { level: 1, number: 13, name: 'SO_LINGER' },
  priority: { level: 1, number: 12, name: 'SO_PRIORITY' },
  bindToDevice: { level: 1, number: 25, name: 'SO_BINDTODEVICE' },
  sendBufferForce: { level: 1, number: 32, name: 'SO_SNDBUFFORCE' },
  receiveBufferForce: { level: 1, number: 33, name: 'SO_RCVBUFFORCE' },
  mark: { level: 1, number: 36, name: 'SO_MARK' },
  timestampNs: { level: 1, number: 35, name: 'SO_TIMESTAMPNS' },
  overflowCount: { level: 1, number: 40, name: 'SO_RXQ_OVFL' },
  ipTypeOfService: { level: 0, number: 1, name: 'IP_TOS' },
  ipTimeToLive: { level: 0, number: 2, name: 'IP_TTL' },
  /** Brings the received one as control data of the type of `ipTimeToLive`. */
  ipReceiveTimeToLive: { level: 0, number: 12, name: 'IP_RECVTTL' },
  ipPacketInfo: { level: 0, number: 8, name: 'IP_PKTINFO' },
  ipMulticastInterface: { level: 0, number: 32, name: 'IP_MULTICAST_IF' },
  ipMulticastTimeToLive: { level: 0, number: 33, name: 'IP_MULTICAST_TTL' },
  ipMulticastLoop: { level: 0, number: 34, name: 'IP_MULTICAST_LOOP' },
  ipAddMembership: { level: 0, number: 35, name: 'IP_ADD_MEMBERSHIP' },
  ipMulticastAll: { level: 0, number: 49, name: 'IP_MULTICAST_ALL' },
  ipv6MulticastInterface: { level: 41, number: 17, name: 'IPV6_MULTICAST_IF' },
  ipv6MulticastHops: { level: 41, number: 18, name: 'IPV6_MULTICAST_HOPS' },
  ipv6MulticastLoop: { level: 41, number: 19, name: 'IPV6_MULTICAST_LOOP' },
  ipv6JoinGroup: { level: 41, number: 20, name: 'IPV6_JOIN_GROUP' },
  ipv6MulticastAll: { level: 41, number: 29, name: 'IPV6_MULTICAST_ALL' },
  /** Brings what was received as control data of the type of `ipv6PacketInfo`. */
  ipv6ReceivePacketInfo: { level: 41, number: 49, name: 'IPV6_RECVPKTINFO' },
  ipv6PacketInfo: { level: 41, number: 50, name: 'IPV6_PKTINFO' },
  ipv6UnicastHops: { level: 41, number: 16, name: 'IPV6_UNICAST_HOPS' },
  ipv6Only: { level: 41, number: 26, name: 'IPV6_V6ONLY' },
  /** Brings the received one as control data of the type of `ipv6HopLimit`. */
  ipv6ReceiveHopLimit: { level: 41, number: 51, name: 'IPV6_RECVHOPLIMIT' },
  ipv6HopLimit: { level: 41, number: 52, name: 'IPV6_HOPLIMIT' },
  ipv6TrafficClass: { level: 41, number: 67, name: 'IPV6_TCLASS' },
  packetAddMembership: { level: 263, number: 1, name: 'PACKET_ADD_MEMBERSHIP' },
  netlinkCapAck: { level: 270, number: 10, name: 'NETLINK_CAP_ACK' },
  netlinkExtAck: { level: 270, number: 11, name: 'NETLINK_EXT_ACK' },
  netlinkStrictCheck: { level: 270, number: 12, name: 'NETLINK_GET_STRICT_CHK' },
} as const satisfies Record<string, SocketOption>;

/** Opens a socket, close-on-exec and non-blocking as every socket of Tandem is. */
export function openSocket(
  family: number,
  kind: keyof typeof socketKinds,
  protocol: number,
  particulars: CallParticulars,
): number {
  const type = socketKinds[kind] | closeOnExec | nonBlocking;
  return checked(libc.socket(family, type, protocol), 'socket', particulars);
}

/** Sets an option to an integer or to the bytes of a structure. */
export function setSocketOption(
  fd: number,
  option: SocketOption,
  value: number | Uint8Array,
  particulars: CallParticulars = {},
): void {
  const bytes = typeof value === 'number' ? integerBytes(value) : value;
  const result = libc.setsockopt(fd, option.level, option.number, bytes, bytes.length);
  checked(result, `setsockopt ${option.name}`, particulars);
}

/** Sets an option that older kernels lack or that may be refused; says whether it took. */
export function trySocketOption(fd: number, option: SocketOption, value: number): boolean {
  const bytes = integerBytes(value);
  return libc.setsockopt(fd, option.level, option.number, bytes, bytes.length) === 0;
}

/** Reads an option that is an integer. */
export function readSocketOption(fd: number, option: SocketOption): number {
  const value = integerBytes(0);
  const length = integerBytes(value.length);
  const result = libc.getsockopt(fd, option.level, option.number, value, length);
  checked(result, `getsockopt ${option.name}`);
  return new DataView(value.buffer).getInt32(0, hostIsLittleEndian);
}

/**
 * Asks for a receive buffer: beyond the system's limit where privilege allows, else up to it.
 * The kernel keeps twice the size, for its own overhead.
 */
export function growReceiveBuffer(fd: number, bytes: number): void {
  if (trySocketOption(fd, socketOption.receiveBufferForce, bytes)) return;
  setSocketOption(fd, socketOption.receiveBuffer, bytes);
}

function integerBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, hostIsLittleEndian);
  return bytes;
}

/** The user of the process at the other end of a connected unix socket, when it connected. */
export function peerUserId(fd: number): number {
  // struct ucred (socket.h): pid, uid, gid, 32 bits each.
  const value = new Uint8Array(12);
  const length = integerBytes(value.length);
  const { level, number, name } = socketOption.peerCredentials;
  checked(libc.getsockopt(fd, level, number, value, length), `getsockopt ${name}`);
  return new DataView(value.buffer).getUint32(4, hostIsLittleEndian);
}
