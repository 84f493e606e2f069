/** Messages of ICMP for IPv6 (RFC 4443): echo, and errors about a packet that was sent. */
import { internetChecksum, onesComplementSum } from './checksum.js';
import { type IcmpEcho, icmpEchoLayout } from './icmp.js';
import { type IpAddress, ipFromBytes } from './ipAddress.js';
import { encodeIpv6PseudoHeader, ipv6Layout } from './ipv6Header.js';
import { WireError } from './wireError.js';

/** Next header number of ICMPv6. */
export const icmpv6Protocol = 58;

/** Types of messages in use. */
export const icmpv6Types = {
  unreachable: 1,
  tooBig: 2,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
} as const;

/** Between whom a message goes; its checksum covers both. */
export interface Icmpv6Path {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** Writes an echo. Throws {@link WireError} when a number has more than 16 bits. */
export function encodeIcmpv6Echo(message: IcmpEcho, path: Icmpv6Path): Uint8Array<ArrayBuffer> {
  const { kind, identifier, sequence, payload } = message;
  const type = kind === 'request' ? icmpv6Types.echoRequest : icmpv6Types.echoReply;
  const bare = icmpEchoLayout.encode({ type, code: 0, checksum: 0, identifier, sequence });
  const bytes = new Uint8Array(bare.length + payload.length);
  bytes.set(bare);
  bytes.set(payload, bare.length);
  new DataView(bytes.buffer).setUint16(2, icmpv6Checksum(bytes, path));
  return bytes;
}

/** Reads an echo. Throws {@link WireError} when it is none, or its checksum is wrong. */
export function decodeIcmpv6Echo(bytes: Uint8Array, path: Icmpv6Path): IcmpEcho {
  const { type, code, identifier, sequence } = icmpEchoLayout.decode(bytes);
  if ((type !== icmpv6Types.echoRequest && type !== icmpv6Types.echoReply) || code !== 0) {
    throw new WireError('bad-value', `ICMPv6: type ${type}, code ${code} is no echo`);
  }
  requireIcmpv6Checksum(bytes, path);
  const kind = type === icmpv6Types.echoRequest ? 'request' : 'reply';
  return { kind, identifier, sequence, payload: bytes.subarray(icmpEchoLayout.byteLength) };
}

/** The checksum of a message whose own field is zero (RFC 4443, 2.3). */
export function icmpv6Checksum(message: Uint8Array, path: Icmpv6Path): number {
  return internetChecksum([pseudoHeaderOf(message, path), message]);
}

/** Throws {@link WireError} when the checksum of a message is wrong. */
export function requireIcmpv6Checksum(message: Uint8Array, path: Icmpv6Path): void {
  if (onesComplementSum([pseudoHeaderOf(message, path), message]) === 0xffff) return;
  throw new WireError('bad-value', 'ICMPv6: the checksum is wrong');
}

/** An error: what it is, and the packet that it is about. */
export interface Icmpv6Error {
  readonly type: number;
  readonly code: number;
  /** Of the packet that is quoted. */
  readonly quoted: {
    /** What follows the header; extension headers are not looked into. */
    readonly nextHeader: number;
    readonly destination: IpAddress;
    readonly payload: Uint8Array;
  };
}

/** Type, code, checksum and four bytes that depend on the type. */
const errorHeaderBytes = 8;

/** Types below this one are errors (RFC 4443, 2.1). */
const informationalTypes = 128;

/** Reads an error. Throws {@link WireError} when it is none, or what it quotes is no IPv6. */
export function decodeIcmpv6Error(bytes: Uint8Array): Icmpv6Error {
  const [type = informationalTypes, code = 0] = bytes;
  if (type >= informationalTypes) {
    throw new WireError('bad-value', `ICMPv6: type ${type} is no error`);
  }
  const quoted = bytes.subarray(errorHeaderBytes);
  const { version, nextHeader, destination } = ipv6Layout.decode(quoted);
  const payload = quoted.subarray(ipv6Layout.byteLength);
  if (version !== 6 || payload.length < 8) {
    throw new WireError('truncated', 'ICMPv6: the packet that it quotes is not whole');
  }
  return { type, code, quoted: { nextHeader, destination: ipFromBytes(destination), payload } };
}

function pseudoHeaderOf(message: Uint8Array, { source, destination }: Icmpv6Path): Uint8Array {
  return encodeIpv6PseudoHeader({
    source,
    destination,
    messageLength: message.length,
    nextHeader: icmpv6Protocol,
  });
}
