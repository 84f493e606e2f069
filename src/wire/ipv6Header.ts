/**
 * The IPv6 header (RFC 8200, 3), and the pseudo-header that the checksums of upper layers cover.
 */
import { familyOf, type IpAddress, ipFromBytes, ipToBytes } from './ipAddress.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/** The 40 bytes that every IPv6 packet begins with. */
export const ipv6Layout = packetLayout('IPv6 header', {
  version: bits(4),
  trafficClass: bits(8),
  flowLabel: bits(20),
  payloadLength: bits(16),
  nextHeader: bits(8),
  hopLimit: bits(8),
  source: octets(16),
  destination: octets(16),
});

/** What precedes a message in the checksum of its upper layer (RFC 8200, 8.1). */
const pseudoHeader = packetLayout('IPv6 pseudo-header', {
  source: octets(16),
  destination: octets(16),
  messageLength: bits(32),
  zero: bits(24),
  nextHeader: bits(8),
});

/** What a receiver needs of one IPv6 packet. */
export interface Ipv6Packet {
  readonly trafficClass: number;
  readonly hopLimit: number;
  /** The protocol of the payload; extension headers are not looked into. */
  readonly nextHeader: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** The bytes after the header, without link padding. */
  readonly payload: Uint8Array;
}

/** Writes one packet. Throws {@link WireError} when a value does not fit its field. */
export function encodeIpv6Packet(packet: Ipv6Packet): Uint8Array<ArrayBuffer> {
  const header = ipv6Layout.encode({
    version: 6,
    trafficClass: packet.trafficClass,
    flowLabel: 0,
    payloadLength: packet.payload.length,
    nextHeader: packet.nextHeader,
    hopLimit: packet.hopLimit,
    source: ipv6Bytes(packet.source),
    destination: ipv6Bytes(packet.destination),
  });
  const bytes = new Uint8Array(header.length + packet.payload.length);
  bytes.set(header);
  bytes.set(packet.payload, header.length);
  return bytes;
}

/** Reads one packet. Throws {@link WireError} when the header contradicts the bytes. */
export function decodeIpv6Packet(bytes: Uint8Array): Ipv6Packet {
  const header = ipv6Layout.decode(bytes);
  if (header.version !== 6) {
    throw new WireError('bad-value', `IPv6 header: version is ${header.version}`);
  }
  const end = ipv6Layout.byteLength + header.payloadLength;
  if (bytes.length < end) {
    throw new WireError(
      'truncated',
      `IPv6 packet: ${bytes.length} bytes where ${end} are announced`,
    );
  }
  return {
    trafficClass: header.trafficClass,
    hopLimit: header.hopLimit,
    nextHeader: header.nextHeader,
    source: ipFromBytes(header.source),
    destination: ipFromBytes(header.destination),
    payload: bytes.subarray(ipv6Layout.byteLength, end),
  };
}

/** The pseudo-header of a message. Throws {@link WireError} for an address that is not IPv6. */
export function encodeIpv6PseudoHeader(options: {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Bytes of the message of the upper layer. */
  readonly messageLength: number;
  readonly nextHeader: number;
}): Uint8Array<ArrayBuffer> {
  return pseudoHeader.encode({
    source: ipv6Bytes(options.source),
    destination: ipv6Bytes(options.destination),
    messageLength: options.messageLength,
    zero: 0,
    nextHeader: options.nextHeader,
  });
}

/** The 16 bytes of an address. Throws {@link WireError} for one that is not IPv6. */
export function ipv6Bytes(address: IpAddress): Uint8Array {
  if (familyOf(address) !== 6) {
    throw new WireError('bad-value', `not an IPv6 address: ${address}`);
  }
  return ipToBytes(address);
}
