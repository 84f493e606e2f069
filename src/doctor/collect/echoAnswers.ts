/** What comes back of pings, judged. Keeps no time and touches no socket. */
import { decodeIcmpEcho, decodeIcmpUnreachable } from '../../wire/icmp.js';
import {
  decodeIcmpv6Echo,
  decodeIcmpv6Error,
  icmpv6Protocol,
  icmpv6Types,
} from '../../wire/icmpv6.js';
import type { IpAddress } from '../../wire/ipAddress.js';
import type { IpPacket } from '../../wire/ipPacket.js';
import type { TunnelEncapsulation } from '../../wire/ipvsModel.js';
import { tunnelProtocols } from '../../wire/tunnel.js';
import type { EchoOutcome } from '../facts.js';

/** Where a ping went. */
export interface EchoTarget {
  readonly destination: IpAddress;
  /** Set for a ping inside of a tunnel. */
  readonly tunnel?: {
    readonly source: IpAddress;
    readonly destination: IpAddress;
    /** Absent: IP in IP. */
    readonly encapsulation?: TunnelEncapsulation;
  };
}

const protocolIcmp = 1;
const echoReplyType = 0;
/** Codes of ICMP's unreachable (RFC 792). */
const unreachable = { type: 3, noProtocol: 2, noPort: 3, tooLarge: 4 } as const;
/** Codes of ICMPv6 (RFC 4443): of unreachable, and of a parameter problem. */
const unreachable6 = { noPort: 4, noHeader: 1 } as const;

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
  hear(packet: IpPacket): void {
    const { family, protocol, payload } = packet;
    if (family === 6) {
      if (protocol === icmpv6Protocol) this.#hearIpv6(packet);
    } else if (protocol === protocolIcmp) {
      if (payload[0] === echoReplyType) this.#hearReply(packet.source, decodeIcmpEcho(payload));
      else if (payload[0] === unreachable.type) this.#hearUnreachable(packet.source, payload);
    }
  }

  #hearIpv6(packet: IpPacket): void {
    const { source, payload } = packet;
    const [type] = payload;
    if (type === icmpv6Types.echoReply) {
      this.#hearReply(source, decodeIcmpv6Echo(payload, packet));
      return;
    }
    const isError =
      type === icmpv6Types.unreachable ||
      type === icmpv6Types.tooBig ||
      type === icmpv6Types.parameterProblem;
    if (!isError) return;
    const { code, quoted } = decodeIcmpv6Error(payload);
    if (type === icmpv6Types.tooBig) {
      if (quoted.nextHeader === icmpv6Protocol) this.#hearTooLarge(quoted.payload);
    } else if (
      (type === icmpv6Types.unreachable && code === unreachable6.noPort) ||
      (type === icmpv6Types.parameterProblem && code === unreachable6.noHeader)
    ) {
      this.#hearRefusal(source, quoted.nextHeader, quoted.payload);
    }
  }

  #hearReply(
    source: IpAddress,
    { identifier, sequence }: { readonly identifier: number; readonly sequence: number },
  ): void {
    if (identifier !== this.#identifier) return;
    if (this.#targets[sequence]?.destination === source) this.#outcomes[sequence] = 'answered';
  }

  #hearUnreachable(source: IpAddress, bytes: Uint8Array): void {
    const { code, quoted } = decodeIcmpUnreachable(bytes);
    if (code === unreachable.tooLarge && quoted.protocol === protocolIcmp) {
      this.#hearTooLarge(quoted.payload);
    } else if (code === unreachable.noProtocol || code === unreachable.noPort) {
      this.#hearRefusal(source, quoted.protocol, quoted.payload);
    }
  }

  /** A router that says so is as good as an answer: the sender knows, and sends smaller ones. */
  #hearTooLarge(quoted: Uint8Array): void {
    const echo = Buffer.from(quoted);
    const sequence = echo.readUInt16BE(6);
    if (echo.readUInt16BE(4) === this.#identifier && sequence < this.#outcomes.length) {
      this.#outcomes[sequence] = 'answered';
    }
  }

  /** A server that does not take what follows the outer header. */
  #hearRefusal(source: IpAddress, protocol: number, quoted: Uint8Array): void {
    for (const [sequence, { destination, tunnel }] of this.#targets.entries()) {
      if (tunnel?.destination !== source) continue;
      const { encapsulation } = tunnel;
      if (protocolOf(destination, encapsulation) !== protocol) continue;
      // A port of GUE is refused by itself; the destination port is the second of UDP's fields.
      const port = Buffer.from(quoted).readUInt16BE(2);
      if (encapsulation?.type === 'gue' && encapsulation.port !== port) continue;
      this.#outcomes[sequence] = 'refused';
    }
  }
}

/** What follows the outer header of a ping in a tunnel. */
function protocolOf(inner: IpAddress, encapsulation: TunnelEncapsulation | undefined): number {
  if (encapsulation?.type === 'gre') return tunnelProtocols.gre;
  if (encapsulation?.type === 'gue') return tunnelProtocols.udp;
  return inner.includes(':') ? tunnelProtocols.ipv6 : tunnelProtocols.ipip;
}
