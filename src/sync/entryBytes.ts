/** Reads of single fields of an entry of version 1 in place, and its two hashes. Pure. */
import { syncFlags } from '../wire/syncModel.js';
import { syncEntryOffsets as offsets, syncEntryBytes } from '../wire/syncScan.js';

/** Digests are made and compared by bucket, so that a difference costs a small part of a table. */
export const bucketCount = 1024;

/** The family of the entry that starts here. */
export function familyAt(bytes: Uint8Array, start: number): 4 | 6 {
  return bytes[start] === 0 ? 4 : 6;
}

/** 16 bits at an offset of {@link offsets}. */
export function u16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** 32 bits, unsigned. */
export function u32At(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

/** Writes 32 bits. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}

/** Copies so few bytes that a view of them would cost more than the copy. */
export function copyBytes(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  length: number,
): void {
  for (let at = 0; at < length; at += 1) target[to + at] = source[from + at] ?? 0;
}

/** How important an entry is: templates first, then connections that live, then those that end. */
export function importanceAt(bytes: Uint8Array, start: number): 0 | 1 | 2 {
  const flags = u32At(bytes, start + offsets.flags);
  if ((flags & syncFlags.template) !== 0) return 0;
  const protocol = bytes[start + offsets.protocol];
  // UDP connections are counted as inactive always, so the flag says nothing about them.
  return (flags & syncFlags.inactive) === 0 || protocol === 17 ? 1 : 2;
}

/** The seed of the hash that buckets are made from: both directors must compute the same. */
const bucketSeed = 0x9747b28c;

/** The bucket of the entry that starts here. */
export function bucketAt(bytes: Uint8Array, start: number): number {
  return keyHashAt(bytes, start, bucketSeed) >>> 22;
}

/**
 * The hash of what the kernel tells connections apart by: protocol, client, virtual service, and
 * whether it is a template. A table has a random seed, since clients choose what is hashed.
 */
export function keyHashAt(bytes: Uint8Array, start: number, seed: number): number {
  const isTemplate = u32At(bytes, start + offsets.flags) & syncFlags.template;
  let hash = mix(seed, (bytes[start + offsets.protocol] ?? 0) | isTemplate);
  hash = mix(hash, u32At(bytes, start + offsets.clientPort));
  const end = start + addressesBytes(familyAt(bytes, start));
  for (let at = start + offsets.clientAddress; at < end; at += 4)
    hash = mix(hash, u32At(bytes, at));
  return finish(hash);
}

/** The hash of all of an entry, options too. */
export function contentHashAt(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x2f0b4c47;
  for (let at = start; at < end; at += 4) hash = mix(hash, u32At(bytes, at));
  return finish(hash);
}

/** Whether the keys of two entries are the same. */
export function sameKey(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number): boolean {
  if (a[aStart + offsets.protocol] !== b[bStart + offsets.protocol]) return false;
  const templateByte = offsets.flags + 2;
  if ((((a[aStart + templateByte] ?? 0) ^ (b[bStart + templateByte] ?? 0)) & 0x10) !== 0) {
    return false;
  }
  if (!sameBytes(a, aStart + offsets.clientPort, b, bStart + offsets.clientPort, 4)) return false;
  const length = addressesBytes(familyAt(a, aStart)) - offsets.clientAddress;
  const at = offsets.clientAddress;
  return sameBytes(a, aStart + at, b, bStart + at, length);
}

/** Where client and virtual address end. */
function addressesBytes(family: 4 | 6): number {
  return syncEntryBytes[family] - (family === 4 ? 4 : 16);
}

function sameBytes(a: Uint8Array, at: number, b: Uint8Array, bt: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) {
    if (a[at + index] !== b[bt + index]) return false;
  }
  return true;
}

/** MurmurHash3's round (public domain): well spread, and no more is needed of it. */
export function mix(hash: number, word: number): number {
  const scrambled = Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotate(hash ^ scrambled, 13), 5) + 0xe6546b64) | 0;
}

/** Its end, which spreads the last words as well. */
export function finish(hash: number): number {
  let value = hash ^ (hash >>> 16);
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function rotate(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}
