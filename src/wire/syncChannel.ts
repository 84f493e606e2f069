/**
 * What the sync threads of two directors say to each other, inside frames of the peer channel.
 *
 *     0      | kind u8: 0 control, 1 entries, 2 digests
 *     control: JSON of one of {@link syncControlTable}
 *     entries: layout below, then `count` times a stamp (u32) and an entry of version 1
 *     digests: the sender's clock (u32), then 1024 sums (u32)
 *
 * Clocks (Ds) count tenths of a second since the sender's sync thread started.
 */
import { bits, packetLayout } from './packetLayout.js';
import { integer, list, record, type Shape, type ShapeValue, text } from './peerMessageShape.js';
import { entryEnd } from './syncScan.js';
import { WireError } from './wireError.js';

/** Number and version of the frames of the peer channel that carry these messages. */
export const syncFrame = { type: 64, version: 1 } as const;

/** Most entries of one message: what is sent between two looks at anything else. */
export const channelEntriesMax = 512;

/** Sums of one message of digests. */
export const digestSums = 1024;

const kinds = { control: 0, entries: 1, digests: 2 } as const;

const u32 = integer(0, 0xffff_ffff);
const buckets = list(integer(0, digestSums - 1), digestSums);

/** Control messages, each with what it holds. */
export const syncControlTable = {
  /** The first message on a connection. `epoch` is another after every start of the thread. */
  announce: record({ epoch: u32, nowDs: u32, window: integer(1, 65_536) }),
  /** All up to this number has been given to the kernel, or refused. */
  taken: record({ sequence: u32 }),
  /** Send the whole table. */
  requestBulk: record({ reason: text(32) }),
  /** A bulk begins, of about so many entries. */
  bulkBegin: record({ entries: u32 }),
  /** The bulk is over: `finished` 1, or 0 when it is known to lack something. */
  bulkEnd: record({ entries: u32, finished: integer(0, 1) }),
  /** Send these buckets again; their sums differ. */
  requestRepair: record({ buckets }),
  repairEnd: record({ buckets }),
  /** How the sender's table stands. */
  standing: record({ entries: u32, differingBuckets: integer(-1, digestSums) }),
} as const satisfies Readonly<Record<string, Shape<unknown>>>;

type Table = typeof syncControlTable;

/** Any control message. */
export type SyncControl = {
  [Name in keyof Table]: { readonly type: Name } & ShapeValue<Table[Name]>;
}[keyof Table];

/** Why entries are sent. */
export const entryPurposes = ['relay', 'bulk', 'repair'] as const;

/** One of {@link entryPurposes}. */
export type EntryPurpose = (typeof entryPurposes)[number];

const entriesLayout = packetLayout('sync entries', {
  kind: bits(8),
  purpose: bits(8),
  count: bits(16),
  sequence: bits(32),
  nowDs: bits(32),
});

/** Bytes before the first entry. */
export const entriesHeaderBytes = entriesLayout.byteLength;

/** Bytes before each entry. */
export const stampBytes = 4;

/** What a message is. Entries are found with {@link scanChannelEntries}. */
export type SyncChannelMessage =
  | { readonly kind: 'control'; readonly control: SyncControl }
  | {
      readonly kind: 'entries';
      readonly purpose: EntryPurpose;
      readonly count: number;
      readonly sequence: number;
      readonly nowDs: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'digests'; readonly nowDs: number; readonly sums: Uint32Array };

/** Reads a message. Throws {@link WireError}. */
export function decodeSyncChannel(bytes: Uint8Array): SyncChannelMessage {
  switch (bytes[0]) {
    case kinds.control:
      return { kind: 'control', control: decodeControl(bytes.subarray(1)) };
    case kinds.entries: {
      const { purpose: index, count, sequence, nowDs } = entriesLayout.decode(bytes);
      const purpose = entryPurposes[index];
      if (purpose === undefined || count > channelEntriesMax) {
        throw new WireError('bad-value', `sync entries: purpose ${index}, ${count} entries`);
      }
      return { kind: 'entries', purpose, count, sequence, nowDs, bytes };
    }
    case kinds.digests: {
      if (bytes.length !== 5 + digestSums * 4) {
        throw new WireError('bad-length', `sync digests: ${bytes.length} bytes`);
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const sums = Uint32Array.from({ length: digestSums }, (_, at) => view.getUint32(5 + at * 4));
      return { kind: 'digests', nowDs: view.getUint32(1), sums };
    }
    default:
      throw new WireError('bad-value', `sync channel: kind ${bytes[0]}`);
  }
}

/** Writes a control message. */
export function encodeSyncControl(control: SyncControl): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(control));
  const bytes = new Uint8Array(1 + json.length);
  bytes.set(json, 1);
  return bytes;
}

/** Writes the header of a message of entries, which follow it. */
export function encodeEntriesHeader(header: {
  readonly purpose: EntryPurpose;
  readonly count: number;
  readonly sequence: number;
  readonly nowDs: number;
}): Uint8Array {
  const purpose = entryPurposes.indexOf(header.purpose);
  return entriesLayout.encode({ ...header, kind: kinds.entries, purpose });
}

/** Writes digests. */
export function encodeDigests(nowDs: number, sums: Uint32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + digestSums * 4);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kinds.digests);
  view.setUint32(1, nowDs);
  for (let at = 0; at < digestSums; at += 1) view.setUint32(5 + at * 4, sums[at] ?? 0);
  return bytes;
}

/** Calls `visit` for every entry of a message. Throws {@link WireError} at what does not fit. */
export function scanChannelEntries(
  { bytes, count }: { readonly bytes: Uint8Array; readonly count: number },
  visit: (start: number, end: number, stampDs: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = entriesHeaderBytes;
  for (let index = 0; index < count; index += 1) {
    const start = at + stampBytes;
    if (start > bytes.length) throw new WireError('truncated', 'sync entries: cut off');
    const end = entryEnd(bytes, start);
    visit(start, end, view.getUint32(at));
    at = end;
  }
  if (at !== bytes.length) throw new WireError('bad-length', 'sync entries: bytes left over');
}

function decodeControl(bytes: Uint8Array): SyncControl {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new WireError('bad-value', 'sync control: not JSON');
  }
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : '';
  if (typeof type !== 'string' || !Object.hasOwn(syncControlTable, type)) {
    throw new WireError('bad-value', 'sync control: unknown type');
  }
  const name = type as keyof Table;
  // The body is that of the message's own entry in the table.
  return { type: name, ...syncControlTable[name].read(value, name) } as SyncControl;
}
