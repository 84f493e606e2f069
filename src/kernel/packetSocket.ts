/**
 * The packet socket (packet(7)) that sends and receives whole link-layer frames: gratuitous ARP
 * on its way out, and in tests and drills whatever passes an interface.
 */
import type { TandemError } from '../errors.js';
import { frameAddress, sendFrames } from './frameBurst.js';
import { linkAddressStruct, packetMembershipStruct } from './linuxStructs.js';
import { readTimeUs, receivedAtUs } from './receiveTime.js';
import { receiveMessage } from './socketMessage.js';
import {
  addressFamily,
  growReceiveBuffer,
  openSocket,
  setSocketOption,
  socketOption,
} from './socketOptions.js';
import {
  checked,
  closeDescriptor,
  closeOnFailure,
  lastErrno,
  libc,
  noDescriptor,
  systemCallError,
} from './systemCall.js';

/** EtherType that stands for all of them (if_ether.h, ETH_P_ALL). */
const etherTypeAll = 0x0003;
/** Packet type of a frame that this machine sent (if_packet.h). */
const packetOutgoing = 4;
/** Membership of what an interface would not take in: everything (if_packet.h). */
const membershipPromiscuous = 1;
const receiveBufferBytes = 1_048_576;
const pendingErrorsMax = 4;
const errnoAgain = 11;
const errnoNetDown = 100;

/** What {@link openPacketSocket} needs to know. */
export interface PacketSocketOptions {
  readonly interfaceIndex: number;
  /** The EtherType to receive, in host order (0x0806 is ARP), or every one of them. */
  readonly etherType: number | 'all';
  /** Whether frames are received at all; one that only sends costs the receive path nothing. */
  readonly receive: boolean;
  /** Whether frames for other stations are received too, while the socket is open. */
  readonly promiscuous?: boolean;
}

/** One frame as it passed. */
export interface ReceivedFrame {
  /** The whole frame, link-layer header first. The caller's own. */
  readonly bytes: Uint8Array;
  /** When the kernel received it, on the monotonic clock, microseconds. */
  readonly receivedAtUs: number;
  /** Whether this machine sent it; seen only with `etherType: 'all'`. */
  readonly outgoing: boolean;
}

/** A non-blocking packet socket on one interface. */
export interface PacketSocket {
  /** For polling. */
  readonly fd: number;
  /** Sends one frame, link-layer header first. Throws `SYSTEM_CALL`, ENETDOWN on a link down. */
  send(frame: Uint8Array): void;
  /** Sends short frames in few calls. One result for each, as long as it was sent: `undefined`. */
  sendAll(frames: readonly Uint8Array[]): readonly (TandemError | undefined)[];
  /** Does what `sendAll` does, but sends nothing: so that what it needs is at hand later. */
  rehearse(frames: readonly Uint8Array[]): void;
  /** The next frame; `undefined` when the socket is dry. */
  receive(): ReceivedFrame | undefined;
  close(): void;
}

/**
 * Opens a packet socket. Throws `PERMISSION` without CAP_NET_RAW, `SYSTEM_CALL` with ENODEV when
 * there is no such interface.
 */
export function openPacketSocket(options: PacketSocketOptions): PacketSocket {
  const context = `packets of interface index ${options.interfaceIndex}`;
  const particulars = { context, capability: 'CAP_NET_RAW' } as const;
  // Protocol 0 hears nothing, so no frame of another interface comes in before the bind.
  const fd = openSocket(addressFamily.packet, 'raw', 0, particulars);
  closeOnFailure(fd, () => {
    if (options.receive) {
      growReceiveBuffer(fd, receiveBufferBytes);
      setSocketOption(fd, socketOption.timestampNs, 1, particulars);
    }
    const etherType = options.etherType === 'all' ? etherTypeAll : options.etherType;
    const address = linkAddressStruct.encode({
      family: addressFamily.packet,
      protocol: options.receive ? etherType : 0,
      interfaceIndex: options.interfaceIndex,
    });
    checked(libc.bind(fd, address, address.length), 'bind', particulars);
    if (options.promiscuous !== true) return;
    const { interfaceIndex } = options;
    const membership = packetMembershipStruct.encode({
      interfaceIndex,
      type: membershipPromiscuous,
    });
    setSocketOption(fd, socketOption.packetAddMembership, membership, particulars);
  });
  return new BoundPacketSocket(fd, options, context);
}

class BoundPacketSocket implements PacketSocket {
  readonly fd: number;
  readonly #options: PacketSocketOptions;
  readonly #context: string;

  constructor(fd: number, options: PacketSocketOptions, context: string) {
    this.fd = fd;
    this.#options = options;
    this.#context = context;
  }

  send(frame: Uint8Array): void {
    if (this.#transmit(frame) >= 0) return;
    throw systemCallError('sendto', lastErrno(), {
      context: `a frame of ${frame.length} bytes; ${this.#context}`,
      capability: 'CAP_NET_RAW',
    });
  }

  sendAll(frames: readonly Uint8Array[]): readonly (TandemError | undefined)[] {
    return sendFrames(this.fd, this.#options.interfaceIndex, frames).map((errno) =>
      errno === 0
        ? undefined
        : systemCallError('sendmmsg', errno, {
            context: `frames; ${this.#context}`,
            capability: 'CAP_NET_RAW',
          }),
    );
  }

  rehearse(frames: readonly Uint8Array[]): void {
    sendFrames(noDescriptor, this.#options.interfaceIndex, frames);
  }

  #transmit(frame: Uint8Array): number {
    const address = frameAddress(frame, this.#options.interfaceIndex);
    return libc.sendto(this.fd, frame, frame.length, 0, address, address.length);
  }

  receive(): ReceivedFrame | undefined {
    const length = this.#receiveLength();
    if (length === undefined) return undefined;
    const { level, number } = socketOption.timestampNs;
    const stampAt = receiveMessage.findControl(level, number);
    const packetType = receiveMessage.nameView.getUint8(linkAddressStruct.offsets.packetType);
    const stampUs =
      stampAt === undefined ? undefined : readTimeUs(receiveMessage.controlView, stampAt);
    return {
      bytes: receiveMessage.data.slice(0, length),
      receivedAtUs: receivedAtUs(stampUs),
      outgoing: packetType === packetOutgoing,
    };
  }

  close(): void {
    closeDescriptor(this.fd);
  }

  /** An interface that goes down leaves one ENETDOWN behind, ahead of the frames that waited. */
  #receiveLength(): number | undefined {
    if (!this.#options.receive) return undefined;
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
