/** Hears the adverts and gratuitous ARPs of a network, at its bridge. */
import { openPacketSocket, type PacketSocket } from '../kernel/packetSocket.js';
import { decodeArp } from '../wire/arp.js';
import {
  decodeEthernetFrame,
  etherTypeArp,
  etherTypeIpv4,
  formatMacAddress,
} from '../wire/ethernet.js';
import type { IpAddress } from '../wire/ipAddress.js';
import { decodeIpv4Packet } from '../wire/ipv4Header.js';
import { decodeAdvertisement, vrrpProtocol } from '../wire/vrrp.js';
import { WireError } from '../wire/wireError.js';
import type { LabNetwork } from './labNetwork.js';

/** One advertisement on the wire. */
export interface CapturedAdvert {
  readonly kind: 'advert';
  /** When the kernel had it, monotonic microseconds. */
  readonly atUs: number;
  readonly source: IpAddress;
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

/** What a capture keeps. */
export type CapturedFrame = CapturedAdvert | CapturedGratuitousArp;

/** Frames that one capture keeps; later ones are counted only. */
export const capturedFramesMax = 100_000;

/** How often the sockets are read dry, in milliseconds; their buffers hold far more. */
const readIntervalMs = 50;

/**
 * A running capture. The bridge hands a frame to the machine that it runs on only when the frame
 * is for everybody or for a group, so the load itself costs the capture nothing.
 */
export class Capture {
  readonly frames: CapturedFrame[] = [];
  /** Frames beyond the bound. */
  dropped = 0;
  readonly #sockets: readonly PacketSocket[];
  readonly #timer: NodeJS.Timeout;

  constructor(network: LabNetwork, name: string) {
    this.#sockets = network.atNetwork(name, (interfaceIndex) =>
      [etherTypeIpv4, etherTypeArp].map((etherType) =>
        openPacketSocket({ interfaceIndex, etherType, receive: true }),
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

/** Reads a frame; `undefined` when it is neither an advert nor a gratuitous ARP. */
export function interpretFrame(bytes: Uint8Array, atUs: number): CapturedFrame | undefined {
  try {
    const frame = decodeEthernetFrame(bytes);
    if (frame.etherType === etherTypeArp) return gratuitousArp(frame.payload, atUs);
    if (frame.etherType !== etherTypeIpv4) return undefined;
    const packet = decodeIpv4Packet(frame.payload);
    if (packet.protocol !== vrrpProtocol) return undefined;
    const { vrid, priority } = decodeAdvertisement(packet.payload);
    return { kind: 'advert', atUs, source: packet.source, vrid, priority };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
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
