/**
 * The UDP sockets that carry BFD control packets (RFC 5881, RFC 5883).
 *
 * Every session sends from a source port of its own and never from the port that it hears on, so
 * there are two kinds: one listener for all sessions of an interface, and one sender for each.
 */
import { bfdMultihopPort, bfdSingleHopPort, bfdSourcePortMin, bfdTimeToLive } from '../wire/bfd.js';
import { familyOf, type IpAddress, type IpFamily, ipAddress } from '../wire/ipAddress.js';
import { decodeSocketAddress, encodeSocketAddress, familyNumber } from './internetAddress.js';
import { readTimeUs, receivedAtUs } from './receiveTime.js';
import { receiveMessage } from './socketMessage.js';
import { growReceiveBuffer, openSocket, setSocketOption, socketOption } from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';
import {
  type CallParticulars,
  checked,
  closeDescriptor,
  closeOnFailure,
  lastErrno,
  libc,
  systemCallError,
} from './systemCall.js';

/** Internetwork control, as other routers mark their BFD packets. */
const typeOfService = 0xc0;
/** The highest queueing priority that needs no privilege. */
const queueingPriority = 6;
/** Room for the packets of many sessions through a stall of several seconds. */
const receiveBufferBytes = 262_144;
/** A sender hears nothing, so it gets the least that the kernel gives. */
const senderBufferBytes = 0;
/** How many source ports are tried before a session is refused one. */
const sourcePortTriesMax = 64;
const sourcePortCount = 65_536 - bfdSourcePortMin;
/** A socket that lost its interface reports it once; then it works on. */
const pendingErrorsMax = 4;
const errnoAgain = 11;
const errnoAddressInUse = 98;
const errnoNetDown = 100;

const anyAddress = { 4: ipAddress('0.0.0.0'), 6: ipAddress('::') } as const;

/** Where a listener hears. */
export type BfdListenerOptions =
  | {
      /** Neighbours on one interface. */
      readonly hops: 'single';
      readonly family: IpFamily;
      readonly interface: string;
    }
  | {
      /** Peers anywhere, by whatever interface, that know us by one address. */
      readonly hops: 'multi';
      readonly source: IpAddress;
      readonly interfaceIndex: number;
    };

/** One datagram as it arrived. */
export interface ReceivedBfdPacket {
  /** The UDP payload. The caller's own. */
  readonly bytes: Uint8Array;
  readonly source: IpAddress;
  /** Time to live, or hop limit; 0 when the kernel did not say. */
  readonly timeToLive: number;
  /** When the kernel received it, on the monotonic clock, microseconds. */
  readonly receivedAtUs: number;
}

/** A non-blocking socket that hears BFD control packets. */
export interface BfdListener {
  /** For polling. */
  readonly fd: number;
  /** Packets that the kernel dropped because the socket was not read fast enough. */
  readonly dropped: number;
  /** The next packet; `undefined` when the socket is dry. */
  receive(): ReceivedBfdPacket | undefined;
  close(): void;
}

/** Where a session sends to, and where from. */
export interface BfdSenderOptions {
  readonly source: IpAddress;
  readonly peer: IpAddress;
  readonly multihop: boolean;
  readonly interface: string;
  readonly interfaceIndex: number;
  /** Which source port to try first, counted from 49152 and taken modulo their number. */
  readonly portChoice: number;
}

/** A non-blocking socket that sends the packets of one session. */
export interface BfdSender {
  /** The source port, 49152..65535, the same for the life of the session (RFC 5881, 4). */
  readonly port: number;
  /** Sends one packet, with TTL 255. Throws `SYSTEM_CALL`, for example with ENETUNREACH. */
  send(packet: Uint8Array): void;
  close(): void;
}

/**
 * Opens a listener. Throws `SYSTEM_CALL` with EADDRINUSE when another program has BFD on the port,
 * with ENODEV when there is no such interface, `PERMISSION` without CAP_NET_RAW.
 */
export function openBfdListener(options: BfdListenerOptions): BfdListener {
  const single = options.hops === 'single';
  const family = single ? options.family : familyOf(options.source);
  const port = single ? bfdSingleHopPort : bfdMultihopPort;
  const where = single ? `on ${options.interface}` : `at ${options.source}`;
  const particulars: CallParticulars = {
    context: `BFD ${where}, port ${port}`,
    capability: 'CAP_NET_RAW',
    hint: `Check that no other program has UDP port ${port}, for example with \`ss -ulpn\`.`,
  };
  const fd = openSocket(familyNumber(family), 'datagram', 0, particulars);
  closeOnFailure(fd, () => {
    if (single) bindToDevice(fd, options.interface, particulars);
    const set = (option: Parameters<typeof setSocketOption>[1], value: number) =>
      setSocketOption(fd, option, value, particulars);
    // A thread that was ended by force leaves its socket to the process, which has no use for it.
    // Of two that agree to share a port, the kernel hands unicast packets to the one bound last.
    set(socketOption.reuseAddress, 1);
    growReceiveBuffer(fd, receiveBufferBytes);
    set(socketOption.timestampNs, 1);
    set(socketOption.overflowCount, 1);
    if (family === 6) set(socketOption.ipv6Only, 1);
    set(family === 4 ? socketOption.ipReceiveTimeToLive : socketOption.ipv6ReceiveHopLimit, 1);
    const address = single
      ? encodeSocketAddress(anyAddress[family], port)
      : encodeSocketAddress(options.source, port, options.interfaceIndex);
    checked(libc.bind(fd, address, address.length), 'bind', particulars);
  });
  return new UdpBfdListener(fd, family, particulars);
}

/**
 * Opens the socket of one session. Throws `SYSTEM_CALL` with EADDRNOTAVAIL when the interface has
 * lost the source address, with EADDRINUSE when no source port is free.
 */
export function openBfdSender(options: BfdSenderOptions): BfdSender {
  const { source, peer, multihop, interfaceIndex } = options;
  const particulars: CallParticulars = {
    context: `BFD from ${source} to ${peer}`,
    capability: 'CAP_NET_RAW',
  };
  const family = familyOf(source);
  const fd = openSocket(familyNumber(family), 'datagram', 0, particulars);
  const port = closeOnFailure(fd, () => {
    if (!multihop) bindToDevice(fd, options.interface, particulars);
    const set = (option: Parameters<typeof setSocketOption>[1], value: number) =>
      setSocketOption(fd, option, value, particulars);
    set(socketOption.receiveBuffer, senderBufferBytes);
    // The kernel derives a priority from the type of service, so that goes first.
    set(family === 4 ? socketOption.ipTypeOfService : socketOption.ipv6TrafficClass, typeOfService);
    set(socketOption.priority, queueingPriority);
    set(family === 4 ? socketOption.ipTimeToLive : socketOption.ipv6UnicastHops, bfdTimeToLive);
    return bindSourcePort(fd, options, particulars);
  });
  const destination = multihop ? bfdMultihopPort : bfdSingleHopPort;
  const address = encodeSocketAddress(peer, destination, interfaceIndex);
  return {
    port,
    send(packet) {
      const sent = libc.sendto(fd, packet, packet.length, 0, address, address.length);
      if (sent < 0) throw systemCallError('sendto', lastErrno(), particulars);
    },
    close: () => closeDescriptor(fd),
  };
}

function bindToDevice(fd: number, name: string, particulars: CallParticulars): void {
  setSocketOption(fd, socketOption.bindToDevice, Buffer.from(`${name}\0`), particulars);
}

function bindSourcePort(
  fd: number,
  { source, interfaceIndex, portChoice }: BfdSenderOptions,
  particulars: CallParticulars,
): number {
  for (let attempt = 1; ; attempt += 1) {
    const port = bfdSourcePortMin + ((portChoice + attempt) % sourcePortCount);
    const address = encodeSocketAddress(source, port, interfaceIndex);
    if (libc.bind(fd, address, address.length) === 0) return port;
    const errno = lastErrno();
    if (errno !== errnoAddressInUse || attempt >= sourcePortTriesMax) {
      throw systemCallError('bind', errno, particulars);
    }
  }
}

class UdpBfdListener implements BfdListener {
  readonly fd: number;
  dropped = 0;
  readonly #family: IpFamily;
  readonly #particulars: CallParticulars;

  constructor(fd: number, family: IpFamily, particulars: CallParticulars) {
    this.fd = fd;
    this.#family = family;
    this.#particulars = particulars;
  }

  receive(): ReceivedBfdPacket | undefined {
    const length = this.#receiveLength();
    if (length === undefined) return undefined;
    const control = receiveMessage.controlView;
    const stampAt = findControl(socketOption.timestampNs);
    const droppedAt = findControl(socketOption.overflowCount);
    const hopsAt = findControl(
      this.#family === 4 ? socketOption.ipTimeToLive : socketOption.ipv6HopLimit,
    );
    if (droppedAt !== undefined) this.dropped = control.getUint32(droppedAt, hostIsLittleEndian);
    return {
      bytes: receiveMessage.data.slice(0, length),
      source: decodeSocketAddress(receiveMessage.name, this.#family).address,
      timeToLive: hopsAt === undefined ? 0 : control.getInt32(hopsAt, hostIsLittleEndian),
      receivedAtUs: receivedAtUs(stampAt === undefined ? undefined : readTimeUs(control, stampAt)),
    };
  }

  close(): void {
    closeDescriptor(this.fd);
  }

  #receiveLength(): number | undefined {
    for (let attempt = 0; attempt < pendingErrorsMax; attempt += 1) {
      const length = receiveMessage.receive(this.fd);
      if (length >= 0) return length;
      if (length === -errnoAgain) return undefined;
      if (length !== -errnoNetDown) throw systemCallError('recvmsg', -length, this.#particulars);
    }
    return undefined;
  }
}

function findControl(option: { readonly level: number; readonly number: number }) {
  return receiveMessage.findControl(option.level, option.number);
}
