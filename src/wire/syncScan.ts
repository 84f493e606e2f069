/**
 * Finds the entries of a synchronisation message without making objects of them: a busy director
 * takes in tens of thousands of entries a second.
 */
import { bits, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/** What precedes the entries in version 1 (struct ip_vs_sync_mesg). */
export const syncHeader = packetLayout('sync message', {
  /** Where version 0 has its count, so that old receivers find no entries. */
  reserved: bits(8),
  syncId: bits(8),
  size: bits(16),
  /** One byte: it wraps when there are more than 255. */
  entryCount: bits(8),
  version: bits(8),
  spare: bits(16),
});

/** Where things are in an entry of version 1 (struct ip_vs_sync_v4 and _v6). */
export const syncEntryOffsets = {
  type: 0,
  protocol: 1,
  /** Four bits of version and twelve of length. */
  length: 2,
  flags: 4,
  state: 8,
  clientPort: 10,
  virtualPort: 12,
  serverPort: 14,
  firewallMark: 16,
  timeoutSeconds: 20,
  clientAddress: 24,
} as const;

/** Bytes of an entry of version 1 without options. */
export const syncEntryBytes = { 4: 36, 6: 72 } as const;

/** The type byte of an entry. */
export const syncEntryTypes = { 4: 0, 6: 1 } as const;

/** Most entries of one message that a receiver can count. */
export const syncEntriesMax = 255;

/** Entries begin at a multiple of this. */
const alignment = 4;

/** The next place where an entry may begin. */
export function alignedOffset(offset: number): number {
  return (offset + alignment - 1) & ~(alignment - 1);
}

/** Whether these are the bytes of a version 1 message; anything else is read as version 0. */
export function isVersion1(message: Uint8Array): boolean {
  return (
    message.length >= syncHeader.byteLength &&
    message[0] === 0 &&
    message[5] === 1 &&
    message[6] === 0 &&
    message[7] === 0
  );
}

/**
 * Calls `visit` with the start and the end of every entry, padding left out, and gives the id.
 *
 * The master writes the number of entries into one byte and does not keep it from wrapping, so the
 * bytes are followed to their end and the number must agree with it modulo 256. A kernel that
 * receives such a message loses 256 entries; here they are all seen.
 *
 * Throws {@link WireError} at the first thing that is wrong; entries before it were visited.
 */
export function scanSyncMessage(
  message: Uint8Array,
  visit: (start: number, end: number) => void,
): { readonly syncId: number } {
  if (message.length < syncHeader.byteLength) {
    throw new WireError('truncated', `sync message: ${message.length} bytes`);
  }
  if (!isVersion1(message)) throw new WireError('bad-value', 'sync message: not of version 1');
  const size = readU16(message, 2);
  if (size !== message.length) {
    throw new WireError('bad-length', `sync message: size ${size} in ${message.length} bytes`);
  }
  let count = 0;
  let end: number = syncHeader.byteLength;
  while (end < message.length) {
    const start = alignedOffset(end);
    requirePadding(message, end, start);
    end = entryEnd(message, start);
    visit(start, end);
    count += 1;
  }
  const stated = message[4] ?? 0;
  if (count % 256 !== stated) {
    throw new WireError('bad-length', `sync message: ${stated} entries stated, ${count} found`);
  }
  return { syncId: message[1] ?? 0 };
}

/** Where the entry at `start` ends. Throws {@link WireError} when it does not fit the message. */
export function entryEnd(message: Uint8Array, start: number): number {
  const left = message.length - start;
  if (left < syncEntryBytes[4]) {
    throw new WireError('truncated', `sync entry: ${left} bytes where 36 are the least`);
  }
  const type = message[start];
  if (type !== syncEntryTypes[4] && type !== syncEntryTypes[6]) {
    throw new WireError('bad-value', `sync entry: type ${type}`);
  }
  const lengthField = readU16(message, start + syncEntryOffsets.length);
  if (lengthField >> 12 !== 0) {
    throw new WireError('bad-value', `sync entry: version ${lengthField >> 12}`);
  }
  const length = lengthField & 0x0fff;
  const least = type === syncEntryTypes[4] ? syncEntryBytes[4] : syncEntryBytes[6];
  if (length < least || length > left) {
    throw new WireError('bad-length', `sync entry: length ${length}, with ${left} bytes left`);
  }
  return start + length;
}

function requirePadding(message: Uint8Array, from: number, to: number): void {
  if (to > message.length) throw new WireError('truncated', 'sync message: ends in padding');
  for (let at = from; at < to; at += 1) {
    if (message[at] !== 0) throw new WireError('bad-value', 'sync message: padding is not zero');
  }
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
