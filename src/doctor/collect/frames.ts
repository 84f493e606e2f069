/**
 * Asks the machines of a link by frames of our own: who has an address, and whether a server takes
 * a packet. What comes back is heard at the link, before the kernel of this machine judges it.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPacketSocket, type PacketSocket } from '../../kernel/packetSocket.js';
import { decodeArp, encodeArp } from '../../wire/arp.js';
import {
  broadcastMacAddress,
  decodeEthernetFrame,
  encodeEthernetFrame,
  etherTypeArp,
  etherTypeIpv4,
  etherTypeIpv6,
  formatMacAddress,
} from '../../wire/ethernet.js';
import { encodeIcmpEcho } from '../../wire/icmp.js';
import { encodeIcmpv6Echo, icmpv6Protocol } from '../../wire/icmpv6.js';
import { familyOf, type IpAddress } from '../../wire/ipAddress.js';
import { decodeIpPacket } from '../../wire/ipPacket.js';
import { encodeIpv4Packet, ipv4Layout } from '../../wire/ipv4Header.js';
import { decodeIpv6Packet, encodeIpv6Packet, ipv6Layout } from '../../wire/ipv6Header.js';
import { decodeNeighborAdvertisement, encodeNeighborSolicitation } from '../../wire/ndp.js';
import { encodeTunnelPacket } from '../../wire/tunnel.js';
import { WireError } from '../../wire/wireError.js';
import type { LinkFact } from '../facts.js';
import { EchoAnswers, type EchoTarget } from './echoAnswers.js';

/** Every EtherType, because a link above this one may have taken ARP or IP for itself. */
const everyType = 'all';
const protocolIcmp = 1;
const timeToLive = 64;
/** Of an echo of either ICMP. */
const echoHeaderBytes = 8;
const zeroMacAddress = new Uint8Array(6);
/** A question is asked this often, since frames get lost; without an answer once more. */
const attempts = 2;
const pollIntervalMs = 5;

/** How long answers are awaited after each asking, in milliseconds. */
export const answerWaitMs = 250;

/** Who has an address? Asked by ARP, or by neighbor discovery for IPv6. */
export interface HolderQuestion {
  readonly target: IpAddress;
  /** The address that asks; `0.0.0.0` when this machine has none there (RFC 5227). */
  readonly sender: IpAddress;
  /** Whether somebody should answer; where nobody should, silence is not asked again. */
  readonly isExpected: boolean;
}

/** Does a machine answer this ping? */
export interface EchoQuestion extends EchoTarget {
  readonly to: Uint8Array;
  readonly source: IpAddress;
  /** The length of the packet; small when left out. */
  readonly bytes?: number;
}

/** Asks on one link at a time. */
export class LinkAsker {
  readonly #link: LinkFact;
  readonly #macAddress: Uint8Array;
  readonly #socket: PacketSocket;

  /** Throws `PERMISSION` without CAP_NET_RAW, `SYSTEM_CALL` when the link is gone. */
  constructor(link: LinkFact) {
    this.#link = link;
    this.#macAddress = Uint8Array.from(link.macAddress.split(':'), (text) =>
      Number.parseInt(text, 16),
    );
    this.#socket = openPacketSocket({
      interfaceIndex: link.index,
      etherType: everyType,
      receive: true,
    });
  }

  /** The MAC addresses that answer for each address. Hears out the whole time: there may be two. */
  async askHolders(
    questions: readonly HolderQuestion[],
  ): Promise<ReadonlyMap<IpAddress, string[]>> {
    const answers = new Map<IpAddress, string[]>(questions.map(({ target }) => [target, []]));
    await this.#ask(
      () => {
        for (const question of questions) this.#send(this.#holderRequest(question));
      },
      (frame) => {
        const { address, macAddress } = holderOf(frame) ?? {};
        const found = address === undefined ? undefined : answers.get(address);
        if (found === undefined || macAddress === undefined) return;
        const mac = formatMacAddress(macAddress);
        if (!found.includes(mac)) found.push(mac);
      },
      (attempt) =>
        attempt >= attempts &&
        questions.every(({ target, isExpected }) => !isExpected || answers.get(target)?.length),
    );
    return answers;
  }

  /** What becomes of each ping, as far as it comes back to this machine's own MAC addresses. */
  async askEcho(questions: readonly EchoQuestion[]): Promise<EchoAnswers['outcomes']> {
    const identifier = randomBytes(2).readUInt16BE();
    const answers = new EchoAnswers(questions, identifier);
    await this.#ask(
      () => {
        for (const [sequence, question] of questions.entries()) {
          if (answers.outcomes[sequence] !== 'silent') continue;
          this.#send(this.#ping(question, identifier, sequence));
        }
      },
      (frame) => {
        const { destination, etherType, payload } = decodeEthernetFrame(frame);
        if (etherType !== etherTypeIpv4 && etherType !== etherTypeIpv6) return;
        // A bridge may show frames that it sends on to others.
        if (formatMacAddress(destination) !== this.#link.macAddress && !isVirtual(destination)) {
          return;
        }
        answers.hear(decodeIpPacket(payload));
      },
      () => answers.isComplete,
    );
    return answers.outcomes;
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(
    send: () => void,
    hear: (frame: Uint8Array) => void,
    isDone: (attempt: number) => boolean,
  ): Promise<void> {
    for (let attempt = 0; attempt <= attempts && !isDone(attempt); attempt += 1) {
      send();
      const deadline = performance.now() + answerWaitMs;
      while (performance.now() < deadline && !isDone(attempt)) {
        await sleep(pollIntervalMs);
        this.#drain(hear);
      }
    }
  }

  #drain(hear: (frame: Uint8Array) => void): void {
    for (let frame = this.#socket.receive(); frame; frame = this.#socket.receive()) {
      if (frame.outgoing) continue;
      try {
        hear(frame.bytes);
      } catch (error) {
        // Whatever passes the link comes here; what is not for us may be anything.
        if (!(error instanceof WireError)) throw error;
      }
    }
  }

  #send(frame: Uint8Array): void {
    this.#socket.send(frame);
  }

  #holderRequest({ target, sender }: HolderQuestion): Uint8Array {
    const macAddress = this.#macAddress;
    if (familyOf(target) === 6) return encodeNeighborSolicitation({ target, sender, macAddress });
    return encodeEthernetFrame({
      destination: broadcastMacAddress,
      source: macAddress,
      etherType: etherTypeArp,
      payload: encodeArp({
        operation: 'request',
        senderMacAddress: macAddress,
        senderAddress: sender,
        targetMacAddress: zeroMacAddress,
        targetAddress: target,
      }),
    });
  }

  #ping(question: EchoQuestion, identifier: number, sequence: number): Uint8Array {
    const { destination, tunnel, to } = question;
    const inner = pingPacket(question, identifier, sequence);
    const innerFamily = familyOf(destination);
    const outerFamily = familyOf(tunnel?.destination ?? destination);
    return encodeEthernetFrame({
      destination: to,
      source: this.#macAddress,
      etherType: outerFamily === 4 ? etherTypeIpv4 : etherTypeIpv6,
      payload:
        tunnel === undefined
          ? inner
          : encodeTunnelPacket({ ...tunnel, timeToLive, inner, innerFamily }),
    });
  }
}

/** A ping with its header; one of a given size must not be cut on its way. */
function pingPacket(
  { source, destination, bytes = 0 }: EchoQuestion,
  identifier: number,
  sequence: number,
): Uint8Array {
  const isIpv4 = familyOf(destination) === 4;
  const headers = (isIpv4 ? ipv4Layout : ipv6Layout).byteLength + echoHeaderBytes;
  const payload = new Uint8Array(Math.max(0, bytes - headers));
  const echo = { kind: 'request', identifier, sequence, payload } as const;
  const path = { source, destination };
  if (isIpv4) {
    return encodeIpv4Packet({
      ...path,
      timeToLive,
      unfragmented: bytes > 0,
      protocol: protocolIcmp,
      payload: encodeIcmpEcho(echo),
    });
  }
  return encodeIpv6Packet({
    ...path,
    trafficClass: 0,
    hopLimit: timeToLive,
    nextHeader: icmpv6Protocol,
    payload: encodeIcmpv6Echo(echo, path),
  });
}

/** Who says to have which address; `undefined` for what is no such answer. */
function holderOf(
  frame: Uint8Array,
): { readonly address: IpAddress; readonly macAddress: Uint8Array } | undefined {
  const { etherType, payload } = decodeEthernetFrame(frame);
  if (etherType === etherTypeIpv6) return decodeNeighborAdvertisement(decodeIpv6Packet(payload));
  if (etherType !== etherTypeArp) return undefined;
  const { operation, senderAddress, senderMacAddress } = decodeArp(payload);
  return operation === 'reply'
    ? { address: senderAddress, macAddress: senderMacAddress }
    : undefined;
}

/** Whether a frame is for a virtual router's own MAC address (RFC 9568, 7.3). */
function isVirtual(macAddress: Uint8Array): boolean {
  return /^00:00:5e:00:0[12]:/.test(formatMacAddress(macAddress));
}
