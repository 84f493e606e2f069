/**
 * VRRP advertisements of version 3 (RFC 9568, 5.2, over IPv4 and IPv6) and version 2 (RFC 3768,
 * 5.3, over IPv4): bytes to values and back.
 *
 * Only the message is handled here. Whether a received packet may be believed is the business of
 * `vrrpReceive.ts`; the trailer that authenticates it is in `vrrpAuthentication.ts`.
 */
import { internetChecksum, onesComplementSum } from './checksum.js';
import {
  familyOf,
  type IpAddress,
  type IpFamily,
  ipAddress,
  ipFromBytes,
  ipToBytes,
} from './ipAddress.js';
import { encodeIpv4PseudoHeader } from './ipv4Header.js';
import { encodeIpv6PseudoHeader } from './ipv6Header.js';
import { bits, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/**
 * The two checksums that VRRPv3 over IPv4 has in the field. RFC 9568 (5.2.8) covers the message
 * alone (`plain`); keepalived, FRR and every decoder cover a pseudo-header as well, as RFC 5798
 * could be read. Over IPv6 there is the pseudo-header only, in version 2 the plain one only.
 */
export type ChecksumForm = 'pseudo-header' | 'plain';

/** Both forms, in the order in which a received message is tried against them. */
export const checksumForms = ['pseudo-header', 'plain'] as const satisfies readonly ChecksumForm[];

/** IP protocol number of VRRP. */
export const vrrpProtocol = 112;

/** The IPsec Authentication Header (RFC 4302), which version 2 could come behind (RFC 2338). */
export const authenticationHeaderProtocol = 51;

/** The IPv4 group that advertisements are sent to (RFC 9568, 5.1.1.2). */
export const vrrpGroupIpv4 = ipAddress('224.0.0.18');

/** The IPv6 group that advertisements are sent to (RFC 9568, 5.1.2.2). */
export const vrrpGroupIpv6 = ipAddress('ff02::12');

/** Time to live or hop limit of every advertisement on the link (RFC 9568, 5.1.1.3). */
export const vrrpTimeToLive = 255;

/** The versions of VRRP that are spoken; version 2 has no IPv6. */
export type VrrpVersion = 2 | 3;

/** The only message type of VRRP. */
export const advertisementType = 1;

/** Priority with which the Active says that it leaves (RFC 9568, 5.2.4). */
export const resignPriority = 0;

/** Priority of the router whose own addresses the virtual addresses are (RFC 9568, 5.2.4). */
export const ownerPriority = 255;

/** Most addresses that one advertisement can carry: its count field has 8 bits. */
export const advertisedAddressesMax = 255;

/** Centiseconds of one second, the unit of intervals in version 2. */
const centisecondsPerSecond = 100;

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

/** The fixed part of every VRRPv2 message (RFC 3768, 5.3). */
export const vrrpVersion2Header = packetLayout('VRRP version 2 header', {
  version: bits(4),
  type: bits(4),
  vrid: bits(8),
  priority: bits(8),
  addressCount: bits(8),
  authenticationType: bits(8),
  advertIntervalSeconds: bits(8),
  checksum: bits(16),
});

/** Where the checksum is, in both versions. */
export const vrrpChecksumOffset = 6;

/** Octets of authentication data that end every version 2 message (RFC 3768, 5.3.10). */
export const authenticationDataLength = 8;

/** Authentication types of version 2 (RFC 2338, 5.3.6). Type 2, the IPsec AH, is not spoken. */
export const authenticationTypes = { none: 0, simpleText: 1, authenticationHeader: 2 } as const;

/** The content of one advertisement. */
export interface Advertisement {
  /** Virtual router identifier, 1..255. */
  readonly vrid: number;
  /** 0 resigns, 1..254 backup, 255 owner. */
  readonly priority: number;
  /** Centiseconds, 0..4095; version 2 has whole seconds. A receiver discards 0. */
  readonly advertIntervalCs: number;
  /** Virtual addresses, all of the family of the IP header. */
  readonly addresses: readonly IpAddress[];
}

/** The addresses of the IP header that carries a message; the pseudo-header covers them. */
export interface AdvertisementPath {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** How an advertisement is written. */
export interface AdvertisementFormat {
  readonly version: VrrpVersion;
  /** Counts for version 3 over IPv4 only. */
  readonly checksum: ChecksumForm;
  /** The password of simple-text authentication; version 2 only. */
  readonly password?: string;
}

/** The group that advertisements of a family are sent to. */
export function vrrpGroup(family: IpFamily): IpAddress {
  return family === 4 ? vrrpGroupIpv4 : vrrpGroupIpv6;
}

/** The bytes of one address: the family of the IP header, never the packet, says it. */
export function addressLength(family: IpFamily): 4 | 16 {
  return family === 4 ? 4 : 16;
}

/** The length that a message must have, by its own version and count of addresses. */
export function advertisementLength(
  header: { readonly version: number; readonly addressCount: number },
  family: IpFamily,
): number {
  const trailerLength = header.version === 2 ? authenticationDataLength : 0;
  return vrrpHeader.byteLength + header.addressCount * addressLength(family) + trailerLength;
}

/** Writes an advertisement of version 3. Throws {@link WireError} when a field does not fit. */
export function encodeAdvertisement(
  advertisement: Advertisement,
  path: AdvertisementPath,
  form: ChecksumForm,
): Uint8Array<ArrayBuffer> {
  const format = { version: 3, checksum: form } as const;
  const message = encodeUnsummed(advertisement, familyOf(path.source), format);
  return withChecksum(message, path, format);
}

/**
 * Writes an advertisement whose checksum is still zero, which is what an authentication trailer
 * covers. Throws {@link WireError} when a field does not fit.
 */
export function encodeUnsummed(
  advertisement: Advertisement,
  family: IpFamily,
  format: AdvertisementFormat,
): Uint8Array<ArrayBuffer> {
  const { addresses } = advertisement;
  if (advertisement.vrid === 0) {
    throw new WireError('bad-value', 'a virtual router identifier is 1..255');
  }
  const header = encodeHeader(advertisement, format);
  const { version } = format;
  const length = advertisementLength({ version, addressCount: addresses.length }, family);
  const message = new Uint8Array(length);
  message.set(header);
  for (const [index, address] of addresses.entries()) {
    const at = header.length + index * addressLength(family);
    message.set(bytesOf(address, family), at);
  }
  if (version === 2 && format.password !== undefined) {
    message.set(passwordBytes(format.password), length - authenticationDataLength);
  }
  return message;
}

/**
 * The packet of an unsummed message: with its checksum, and with the trailer behind it if there is
 * one. Over IPv6 the checksum covers the trailer too, over IPv4 the message alone.
 */
export function withChecksum(
  message: Uint8Array,
  path: AdvertisementPath,
  format: AdvertisementFormat,
  trailer: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(message.length + trailer.length);
  packet.set(message);
  packet.set(trailer, message.length);
  const covered = familyOf(path.source) === 6 ? packet : message;
  const form = format.version === 2 ? 'plain' : format.checksum;
  const checksum = internetChecksum(coveredBytes(covered, path, form));
  packet[vrrpChecksumOffset] = checksum >> 8;
  packet[vrrpChecksumOffset + 1] = checksum & 0xff;
  return packet;
}

/**
 * Reads the content of a message of either version, without judging its checksum or type.
 * Throws {@link WireError} when the bytes do not hold what the count field says.
 */
export function decodeAdvertisement(message: Uint8Array, family: IpFamily = 4): Advertisement {
  const header = vrrpHeader.decode(message);
  const expectedLength = advertisementLength(header, family);
  if (message.length !== expectedLength) {
    throw new WireError(
      'bad-length',
      `VRRP message: ${message.length} bytes instead of ${expectedLength}`,
    );
  }
  const width = addressLength(family);
  const addresses: IpAddress[] = [];
  for (let index = 0; index < header.addressCount; index += 1) {
    const at = vrrpHeader.byteLength + index * width;
    addresses.push(ipFromBytes(message.subarray(at, at + width)));
  }
  const advertIntervalCs =
    header.version === 2
      ? vrrpVersion2Header.decode(message).advertIntervalSeconds * centisecondsPerSecond
      : header.maxAdvertiseIntervalCs;
  return { vrid: header.vrid, priority: header.priority, advertIntervalCs, addresses };
}

/**
 * The form, of those given, in which the checksum of a message is right; `undefined` when in none.
 * The bytes are those that the checksum covers: over IPv6 with the authentication trailer.
 */
export function checksumFormOf(
  message: Uint8Array,
  path: AdvertisementPath,
  forms: readonly ChecksumForm[] = checksumForms,
): ChecksumForm | undefined {
  return forms.find((form) => onesComplementSum(coveredBytes(message, path, form)) === 0xffff);
}

/** The authentication data of a password: at most 8 bytes, zero padded (RFC 2338, 5.3.6.2). */
export function passwordBytes(password: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(password);
  if (text.length > authenticationDataLength) {
    throw new WireError('bad-length', `a VRRP password has at most ${authenticationDataLength}`);
  }
  const bytes = new Uint8Array(authenticationDataLength);
  bytes.set(text);
  return bytes;
}

function encodeHeader(
  { vrid, priority, advertIntervalCs, addresses }: Advertisement,
  { version, password }: AdvertisementFormat,
): Uint8Array {
  const shared = {
    version,
    type: advertisementType,
    vrid,
    priority,
    addressCount: addresses.length,
    checksum: 0,
  };
  if (version === 3) {
    return vrrpHeader.encode({ ...shared, reserved: 0, maxAdvertiseIntervalCs: advertIntervalCs });
  }
  return vrrpVersion2Header.encode({
    ...shared,
    authenticationType:
      password === undefined ? authenticationTypes.none : authenticationTypes.simpleText,
    advertIntervalSeconds: advertIntervalCs / centisecondsPerSecond,
  });
}

function coveredBytes(
  message: Uint8Array,
  path: AdvertisementPath,
  form: ChecksumForm,
): readonly Uint8Array[] {
  const messageLength = message.length;
  if (familyOf(path.source) === 6) {
    return [encodeIpv6PseudoHeader({ ...path, messageLength, nextHeader: vrrpProtocol }), message];
  }
  if (form === 'plain') return [message];
  return [encodeIpv4PseudoHeader({ ...path, messageLength, protocol: vrrpProtocol }), message];
}

function bytesOf(address: IpAddress, family: IpFamily): Uint8Array {
  if (familyOf(address) !== family) {
    throw new WireError('bad-value', `not an IPv${family} address: ${address}`);
  }
  return ipToBytes(address);
}
