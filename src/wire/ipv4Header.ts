/**
 * The IPv4 header (RFC 791, 3.1), as a raw socket hands it over in front of the payload.
 */
import { internetChecksum } from './checksum.js';
import { familyOf, type IpAddress, ipFromBytes, ipToBytes } from './ipAddress.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/** The 20 bytes that every IPv4 header begins with; options may follow. */
export const ipv4Layout = packetLayout('IPv4 header', {
  version: bits(4),
  headerWords: bits(4),
  typeOfService: bits(8),
  totalLength: bits(16),
  identification: bits(16),
  flags: bits(3),
  fragmentOffset: bits(13),
  timeToLive: bits(8),
  protocol: bits(8),
  headerChecksum: bits(16),
  source: octets(4),
  destination: octets(4),
});

/** What a checksum of the upper layer covers before the message (RFC 768, RFC 9293 3.1). */
const pseudoHeader = packetLayout('IPv4 pseudo-header', {
  source: octets(4),
  destination: octets(4),
  zero: bits(8),
  protocol: bits(8),
  messageLength: bits(16),
});

/** What a receiver needs of one IPv4 packet. */
export interface Ipv4Packet {
  readonly typeOfService: number;
  readonly timeToLive: number;
  readonly protocol: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** The bytes after the header, without link padding; a part of the bytes that were given. */
  readonly payload: Uint8Array;
}

/**
 * Reads one packet. Throws {@link WireError} when the header contradicts itself or the bytes.
 * The header checksum is not verified: the kernel has done so before a raw socket sees the packet.
 */
export function decodeIpv4Packet(bytes: Uint8Array): Ipv4Packet {
  const header = ipv4Layout.decode(bytes);
  if (header.version !== 4) {
    throw new WireError('bad-value', `IPv4 header: version is ${header.version}`);
  }
  const headerLength = header.headerWords * 4;
  if (headerLength < ipv4Layout.byteLength || header.totalLength < headerLength) {
    throw new WireError('bad-length', 'IPv4 header: its lengths contradict each other');
  }
  if (bytes.length < header.totalLength) {
    throw new WireError(
      'truncated',
      `IPv4 packet: ${bytes.length} bytes where ${header.totalLength} are announced`,
    );
  }
  return {
    typeOfService: header.typeOfService,
    timeToLive: header.timeToLive,
    protocol: header.protocol,
    source: ipFromBytes(header.source),
    destination: ipFromBytes(header.destination),
    payload: bytes.subarray(headerLength, header.totalLength),
  };
}

/** What a sender says of one IPv4 packet. */
export interface OutgoingIpv4Packet {
  readonly timeToLive: number;
  readonly protocol: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Routers must drop it rather than cut it (DF). */
  readonly unfragmented: boolean;
  readonly payload: Uint8Array;
}

/** Writes a packet without options. Throws {@link WireError} when a value does not fit. */
export function encodeIpv4Packet(packet: OutgoingIpv4Packet): Uint8Array<ArrayBuffer> {
  const fields = {
    version: 4,
    headerWords: ipv4Layout.byteLength / 4,
    typeOfService: 0,
    totalLength: ipv4Layout.byteLength + packet.payload.length,
    identification: 0,
    flags: packet.unfragmented ? 0b010 : 0,
    fragmentOffset: 0,
    timeToLive: packet.timeToLive,
    protocol: packet.protocol,
    source: ipToBytes(packet.source),
    destination: ipToBytes(packet.destination),
  };
  const bare = ipv4Layout.encode({ ...fields, headerChecksum: 0 });
  const header = ipv4Layout.encode({ ...fields, headerChecksum: internetChecksum([bare]) });
  const bytes = new Uint8Array(header.length + packet.payload.length);
  bytes.set(header);
  bytes.set(packet.payload, header.length);
  return bytes;
}

/** The pseudo-header of a message. Throws {@link WireError} for an address that is not IPv4. */
export function encodeIpv4PseudoHeader(options: {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Bytes of the message of the upper layer. */
  readonly messageLength: number;
  readonly protocol: number;
}): Uint8Array<ArrayBuffer> {
  return pseudoHeader.encode({
    source: ipv4Bytes(options.source),
    destination: ipv4Bytes(options.destination),
    zero: 0,
    protocol: options.protocol,
    messageLength: options.messageLength,
  });
}

/** The 4 bytes of an address. Throws {@link WireError} for one that is not IPv4. */
function ipv4Bytes(address: IpAddress): Uint8Array {
  if (familyOf(address) !== 4) {
    throw new WireError('bad-value', `not an IPv4 address: ${address}`);
  }
  return ipToBytes(address);
}
