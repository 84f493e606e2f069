/** Messages of ICMP for IPv4 (RFC 792): echo, and that a destination is unreachable. */
import { internetChecksum, onesComplementSum } from './checksum.js';
import { type IpAddress, ipFromBytes } from './ipAddress.js';
import { ipv4Layout } from './ipv4Header.js';
import { bits, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/** An echo of either ICMP; the types differ. */
export const icmpEchoLayout = packetLayout('ICMP echo', {
  type: bits(8),
  code: bits(8),
  checksum: bits(16),
  identifier: bits(16),
  sequence: bits(16),
});

const typeNumbers = { request: 8, reply: 0 } as const;

/** An echo request, or the reply, which repeats everything but the type. */
export interface IcmpEcho {
  readonly kind: keyof typeof typeNumbers;
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Writes a message. Throws {@link WireError} when a number has more than 16 bits. */
export function encodeIcmpEcho(message: IcmpEcho): Uint8Array<ArrayBuffer> {
  const { kind, identifier, sequence, payload } = message;
  const fields = { type: typeNumbers[kind], code: 0, identifier, sequence };
  const bare = icmpEchoLayout.encode({ ...fields, checksum: 0 });
  const checksum = internetChecksum([bare, payload]);
  const bytes = new Uint8Array(bare.length + payload.length);
  bytes.set(icmpEchoLayout.encode({ ...fields, checksum }));
  bytes.set(payload, bare.length);
  return bytes;
}

/** Reads a message. Throws {@link WireError} when it is none, or its checksum is wrong. */
export function decodeIcmpEcho(bytes: Uint8Array): IcmpEcho {
  const { type, code, identifier, sequence } = icmpEchoLayout.decode(bytes);
  if ((type !== typeNumbers.request && type !== typeNumbers.reply) || code !== 0) {
    throw new WireError('bad-value', `ICMP: type ${type}, code ${code} is no echo`);
  }
  if (onesComplementSum([bytes]) !== 0xffff) {
    throw new WireError('bad-value', 'ICMP: the checksum is wrong');
  }
  const kind = type === typeNumbers.request ? 'request' : 'reply';
  return { kind, identifier, sequence, payload: bytes.subarray(icmpEchoLayout.byteLength) };
}

/** Destination unreachable (RFC 792): why, and the packet that could not be delivered. */
export interface IcmpUnreachable {
  /** 2: no such protocol. 4: too large, and must not be cut. */
  readonly code: number;
  /** Of the packet that is quoted. */
  readonly quoted: {
    readonly protocol: number;
    readonly destination: IpAddress;
    /** What is quoted of its payload, at least 8 bytes. */
    readonly payload: Uint8Array;
  };
}

const unreachableType = 3;
/** Type, code, checksum and four bytes that depend on the code. */
const unreachableHeaderBytes = 8;

/** Reads a message. Throws {@link WireError} when it is none, or what it quotes is no IPv4. */
export function decodeIcmpUnreachable(bytes: Uint8Array): IcmpUnreachable {
  if (bytes[0] !== unreachableType) {
    throw new WireError('bad-value', `ICMP: type ${bytes[0]} is not unreachable`);
  }
  const quotedBytes = bytes.subarray(unreachableHeaderBytes);
  const { version, headerWords, protocol, destination } = ipv4Layout.decode(quotedBytes);
  const payload = quotedBytes.subarray(headerWords * 4);
  if (version !== 4 || payload.length < 8) {
    throw new WireError('truncated', 'ICMP: the packet that it quotes is not whole');
  }
  return {
    code: bytes[1] ?? 0,
    quoted: { protocol, destination: ipFromBytes(destination), payload },
  };
}
