/**
 * The authentication section of a BFD control packet (RFC 5880, 4.2 to 4.4 and 6.7.4).
 *
 * Both SHA1 forms are spoken. The simple password and the MD5 forms are read only as far as it
 * takes to name them when they are refused: the one is readable by everybody on the link, the
 * other is weaker than what every implementation must have anyway.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type BfdControlPacket, bfdHeader, encodeBfdHeader } from './bfd.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/** The forms of authentication that are spoken, with their codes. */
export const bfdAuthenticationTypes = { sha1: 4, 'meticulous-sha1': 5 } as const;

/** A form of authentication that is spoken. The meticulous one counts every packet. */
export type BfdAuthenticationType = keyof typeof bfdAuthenticationTypes;

/** The forms that are known and refused, with their codes. */
const refusedTypes = { 'simple-password': 1, md5: 2, 'meticulous-md5': 3 } as const;

/** A form of authentication that is known by name. */
export type KnownBfdAuthentication = BfdAuthenticationType | keyof typeof refusedTypes;

/** Longest key of the SHA1 forms; shorter ones are padded with zeros (RFC 5880, 4.4). */
export const bfdKeyLengthMax = 20;

/** A key, and how it is used. */
export interface BfdKey {
  readonly type: BfdAuthenticationType;
  /** 0..255, the same on both ends. */
  readonly keyId: number;
  /** 1..20 bytes. */
  readonly key: Uint8Array;
}

/** The SHA1 forms of the section (RFC 5880, 4.4). */
const sha1Section = packetLayout('BFD authentication section', {
  type: bits(8),
  byteLength: bits(8),
  keyId: bits(8),
  reserved: bits(8),
  sequence: bits(32),
  digest: octets(20),
});

/** The two octets that every form of the section begins with. */
const sectionHead = packetLayout('BFD authentication section', {
  type: bits(8),
  byteLength: bits(8),
});

/** Bytes of the two octets that every section begins with. */
export const bfdSectionHeadLength = sectionHead.byteLength;

const digestAt = bfdHeader.byteLength + 8;

/** What a section says of itself. */
export interface BfdAuthenticationSection {
  /** `undefined`: a code that has no meaning. */
  readonly type: KnownBfdAuthentication | undefined;
  /** The length that the section claims, the two octets of its head included. */
  readonly byteLength: number;
}

/** Reads the head of the section. Throws {@link WireError} when the packet ends before it. */
export function decodeBfdSectionHead(packet: Uint8Array): BfdAuthenticationSection {
  const { type: code, byteLength } = sectionHead.decode(packet.subarray(bfdHeader.byteLength));
  const entries = Object.entries({ ...refusedTypes, ...bfdAuthenticationTypes });
  const type = entries.find(([, known]) => known === code)?.[0];
  return { type: type as KnownBfdAuthentication | undefined, byteLength };
}

/** Whether a form is one of those that are spoken. */
export function isSpokenAuthentication(
  type: KnownBfdAuthentication | undefined,
): type is BfdAuthenticationType {
  return type !== undefined && type in bfdAuthenticationTypes;
}

/** The length that the section of a spoken form must have. */
export const bfdSha1SectionLength = sha1Section.byteLength;

/** Reads key id and sequence number of a SHA1 section. Throws {@link WireError} when short. */
export function decodeSha1Section(packet: Uint8Array): {
  readonly keyId: number;
  readonly sequence: number;
} {
  const { keyId, sequence } = sha1Section.decode(packet.subarray(bfdHeader.byteLength));
  return { keyId, sequence };
}

/** Writes a packet with its section. Throws {@link WireError} when a field does not fit. */
export function encodeAuthenticatedBfd(
  packet: BfdControlPacket,
  key: BfdKey,
  sequence: number,
): Uint8Array<ArrayBuffer> {
  const header = encodeBfdHeader(packet, sha1Section.byteLength);
  const section = sha1Section.encode({
    type: bfdAuthenticationTypes[key.type],
    byteLength: sha1Section.byteLength,
    keyId: key.keyId,
    reserved: 0,
    sequence,
    digest: paddedKey(key.key),
  });
  const bytes = new Uint8Array(header.length + section.length);
  bytes.set(header);
  bytes.set(section, header.length);
  bytes.set(sha1(bytes), digestAt);
  return bytes;
}

/** Whether the digest of a packet with a SHA1 section is that of a key. Takes constant time. */
export function hasDigestOf(packet: Uint8Array, key: Uint8Array): boolean {
  // Not `slice`, which on a Buffer would be a view of the caller's bytes.
  const covered = Uint8Array.from(packet);
  covered.set(paddedKey(key), digestAt);
  const digest = packet.subarray(digestAt, digestAt + bfdKeyLengthMax);
  return timingSafeEqual(digest, sha1(covered));
}

function paddedKey(key: Uint8Array): Uint8Array {
  if (key.length === 0 || key.length > bfdKeyLengthMax) {
    throw new WireError('bad-length', `a BFD key has 1..${bfdKeyLengthMax} bytes`);
  }
  const padded = new Uint8Array(bfdKeyLengthMax);
  padded.set(key);
  return padded;
}

function sha1(bytes: Uint8Array): Uint8Array {
  return createHash('sha1').update(bytes).digest();
}

/** How many numbers one 32-bit sequence has before it begins again. */
const sequenceCount = 2 ** 32;

/** The sequence number after another, in circular order. */
export function nextBfdSequence(sequence: number): number {
  return (sequence + 1) % sequenceCount;
}

/**
 * Whether a sequence number may follow the last one that was accepted (RFC 5880, 6.7.4): no more
 * than three times the sender's multiplier ahead, and not the same again in the meticulous form.
 */
export function mayFollowBfdSequence(
  sequence: number,
  last: number,
  detectMultiplier: number,
  type: BfdAuthenticationType,
): boolean {
  const ahead = (sequence - last + sequenceCount) % sequenceCount;
  return ahead >= (type === 'meticulous-sha1' ? 1 : 0) && ahead <= 3 * detectMultiplier;
}
