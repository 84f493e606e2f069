/** What comes back of pings, judged. Keeps no time and touches no socket. */
import { decodeIcmpEcho, decodeIcmpUnreachable } from '../../wire/icmp.js';
import type { IpAddress } from '../../wire/ipAddress.js';
import type { Ipv4Packet } from '../../wire/ipv4Header.js';
import type { EchoOutcome } from '../facts.js';

/** Where a ping went. */
export interface EchoTarget {
  readonly destination: IpAddress;
  /** Set for a ping inside of a tunnel. */
  readonly tunnel?: { readonly source: IpAddress; readonly destination: IpAddress };
}

const protocolIcmp = 1;
const protocolIpip = 4;
const echoReplyType = 0;
const unreachable = { type: 3, noProtocol: 2, tooLarge: 4 } as const;

/** The outcome of each ping, by its sequence number. */
export class EchoAnswers {
  readonly #targets: readonly EchoTarget[];
  readonly #identifier: number;
  readonly #outcomes: Exclude<EchoOutcome, undefined>[];

  constructor(targets: readonly EchoTarget[], identifier: number) {
    this.#targets = targets;
    this.#identifier = identifier;
    this.#outcomes = targets.map(() => 'silent');
  }

  get outcomes(): readonly Exclude<EchoOutcome, undefined>[] {
    return this.#outcomes;
  }

  /** Whether nothing more can be heard. */
  get isComplete(): boolean {
    return this.#outcomes.every((outcome) => outcome !== 'silent');
  }

  /** Takes a packet that came in. Throws `WireError` for one that is not what it says. */
  hear({ protocol, source, payload }: Ipv4Packet): void {
    if (protocol !== protocolIcmp) return;
    if (payload[0] === echoReplyType) this.#hearReply(source, payload);
    else if (payload[0] === unreachable.type) this.#hearUnreachable(source, payload);
  }

  #hearReply(source: IpAddress, bytes: Uint8Array): void {
    const { identifier, sequence } = decodeIcmpEcho(bytes);
    if (identifier !== this.#identifier) return;
    if (this.#targets[sequence]?.destination === source) this.#outcomes[sequence] = 'answered';
  }

  #hearUnreachable(source: IpAddress, bytes: Uint8Array): void {
    const { code, quoted } = decodeIcmpUnreachable(bytes);
    if (code === unreachable.tooLarge && quoted.protocol === protocolIcmp) {
      // A router that says so is as good as an answer: the sender knows, and sends smaller ones.
      const echo = Buffer.from(quoted.payload);
      const sequence = echo.readUInt16BE(6);
      if (echo.readUInt16BE(4) === this.#identifier && sequence < this.#outcomes.length) {
        this.#outcomes[sequence] = 'answered';
      }
    } else if (code === unreachable.noProtocol && quoted.protocol === protocolIpip) {
      for (const [sequence, { tunnel }] of this.#targets.entries()) {
        if (tunnel?.destination === source) this.#outcomes[sequence] = 'refused';
      }
    }
  }
}
