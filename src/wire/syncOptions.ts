/** The options behind an entry of version 1: bytes to values and back. */
import { bits, packetLayout } from './packetLayout.js';
import {
  type SyncEntry,
  type SyncSequence,
  sequenceFlags,
  type UnknownSyncOption,
} from './syncModel.js';
import { WireError } from './wireError.js';

/** Types of options (IPVS_OPT_*). */
export const syncOptionTypes = {
  sequence: 1,
  persistenceData: 2,
  persistenceEngine: 3,
} as const;

/** A receiver that does not know the type may leave the option out and take the entry. */
export const ignorableOptionBit = 0x40;

/** The kernel's limit of the name of a persistence engine (IP_VS_PENAME_MAXLEN). */
export const engineNameBytesMax = 16;

/** An option's length is one byte. */
const optionBytesMax = 255;

const sequenceLayout = packetLayout('sync sequence', {
  inInitial: bits(32),
  inDelta: bits(32),
  inPreviousDelta: bits(32),
  outInitial: bits(32),
  outDelta: bits(32),
  outPreviousDelta: bits(32),
});

/** Bytes of the sequence numbers of both directions. */
export const sequenceBytes = sequenceLayout.byteLength;

/** What the options of an entry say. */
export type SyncOptions = Pick<
  SyncEntry,
  'sequence' | 'persistenceData' | 'persistenceEngine' | 'unknownOptions'
>;

/** Reads all options; `flags` says whether there are sequence numbers. */
export function decodeSyncOptions(bytes: Uint8Array, flags: number): SyncOptions {
  const seen = new Set<number>();
  const unknownOptions: UnknownSyncOption[] = [];
  let options: SyncOptions = {};
  let at = 0;
  while (at < bytes.length) {
    const type = bytes[at] ?? 0;
    const length = bytes[at + 1] ?? 0;
    const data = bytes.slice(at + 2, at + 2 + length);
    if (length === 0 || data.length !== length) {
      throw new WireError('bad-length', `sync option ${type}: ${length} bytes stated`);
    }
    at += 2 + length;
    const known = decodeOption(type, data);
    if (known === undefined) {
      unknownOptions.push({ type, data });
      continue;
    }
    if (seen.has(type)) throw new WireError('bad-value', `sync option ${type} is there twice`);
    seen.add(type);
    options = { ...options, ...known };
  }
  requireSequence(flags, options.sequence !== undefined);
  return unknownOptions.length === 0 ? options : { ...options, unknownOptions };
}

/** Writes all options, in the kernel's order. Throws {@link WireError} when one does not fit. */
export function encodeSyncOptions(entry: SyncEntry): Uint8Array {
  const { sequence, persistenceData, persistenceEngine, unknownOptions = [] } = entry;
  requireSequence(entry.flags, sequence !== undefined);
  const parts: Uint8Array[] = [];
  if (sequence !== undefined) {
    parts.push(option(syncOptionTypes.sequence, encodeSequence(sequence)));
  }
  if (persistenceData !== undefined) {
    parts.push(option(syncOptionTypes.persistenceData, persistenceData));
  }
  if (persistenceEngine !== undefined) {
    const name = new TextEncoder().encode(persistenceEngine);
    requireEngineName(name);
    parts.push(option(syncOptionTypes.persistenceEngine, name));
  }
  for (const { type, data } of unknownOptions) {
    if (!isIgnorable(type)) throw new WireError('bad-value', `sync option ${type} is not known`);
    parts.push(option(type, data));
  }
  return Buffer.concat(parts);
}

/** The sequence numbers of both directions, big-endian as in version 1. */
export function encodeSequence(sequence: NonNullable<SyncEntry['sequence']>): Uint8Array {
  return sequenceLayout.encode({
    inInitial: sequence.in.initial,
    inDelta: sequence.in.delta,
    inPreviousDelta: sequence.in.previousDelta,
    outInitial: sequence.out.initial,
    outDelta: sequence.out.delta,
    outPreviousDelta: sequence.out.previousDelta,
  });
}

/** Reads what {@link encodeSequence} writes. */
export function decodeSequence(bytes: Uint8Array): NonNullable<SyncEntry['sequence']> {
  if (bytes.length !== sequenceBytes) {
    throw new WireError('bad-length', `sync sequence: ${bytes.length} bytes`);
  }
  const value = sequenceLayout.decode(bytes);
  const direction = (initial: number, delta: number, previousDelta: number): SyncSequence => ({
    initial,
    delta,
    previousDelta,
  });
  return {
    in: direction(value.inInitial, value.inDelta, value.inPreviousDelta),
    out: direction(value.outInitial, value.outDelta, value.outPreviousDelta),
  };
}

function decodeOption(type: number, data: Uint8Array): SyncOptions | undefined {
  switch (type) {
    case syncOptionTypes.sequence:
      return { sequence: decodeSequence(data) };
    case syncOptionTypes.persistenceData:
      return { persistenceData: data };
    case syncOptionTypes.persistenceEngine:
      requireEngineName(data);
      return { persistenceEngine: String.fromCharCode(...data) };
    default:
      if (isIgnorable(type)) return undefined;
      throw new WireError('bad-value', `sync option ${type} is not known`);
  }
}

function isIgnorable(type: number): boolean {
  return type <= 0xff && (type & ignorableOptionBit) !== 0;
}

/** A name ends up in the kernel's search for a module, so nothing but plain letters passes. */
function requireEngineName(name: Uint8Array): void {
  const isPlain = name.every((byte) => byte > 0x20 && byte < 0x7f);
  if (name.length > 0 && name.length <= engineNameBytesMax && isPlain) return;
  throw new WireError('bad-value', 'sync option: not the name of a persistence engine');
}

function requireSequence(flags: number, present: boolean): void {
  if (((flags & sequenceFlags) !== 0) === present) return;
  const what = present ? 'without their flag' : 'missing';
  throw new WireError('bad-value', `sync entry: sequence numbers are ${what}`);
}

function option(type: number, data: Uint8Array): Uint8Array {
  if (data.length === 0 || data.length > optionBytesMax) {
    throw new WireError('bad-length', `sync option ${type}: ${data.length} bytes`);
  }
  return Uint8Array.of(type, data.length, ...data);
}
