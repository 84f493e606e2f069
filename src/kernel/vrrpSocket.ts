/**
 * The raw IPv4 socket that carries VRRP advertisements (RFC 9568, 5.1).
 *
 * It is bound to an interface, not to an address: a socket that is bound to a unicast address
 * hears no multicast. Each message names its source in control data instead.
 */
import { type IpAddress, ipAddress, ipToBytes } from '../wire/ipAddress.js';
import { internetAddressStruct, multicastRequestStruct, packetInfoStruct } from './linuxStructs.js';
import { readTimeUs, receivedAtUs } from './receiveTime.js';
import { encodeControl, receiveMessage, SocketMessage } from './socketMessage.js';
import {
  addressFamily,
  growReceiveBuffer,
  openSocket,
  setSocketOption,
  socketOption,
} from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';
import { closeDescriptor, closeOnFailure, systemCallError } from './systemCall.js';

/** The IP protocol number of VRRP. */
export const vrrpProtocol = 112;
/** Where adverts go: the VRRP group (RFC 9568, 5.1.1.2). */
export const vrrpGroup = ipAddress('224.0.0.18');

/** The only TTL that a receiver accepts (RFC 9568, 5.1.1.3). */
const timeToLive = 255;
/** Internetwork control, as keepalived and other routers mark their adverts. */
const typeOfService = 0xc0;
/** The highest queueing priority that needs no privilege: adverts overtake bulk traffic. */
const queueingPriority = 6;
/** Room for the adverts of 255 virtual routers through a stall of several seconds. */
const receiveBufferBytes = 1_048_576;
/** A socket that lost its interface reports it once; then it works on. */
const pendingErrorsMax = 4;
const errnoAgain = 11;
const errnoNetDown = 100;

/** What {@link openVrrpSocket} needs to know. */
export interface VrrpSocketOptions {
  /** Name of the interface that adverts leave and arrive by. */
  readonly interface: string;
  /** Its index; the group is joined by it. */
  readonly interfaceIndex: number;
  /** Source address of what is sent; the interface must have it. */
  readonly source: IpAddress;
}

/** One packet as it arrived. */
export interface ReceivedPacket {
  /** The whole packet, IPv4 header first. The caller's own. */
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
   * Sends one VRRP message; the kernel makes the IP header. The destination is the VRRP group
   * unless another is given. Throws `SYSTEM_CALL`, for example with ENETDOWN when the interface
   * is down and EINVAL or ENETUNREACH when it has lost the source address.
   */
  send(message: Uint8Array, destination?: IpAddress): void;
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
  const fd = openSocket(addressFamily.inet, 'raw', vrrpProtocol, {
    context,
    capability: 'CAP_NET_RAW',
  });
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
  growReceiveBuffer(fd, receiveBufferBytes);
  set(socketOption.timestampNs, 1);
  set(socketOption.overflowCount, 1);
  set(socketOption.ipPacketInfo, 1);
  set(socketOption.ipTypeOfService, typeOfService);
  set(socketOption.priority, queueingPriority);
  set(socketOption.ipTimeToLive, timeToLive);
  set(socketOption.ipMulticastTimeToLive, timeToLive);
  set(socketOption.ipMulticastLoop, 0);
  // Hear only what this socket joined, not what any other program of the machine joined.
  set(socketOption.ipMulticastAll, 0);
  const { interfaceIndex } = options;
  set(socketOption.ipMulticastInterface, multicastRequestStruct.encode({ interfaceIndex }));
  const membership = { group: ipToBytes(vrrpGroup), interfaceIndex };
  set(socketOption.ipAddMembership, multicastRequestStruct.encode(membership));
}

/** Used by all sockets of this thread: nothing runs between filling it and sending it. */
const sendMessage = new SocketMessage();

class RawVrrpSocket implements VrrpSocket {
  readonly fd: number;
  dropped = 0;
  readonly #context: string;
  readonly #interfaceIndex: number;
  /** Names source and interface of every packet, as control data of its sendmsg. */
  readonly #packetInfo: Uint8Array;

  constructor(fd: number, options: VrrpSocketOptions, context: string) {
    this.fd = fd;
    this.#context = context;
    this.#interfaceIndex = options.interfaceIndex;
    this.#packetInfo = encodeControl(
      socketOption.ipPacketInfo.level,
      socketOption.ipPacketInfo.number,
      packetInfoStruct.encode({
        interfaceIndex: options.interfaceIndex,
        localAddress: ipToBytes(options.source),
      }),
    );
  }

  receive(): ReceivedPacket | undefined {
    const length = this.#receiveLength();
    if (length === undefined) return undefined;
    const stampAt = findOption(socketOption.timestampNs);
    const droppedAt = findOption(socketOption.overflowCount);
    const infoAt = findOption(socketOption.ipPacketInfo);
    const control = receiveMessage.controlView;
    if (droppedAt !== undefined) this.dropped = control.getUint32(droppedAt, hostIsLittleEndian);
    return {
      bytes: receiveMessage.data.slice(0, length),
      interfaceIndex:
        infoAt === undefined
          ? this.#interfaceIndex
          : control.getInt32(infoAt + packetInfoStruct.offsets.interfaceIndex, hostIsLittleEndian),
      receivedAtUs: receivedAtUs(stampAt === undefined ? undefined : readTimeUs(control, stampAt)),
    };
  }

  send(message: Uint8Array, destination: IpAddress = vrrpGroup): void {
    const address = { family: addressFamily.inet, address: ipToBytes(destination) };
    sendMessage.name.set(internetAddressStruct.encode(address));
    sendMessage.control.set(this.#packetInfo);
    sendMessage.data.set(message);
    const result = sendMessage.send(this.fd, {
      name: internetAddressStruct.size,
      control: this.#packetInfo.length,
      data: message.length,
    });
    if (result < 0) {
      throw systemCallError('sendmsg', -result, {
        context: `${this.#context}, to ${destination}`,
        capability: 'CAP_NET_RAW',
      });
    }
  }

  close(): void {
    closeDescriptor(this.fd);
  }

  #receiveLength(): number | undefined {
    for (let attempt = 0; attempt < pendingErrorsMax; attempt += 1) {
      const length = receiveMessage.receive(this.fd);
      if (length >= 0) return length;
      if (length === -errnoAgain) return undefined;
      if (length !== -errnoNetDown) {
        throw systemCallError('recvmsg', -length, { context: this.#context });
      }
    }
    return undefined;
  }
}

function findOption(option: { readonly level: number; readonly number: number }) {
  return receiveMessage.findControl(option.level, option.number);
}
