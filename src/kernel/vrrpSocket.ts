/**
 * The raw socket that carries VRRP advertisements (RFC 9568, 5.1), of either family.
 *
 * It is bound to an interface, not to an address: a socket that is bound to a unicast address
 * hears no multicast. Each message names its source in control data instead.
 */
import { familyOf, type IpAddress } from '../wire/ipAddress.js';
import { vrrpGroup, vrrpProtocol } from '../wire/vrrp.js';
import { encodeSocketAddress, familyNumber } from './internetAddress.js';
import { readTimeUs, receivedAtUs } from './receiveTime.js';
import { receiveMessage, SocketMessage } from './socketMessage.js';
import { growReceiveBuffer, openSocket, setSocketOption, socketOption } from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';
import { closeDescriptor, closeOnFailure, noDescriptor, systemCallError } from './systemCall.js';
import { findOption, type VrrpSocketFamily, vrrpSocketFamily } from './vrrpSocketFamily.js';

/** The highest queueing priority that needs no privilege: adverts overtake bulk traffic. */
const queueingPriority = 6;
/** Room for the adverts of 255 virtual routers through a stall of several seconds. */
const receiveBufferBytes = 1_048_576;
/** Errors that are read past before a packet: a lost interface reports one, an ICMP too. */
const pendingErrorsMax = 4;
const errnoAgain = 11;
const errnoNetDown = 100;
/**
 * What an ICMP error leaves at a socket: EPROTO, ENOPROTOOPT, ECONNREFUSED, EHOSTUNREACH. The next
 * call reports it, whatever that was for. A peer whose daemon is not running answers every
 * advertisement so, and that is no fault of this side.
 */
const errnosOfIcmp: ReadonlySet<number> = new Set([71, 92, 111, 113]);

/** What {@link openVrrpSocket} needs to know. */
export interface VrrpSocketOptions {
  /** Name of the interface that adverts leave and arrive by. */
  readonly interface: string;
  /** Its index; the group is joined by it. */
  readonly interfaceIndex: number;
  /** Source address of what is sent, unless another is given; its family is that of the socket. */
  readonly source: IpAddress;
  /** False: it only sends, and joins no group; absent: it does both. */
  readonly listens?: boolean;
  /** Another IP protocol that comes to the group of VRRP; absent: VRRP itself. */
  readonly protocol?: number;
}

/** One packet as it arrived. */
export interface ReceivedPacket {
  /**
   * The whole packet, IP header first. The caller's own. The header of IPv6 is made from what the
   * kernel tells of it: addresses and hop limit.
   */
  readonly bytes: Uint8Array;
  /** The interface it came in by. */
  readonly interfaceIndex: number;
  /** When the kernel received it, on the monotonic clock, microseconds. */
  readonly receivedAtUs: number;
}

/** A non-blocking raw socket for IP protocol 112 on one interface. */
export interface VrrpSocket {
  /** For polling. */
  readonly fd: number;
  /** Packets that the kernel dropped because the socket was not read fast enough. */
  readonly dropped: number;
  /** The next packet; `undefined` when the socket is dry. */
  receive(): ReceivedPacket | undefined;
  /**
   * Sends one VRRP message; the kernel makes the IP header. It goes to the VRRP group and comes
   * from the source of the socket unless others are given. Throws `SYSTEM_CALL`, for example with
   * ENETDOWN when the interface is down and EINVAL or ENETUNREACH when it has lost the source
   * address.
   */
  send(message: Uint8Array, destination?: IpAddress, source?: IpAddress): void;
  /** Does what `send` does, but sends nothing: so that what it needs is at hand a moment later. */
  rehearse(message: Uint8Array, destination: IpAddress, source: IpAddress): void;
  close(): void;
}

/**
 * Opens a socket that sends and hears the adverts of one interface, its own ones excepted.
 *
 * Throws `PERMISSION` without CAP_NET_RAW, `SYSTEM_CALL` with ENODEV when there is no such
 * interface.
 */
export function openVrrpSocket(options: VrrpSocketOptions): VrrpSocket {
  const context = `VRRP on ${options.interface}`;
  const fd = openSocket(
    familyNumber(familyOf(options.source)),
    'raw',
    options.protocol ?? vrrpProtocol,
    {
      context,
      capability: 'CAP_NET_RAW',
    },
  );
  closeOnFailure(fd, () => configure(fd, options, context));
  return new RawVrrpSocket(fd, options, context);
}

function configure(fd: number, options: VrrpSocketOptions, context: string): void {
  const particulars = {
    context,
    capability: 'CAP_NET_RAW',
    hint: `Check with \`ip link\` that ${options.interface} exists and is up.`,
  } as const;
  const set = (option: Parameters<typeof setSocketOption>[1], value: number | Uint8Array) =>
    setSocketOption(fd, option, value, particulars);
  set(socketOption.bindToDevice, Buffer.from(`${options.interface}\0`));
  // Between its creation and this point the socket heard every interface.
  while (receiveMessage.receive(fd) >= 0);
  const listens = options.listens !== false;
  if (listens) growReceiveBuffer(fd, receiveBufferBytes);
  // The kernel makes the least of it that it can.
  else set(socketOption.receiveBuffer, 0);
  set(socketOption.timestampNs, 1);
  set(socketOption.overflowCount, 1);
  const family = vrrpSocketFamily(options.source);
  family.configure(set, options.interfaceIndex);
  if (listens) family.join(set, options.interfaceIndex);
  // Last, because the type of service sets a priority of its own.
  set(socketOption.priority, queueingPriority);
}

/** Used by all sockets of this thread: nothing runs between filling it and sending it. */
const sendMessage = new SocketMessage();

class RawVrrpSocket implements VrrpSocket {
  readonly fd: number;
  dropped = 0;
  readonly #context: string;
  readonly #options: VrrpSocketOptions;
  readonly #family: VrrpSocketFamily;

  constructor(fd: number, options: VrrpSocketOptions, context: string) {
    this.fd = fd;
    this.#context = context;
    this.#options = options;
    this.#family = vrrpSocketFamily(options.source);
  }

  receive(): ReceivedPacket | undefined {
    const length = this.#receiveLength();
    if (length === undefined) return undefined;
    const stampAt = findOption(socketOption.timestampNs);
    const droppedAt = findOption(socketOption.overflowCount);
    const control = receiveMessage.controlView;
    if (droppedAt !== undefined) this.dropped = control.getUint32(droppedAt, hostIsLittleEndian);
    const { bytes, interfaceIndex = this.#options.interfaceIndex } =
      this.#family.takePacket(length);
    return {
      bytes,
      interfaceIndex,
      receivedAtUs: receivedAtUs(stampAt === undefined ? undefined : readTimeUs(control, stampAt)),
    };
  }

  send(
    message: Uint8Array,
    destination: IpAddress = vrrpGroup(familyOf(this.#options.source)),
    source: IpAddress = this.#options.source,
  ): void {
    let result = this.#transmit(this.fd, message, destination, source);
    // An error that an earlier packet met ends the call before anything is sent.
    if (errnosOfIcmp.has(-result)) {
      result = this.#transmit(this.fd, message, destination, source);
    }
    if (result < 0) {
      throw systemCallError('sendmsg', -result, {
        context: `${this.#context}, to ${destination}`,
        capability: 'CAP_NET_RAW',
      });
    }
  }

  rehearse(message: Uint8Array, destination: IpAddress, source: IpAddress): void {
    this.#transmit(noDescriptor, message, destination, source);
  }

  close(): void {
    closeDescriptor(this.fd);
  }

  #transmit(fd: number, message: Uint8Array, destination: IpAddress, source: IpAddress): number {
    const { interfaceIndex } = this.#options;
    const name = encodeSocketAddress(destination, 0, interfaceIndex);
    const control = this.#family.encodeSource(source, interfaceIndex);
    sendMessage.name.set(name);
    sendMessage.control.set(control);
    sendMessage.data.set(message);
    const lengths = { name: name.length, control: control.length, data: message.length };
    return sendMessage.send(fd, lengths);
  }

  #receiveLength(): number | undefined {
    for (let attempt = 0; attempt < pendingErrorsMax; attempt += 1) {
      const length = receiveMessage.receive(this.fd);
      if (length >= 0) return length;
      if (length === -errnoAgain) return undefined;
      if (length !== -errnoNetDown && !errnosOfIcmp.has(-length)) {
        throw systemCallError('recvmsg', -length, { context: this.#context });
      }
    }
    return undefined;
  }
}
