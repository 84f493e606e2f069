/** Hears the adverts and announcements of a network, at its bridge. */
import { openPacketSocket, type PacketSocket } from '../kernel/packetSocket.js';
import { decodeArp } from '../wire/arp.js';
import {
  decodeEthernetFrame,
  type EthernetFrame,
  etherTypeArp,
  etherTypeIpv4,
  etherTypeIpv6,
  formatMacAddress,
} from '../wire/ethernet.js';
import type { IpAddress } from '../wire/ipAddress.js';
import { decodeIpPacket } from '../wire/ipPacket.js';
import { decodeIpv6Packet } from '../wire/ipv6Header.js';
import { decodeUnsolicitedNeighborAdvertisement } from '../wire/ndp.js';
import {
  advertisementLength,
  decodeAdvertisement,
  vrrpHeader,
  vrrpProtocol,
} from '../wire/vrrp.js';
import { WireError } from '../wire/wireError.js';
import type { LabNetwork } from './labNetwork.js';

/** One advertisement on the wire. */
export interface CapturedAdvert {
  readonly kind: 'advert';
  /** When the kernel had it, monotonic microseconds. */
  readonly atUs: number;
  readonly source: IpAddress;
  /** The group, or the peer. */
  readonly destination: IpAddress;
  /** Where the frame came from. */
  readonly macAddress: string;
  readonly version: number;
  readonly vrid: number;
  readonly priority: number;
}

/** One gratuitous ARP on the wire. */
export interface CapturedGratuitousArp {
  readonly kind: 'gratuitous-arp';
  readonly atUs: number;
  readonly address: IpAddress;
  readonly macAddress: string;
}

/** One unsolicited neighbor advertisement on the wire, which is the same thing for IPv6. */
export interface CapturedNeighborAdvertisement {
  readonly kind: 'neighbor-advertisement';
  readonly atUs: number;
  readonly address: IpAddress;
  readonly macAddress: string;
}

/** What a capture keeps. */
export type CapturedFrame = CapturedAdvert | CapturedGratuitousArp | CapturedNeighborAdvertisement;

/** Frames that one capture keeps; later ones are counted only. */
export const capturedFramesMax = 100_000;

/** How often the sockets are read dry, in milliseconds; their buffers hold far more. */
const readIntervalMs = 50;

/**
 * A running capture. The bridge hands a frame to the machine that it runs on only when the frame
 * is for everybody or for a group, so the load itself costs the capture nothing. What unicast
 * peers send to each other is heard with `promiscuous` only.
 */
export class Capture {
  readonly frames: CapturedFrame[] = [];
  /** Frames beyond the bound. */
  dropped = 0;
  readonly #sockets: readonly PacketSocket[];
  readonly #timer: NodeJS.Timeout;

  constructor(network: LabNetwork, name: string, promiscuous = false) {
    this.#sockets = network.atNetwork(name, (interfaceIndex) =>
      [etherTypeIpv4, etherTypeArp, etherTypeIpv6].map((etherType) =>
        openPacketSocket({ interfaceIndex, etherType, receive: true, promiscuous }),
      ),
    );
    this.#timer = setInterval(() => this.#read(), readIntervalMs);
  }

  /** Ends it; the frames stay, in the order of their times. */
  stop(): readonly CapturedFrame[] {
    clearInterval(this.#timer);
    this.#read();
    for (const socket of this.#sockets) socket.close();
    return this.frames.sort((left, right) => left.atUs - right.atUs);
  }

  #read(): void {
    for (const socket of this.#sockets) {
      for (let frame = socket.receive(); frame !== undefined; frame = socket.receive()) {
        const captured = interpretFrame(frame.bytes, frame.receivedAtUs);
        if (captured === undefined) continue;
        if (this.frames.length < capturedFramesMax) this.frames.push(captured);
        else this.dropped += 1;
      }
    }
  }
}

/** Reads a frame; `undefined` when it is neither an advert nor an announcement. */
export function interpretFrame(bytes: Uint8Array, atUs: number): CapturedFrame | undefined {
  try {
    const frame = decodeEthernetFrame(bytes);
    if (frame.etherType === etherTypeArp) return gratuitousArp(frame.payload, atUs);
    if (frame.etherType !== etherTypeIpv4 && frame.etherType !== etherTypeIpv6) return undefined;
    return advert(frame, atUs) ?? neighborAdvertisement(frame, atUs);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function advert(frame: EthernetFrame, atUs: number): CapturedAdvert | undefined {
  const packet = decodeIpPacket(frame.payload);
  if (packet.protocol !== vrrpProtocol) return undefined;
  const { source, destination } = packet;
  const header = vrrpHeader.decode(packet.payload);
  // An authentication trailer may follow.
  const message = packet.payload.subarray(0, advertisementLength(header, packet.family));
  const { vrid, priority } = decodeAdvertisement(message, packet.family);
  const { version } = header;
  const macAddress = formatMacAddress(frame.source);
  return { kind: 'advert', atUs, source, destination, macAddress, version, vrid, priority };
}

function neighborAdvertisement(
  frame: EthernetFrame,
  atUs: number,
): CapturedNeighborAdvertisement | undefined {
  if (frame.etherType !== etherTypeIpv6) return undefined;
  const packet = decodeIpv6Packet(frame.payload);
  const { address, macAddress } = decodeUnsolicitedNeighborAdvertisement(packet);
  return {
    kind: 'neighbor-advertisement',
    atUs,
    address,
    macAddress: formatMacAddress(macAddress),
  };
}

function gratuitousArp(payload: Uint8Array, atUs: number): CapturedGratuitousArp | undefined {
  const message = decodeArp(payload);
  // An address that asks for itself announces itself (RFC 5227, 3).
  if (message.senderAddress !== message.targetAddress) return undefined;
  return {
    kind: 'gratuitous-arp',
    atUs,
    address: message.senderAddress,
    macAddress: formatMacAddress(message.senderMacAddress),
  };
}
