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
  formatMacAddress,
} from '../../wire/ethernet.js';
import { encodeIcmpEcho } from '../../wire/icmp.js';
import type { IpAddress } from '../../wire/ipAddress.js';
import { decodeIpv4Packet, encodeIpv4Packet, ipv4Layout } from '../../wire/ipv4Header.js';
import { WireError } from '../../wire/wireError.js';
import type { LinkFact } from '../facts.js';
import { EchoAnswers, type EchoTarget } from './echoAnswers.js';

/** Every EtherType, because a link above this one may have taken ARP or IP for itself. */
const everyType = 'all';
const protocolIcmp = 1;
const protocolIpip = 4;
const timeToLive = 64;
const zeroMacAddress = new Uint8Array(6);
/** A question is asked this often, since frames get lost; without an answer once more. */
const attempts = 2;
const pollIntervalMs = 5;

/** How long answers are awaited after each asking, in milliseconds. */
export const answerWaitMs = 250;

/** Who has an address? */
export interface ArpQuestion {
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
  async askArp(questions: readonly ArpQuestion[]): Promise<ReadonlyMap<IpAddress, string[]>> {
    const answers = new Map<IpAddress, string[]>(questions.map(({ target }) => [target, []]));
    await this.#ask(
      () => {
        for (const { target, sender } of questions) this.#send(this.#arpRequest(target, sender));
      },
      (frame) => {
        const { etherType, payload } = decodeEthernetFrame(frame);
        if (etherType !== etherTypeArp) return;
        const { operation, senderAddress, senderMacAddress } = decodeArp(payload);
        const found = operation === 'reply' ? answers.get(senderAddress) : undefined;
        const mac = formatMacAddress(senderMacAddress);
        if (found !== undefined && !found.includes(mac)) found.push(mac);
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
        if (etherType !== etherTypeIpv4) return;
        // A bridge may show frames that it sends on to others.
        if (formatMacAddress(destination) !== this.#link.macAddress && !isVirtual(destination)) {
          return;
        }
        answers.hear(decodeIpv4Packet(payload));
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

  #arpRequest(target: IpAddress, sender: IpAddress): Uint8Array {
    return encodeEthernetFrame({
      destination: broadcastMacAddress,
      source: this.#macAddress,
      etherType: etherTypeArp,
      payload: encodeArp({
        operation: 'request',
        senderMacAddress: this.#macAddress,
        senderAddress: sender,
        targetMacAddress: zeroMacAddress,
        targetAddress: target,
      }),
    });
  }

  #ping(question: EchoQuestion, identifier: number, sequence: number): Uint8Array {
    const { source, destination, tunnel, bytes = 0, to } = question;
    const headers = ipv4Layout.byteLength + 8;
    const payload = new Uint8Array(Math.max(0, bytes - headers));
    const unfragmented = bytes > 0;
    const common = { timeToLive, unfragmented };
    const echo = encodeIcmpEcho({ kind: 'request', identifier, sequence, payload });
    const inner = encodeIpv4Packet({
      ...common,
      protocol: protocolIcmp,
      source,
      destination,
      payload: echo,
    });
    const packet =
      tunnel === undefined
        ? inner
        : encodeIpv4Packet({ ...common, protocol: protocolIpip, ...tunnel, payload: inner });
    return encodeEthernetFrame({
      destination: to,
      source: this.#macAddress,
      etherType: etherTypeIpv4,
      payload: packet,
    });
  }
}

/** Whether a frame is for a virtual router's own MAC address (RFC 9568, 7.3). */
function isVirtual(macAddress: Uint8Array): boolean {
  return formatMacAddress(macAddress).startsWith('00:00:5e:00:01:');
}
