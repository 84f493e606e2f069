/**
 * The trailer that authenticates an advertisement with a shared key, as keepalived has it since
 * 2.4.1 (draft-cassen-vrrp-auth-hmac): 28 bytes behind the message, in both versions of VRRP and
 * both families. Pure: keys, clocks and what was heard before come in as values.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { familyOf, type IpAddress, ipToBytes } from './ipAddress.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { vrrpChecksumOffset } from './vrrp.js';
import { WireError } from './wireError.js';

/** Bounds of the length of a key, in bytes. */
export const hmacKeyLength = { min: 32, max: 64 } as const;

/** Most senders of a multicast virtual router whose sequence is remembered. */
export const multicastMarksMax = 4;

/** HMAC-SHA256 cut to 128 bit: the only scheme there is. */
const hmacScheme = 1;

const trailerLayout = packetLayout('VRRP authentication trailer', {
  scheme: bits(8),
  keyId: bits(8),
  reserved: bits(16),
  /** UTC, modulo 2^32. */
  seconds: bits(32),
  /** Binary fraction of a second. */
  fraction: bits(16),
  /** Tells messages apart that were made within the same fraction. */
  counter: bits(16),
  tag: octets(16),
});

/** What is put before the message when the tag is computed. */
const identityLayout = packetLayout('VRRP authentication identity', {
  family: bits(8),
  version: bits(8),
  vrid: bits(8),
  zero: bits(8),
  source: octets(16),
});

/** Bytes of the trailer. */
export const hmacTrailerLength = trailerLayout.byteLength;

const tagLength = 16;
const tagOffset = hmacTrailerLength - tagLength;

/** A key, by the number that messages name it with. */
export interface HmacKey {
  /** 1..255. */
  readonly id: number;
  /** {@link hmacKeyLength} bytes. */
  readonly key: Uint8Array;
}

/** Why an advertisement is not believed although a trailer could have proved it. */
export type HmacRejection =
  /** It has no trailer, and must have one. */
  | 'hmac-missing'
  /** The trailer is of another scheme, or its reserved field is not zero. */
  | 'hmac-malformed'
  /** Its time is further from ours than the window. */
  | 'hmac-stale'
  | 'hmac-unknown-key'
  /** The tag is not that of the message. */
  | 'hmac-invalid'
  /** Its sequence is not beyond the last one of this sender. */
  | 'hmac-replay';

/** The sequence of the last message of a sender that was believed. */
export interface ReplayMark {
  readonly source: IpAddress;
  readonly sequence: bigint;
  /** When it was taken, on the receiver's monotonic clock. */
  readonly takenUs: number;
}

/** What a received trailer is judged by. */
export interface HmacVerifier {
  readonly keys: readonly HmacKey[];
  /** `time`: the sender's clock must agree with ours; `monotonic`: it must only go forward. */
  readonly antiReplay: 'time' | 'monotonic';
  readonly windowSeconds: number;
  readonly marks: readonly ReplayMark[];
}

/** When a message was received, on both clocks. */
export interface ReceiveClock {
  readonly unixMs: number;
  readonly monotonicUs: number;
}

/** What a verified trailer told. */
export interface VerifiedTrailer {
  readonly sequence: bigint;
  /** How far the sender's clock is behind ours; negative when it is ahead. */
  readonly skewSeconds: number;
}

/**
 * Makes the trailer of a message whose checksum field is still zero. The destination is not
 * covered, so every copy that goes to another peer has the same trailer.
 */
export function signTrailer(
  message: Uint8Array,
  source: IpAddress,
  key: HmacKey,
  sequence: bigint,
): Uint8Array<ArrayBuffer> {
  const trailer = trailerLayout.encode({
    scheme: hmacScheme,
    keyId: key.id,
    reserved: 0,
    seconds: Number((sequence >> 32n) & 0xffff_ffffn),
    fraction: Number((sequence >> 16n) & 0xffffn),
    counter: Number(sequence & 0xffffn),
    tag: new Uint8Array(tagLength),
  });
  trailer.set(tagOf(message, trailer, source, key.key), tagOffset);
  return trailer;
}

/**
 * Judges the trailer of a received message, what costs least first: a flood of old packets costs
 * no hashing. The message is as it was received, its checksum included.
 */
export function verifyTrailer(
  message: Uint8Array,
  trailer: Uint8Array,
  source: IpAddress,
  verifier: HmacVerifier,
  clock: ReceiveClock,
): VerifiedTrailer | HmacRejection {
  const { scheme, reserved, keyId, seconds, fraction, counter, tag } =
    trailerLayout.decode(trailer);
  if (scheme !== hmacScheme || reserved !== 0) return 'hmac-malformed';
  // Modulo 2^32, so that it goes on in the year 2106.
  const skewSeconds = (Math.floor(clock.unixMs / 1000) - seconds) | 0;
  if (verifier.antiReplay === 'time' && Math.abs(skewSeconds) > verifier.windowSeconds) {
    return 'hmac-stale';
  }
  const key = verifier.keys.find(({ id }) => id === keyId);
  if (key === undefined) return 'hmac-unknown-key';
  if (!timingSafeEqual(tag, tagOf(message, trailer, source, key.key))) return 'hmac-invalid';
  const sequence = (BigInt(seconds) << 32n) | (BigInt(fraction) << 16n) | BigInt(counter);
  const mark = verifier.marks.find((each) => each.source === source);
  if (mark !== undefined && isInForce(mark, verifier, clock) && !isAfter(sequence, mark.sequence)) {
    return 'hmac-replay';
  }
  return { sequence, skewSeconds };
}

/**
 * The marks after another message was believed, the one that was not used for longest first. At
 * the bound that one is forgotten. Only messages with a right tag come this far, so nobody without
 * the key can push a sender out.
 */
export function takeMark(
  marks: readonly ReplayMark[],
  mark: ReplayMark,
  marksMax: number,
): readonly ReplayMark[] {
  return [...marks.filter(({ source }) => source !== mark.source), mark].slice(-marksMax);
}

/** The sequence of a time, its counter zero. */
export function clockSequence(unixMs: number): bigint {
  const fraction = Math.floor((unixMs % 1000) * (0x1_0000 / 1000));
  return (BigInt(Math.floor(unixMs / 1000) >>> 0) << 32n) | (BigInt(fraction) << 16n);
}

/** The sequence of the next message: that of the clock, or one more than the last one. */
export function nextSequence(last: bigint | undefined, unixMs: number): bigint {
  const now = clockSequence(unixMs);
  return last === undefined || isAfter(now, last) ? now : BigInt.asUintN(64, last + 1n);
}

/** Serial number arithmetic (RFC 1982) over 64 bits. */
function isAfter(sequence: bigint, other: bigint): boolean {
  return BigInt.asIntN(64, sequence - other) > 0n;
}

/**
 * Beside a time window a mark is needed for no longer than the window lasts, and ending it lets a
 * sender back in whose clock was set back. Without a window the mark is all there is.
 */
function isInForce(mark: ReplayMark, verifier: HmacVerifier, clock: ReceiveClock): boolean {
  const ageUs = clock.monotonicUs - mark.takenUs;
  return verifier.antiReplay === 'monotonic' || ageUs <= verifier.windowSeconds * 1_000_000;
}

/** The tag covers who sends what, with the checksum and the tag itself read as zero. */
function tagOf(
  message: Uint8Array,
  trailer: Uint8Array,
  source: IpAddress,
  key: Uint8Array,
): Uint8Array {
  const paddedSource = new Uint8Array(16);
  paddedSource.set(ipToBytes(source));
  const identity = identityLayout.encode({
    family: familyOf(source),
    version: (message[0] ?? 0) >> 4,
    vrid: message[1] ?? 0,
    zero: 0,
    source: paddedSource,
  });
  // Not slice(), which copies nothing where the bytes are a Buffer.
  const unsummed = new Uint8Array(message);
  unsummed.fill(0, vrrpChecksumOffset, vrrpChecksumOffset + 2);
  const digest = createHmac('sha256', key)
    .update(identity)
    .update(unsummed)
    .update(trailer.subarray(0, tagOffset))
    .update(new Uint8Array(tagLength))
    .digest();
  return digest.subarray(0, tagLength);
}

/**
 * Reads a key as a key file holds it: `hex:` with digits, or the bytes themselves; one newline at
 * the end does not count. Throws {@link WireError} when it is none.
 */
export function parseHmacKey(content: Uint8Array): Uint8Array {
  const end = content.at(-1) === 0x0a ? content.length - 1 : content.length;
  const bytes = content.subarray(0, end);
  const text = Buffer.from(bytes).toString('latin1').trim();
  const key = text.startsWith('hex:') ? hexBytes(text.slice(4)) : new Uint8Array(bytes);
  const { min, max } = hmacKeyLength;
  if (key.length < min || key.length > max) {
    throw new WireError('bad-length', `a key has ${min} to ${max} bytes, not ${key.length}`);
  }
  return key;
}

function hexBytes(digits: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(digits)) {
    throw new WireError('bad-value', 'a key after hex: is an even number of hexadecimal digits');
  }
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
