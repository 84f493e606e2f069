/**
 * VRRP version 3 advertisements over IPv4 (RFC 9568, 5.2): bytes to values and back.
 *
 * Only the message is handled here. Whether a received packet may be believed is the business of
 * `vrrpReceive.ts`, which knows the IP header and the checks of RFC 9568, 7.1.
 */
import { internetChecksum, onesComplementSum } from './checksum.js';
import { type IpAddress, ipAddress, ipFromBytes, ipToBytes } from './ipAddress.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/**
 * The two checksums that VRRPv3 over IPv4 has in the field. RFC 9568 (5.2.8) covers the message
 * alone (`plain`); keepalived, FRR and every decoder cover a pseudo-header as well, as RFC 5798
 * could be read.
 */
export type ChecksumForm = 'pseudo-header' | 'plain';

/** Both forms, in the order in which a received message is tried against them. */
export const checksumForms = ['pseudo-header', 'plain'] as const satisfies readonly ChecksumForm[];

/** IP protocol number of VRRP. */
export const vrrpProtocol = 112;

/** The IPv4 group that advertisements are sent to (RFC 9568, 5.1.1.2). */
export const vrrpGroupIpv4 = ipAddress('224.0.0.18');

/** Time to live of every advertisement on the link (RFC 9568, 5.1.1.3). */
export const vrrpTimeToLive = 255;

/** VRRP version that this file speaks. */
export const vrrpVersion = 3;

/** The only message type of VRRP. */
export const advertisementType = 1;

/** Priority with which the Active says that it leaves (RFC 9568, 5.2.4). */
export const resignPriority = 0;

/** Priority of the router whose own addresses the virtual addresses are (RFC 9568, 5.2.4). */
export const ownerPriority = 255;

/** Most addresses that one advertisement can carry: its count field has 8 bits. */
export const advertisedAddressesMax = 255;

/** The fixed part of every VRRPv3 message (RFC 9568, 5.2). */
export const vrrpHeader = packetLayout('VRRP header', {
  version: bits(4),
  type: bits(4),
  vrid: bits(8),
  priority: bits(8),
  addressCount: bits(8),
  reserved: bits(4),
  maxAdvertiseIntervalCs: bits(12),
  checksum: bits(16),
});

/** The decoded fixed part of a message. */
export type VrrpHeader = ReturnType<typeof vrrpHeader.decode>;

/** What precedes the message in the `pseudo-header` form of the checksum. */
const ipv4PseudoHeader = packetLayout('IPv4 pseudo-header', {
  source: octets(4),
  destination: octets(4),
  zero: bits(8),
  protocol: bits(8),
  messageLength: bits(16),
});

/** The content of one advertisement. */
export interface Advertisement {
  /** Virtual router identifier, 1..255. */
  readonly vrid: number;
  /** 0 resigns, 1..254 backup, 255 owner. */
  readonly priority: number;
  /** Maximum Advertisement Interval in centiseconds, 0..4095; a receiver discards 0. */
  readonly advertIntervalCs: number;
  /** Virtual IPv4 addresses. */
  readonly addresses: readonly IpAddress[];
}

/** The addresses of the IP header that carries a message; the pseudo-header covers them. */
export interface AdvertisementPath {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/**
 * The bytes of one address of a message: the family of the IP header, never the packet, says it.
 */
export const ipv4AddressLength = 4;

/** Writes an advertisement. Throws {@link WireError} when a field does not fit. */
export function encodeAdvertisement(
  advertisement: Advertisement,
  path: AdvertisementPath,
  form: ChecksumForm,
): Uint8Array<ArrayBuffer> {
  const { vrid, priority, advertIntervalCs, addresses } = advertisement;
  if (vrid === 0) throw new WireError('bad-value', 'a virtual router identifier is 1..255');
  const header = vrrpHeader.encode({
    version: vrrpVersion,
    type: advertisementType,
    vrid,
    priority,
    addressCount: addresses.length,
    reserved: 0,
    maxAdvertiseIntervalCs: advertIntervalCs,
    checksum: 0,
  });
  const message = new Uint8Array(header.length + addresses.length * ipv4AddressLength);
  message.set(header);
  for (const [index, address] of addresses.entries()) {
    message.set(ipv4Bytes(address), header.length + index * ipv4AddressLength);
  }
  const checksum = internetChecksum(coveredBytes(message, path, form));
  message[6] = checksum >> 8;
  message[7] = checksum & 0xff;
  return message;
}

/**
 * Reads the content of a message, without judging its checksum, type or version.
 * Throws {@link WireError} when the bytes do not hold what the count field says.
 */
export function decodeAdvertisement(message: Uint8Array): Advertisement {
  const header = vrrpHeader.decode(message);
  const expectedLength = vrrpHeader.byteLength + header.addressCount * ipv4AddressLength;
  if (message.length !== expectedLength) {
    throw new WireError(
      'bad-length',
      `VRRP message: ${message.length} bytes instead of ${expectedLength}`,
    );
  }
  const addresses: IpAddress[] = [];
  for (let offset = vrrpHeader.byteLength; offset < message.length; offset += ipv4AddressLength) {
    addresses.push(ipFromBytes(message.subarray(offset, offset + ipv4AddressLength)));
  }
  return {
    vrid: header.vrid,
    priority: header.priority,
    advertIntervalCs: header.maxAdvertiseIntervalCs,
    addresses,
  };
}

/**
 * The form, of those given, in which the checksum of a message is right; `undefined` when in none.
 */
export function checksumFormOf(
  message: Uint8Array,
  path: AdvertisementPath,
  forms: readonly ChecksumForm[] = checksumForms,
): ChecksumForm | undefined {
  return forms.find((form) => onesComplementSum(coveredBytes(message, path, form)) === 0xffff);
}

function coveredBytes(
  message: Uint8Array,
  path: AdvertisementPath,
  form: ChecksumForm,
): readonly Uint8Array[] {
  if (form === 'plain') return [message];
  const pseudoHeader = ipv4PseudoHeader.encode({
    source: ipv4Bytes(path.source),
    destination: ipv4Bytes(path.destination),
    zero: 0,
    protocol: vrrpProtocol,
    messageLength: message.length,
  });
  return [pseudoHeader, message];
}

function ipv4Bytes(address: IpAddress): Uint8Array {
  const bytes = ipToBytes(address);
  if (bytes.length !== ipv4AddressLength) {
    throw new WireError('bad-value', `not an IPv4 address: ${address}`);
  }
  return bytes;
}
