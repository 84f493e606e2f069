/** Messages of the kernel's connection synchronisation, both versions: bytes to values and back. */
import { familyOf, ipFromBytes, ipToBytes } from './ipAddress.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { type SyncEntry, type SyncMessage, sequenceFlags } from './syncModel.js';
import {
  decodeSequence,
  decodeSyncOptions,
  encodeSequence,
  encodeSyncOptions,
} from './syncOptions.js';
import {
  alignedOffset,
  isVersion1,
  scanSyncMessage,
  syncEntriesMax,
  syncEntryTypes,
  syncHeader,
} from './syncScan.js';
import { WireError } from './wireError.js';

/** The header of version 0 (struct ip_vs_sync_mesg_v0). */
const header0 = packetLayout('sync message version 0', {
  entryCount: bits(8),
  syncId: bits(8),
  size: bits(16),
});

/** An entry of version 0 (struct ip_vs_sync_conn_v0); sequence numbers may follow it. */
const entry0 = packetLayout('sync entry version 0', {
  reserved: bits(8),
  protocol: bits(8),
  clientPort: bits(16),
  virtualPort: bits(16),
  serverPort: bits(16),
  clientAddress: octets(4),
  virtualAddress: octets(4),
  serverAddress: octets(4),
  flags: bits(16),
  state: bits(16),
});

const entryFields = {
  type: bits(8),
  protocol: bits(8),
  entryVersion: bits(4),
  length: bits(12),
  flags: bits(32),
  state: bits(16),
  clientPort: bits(16),
  virtualPort: bits(16),
  serverPort: bits(16),
  firewallMark: bits(32),
  timeoutSeconds: bits(32),
};

/** The fixed part of an entry of version 1, by its family. */
const entry1 = {
  4: packetLayout('sync entry', {
    ...entryFields,
    clientAddress: octets(4),
    virtualAddress: octets(4),
    serverAddress: octets(4),
  }),
  6: packetLayout('sync entry', {
    ...entryFields,
    clientAddress: octets(16),
    virtualAddress: octets(16),
    serverAddress: octets(16),
  }),
} as const;

/** The most that one UDP datagram over IPv4 carries. */
const messageBytesMax = 65_507;

/** Reads a message of either version. Throws {@link WireError} that says what is wrong. */
export function decodeSyncMessage(message: Uint8Array): SyncMessage {
  if (!isVersion1(message)) return decodeVersion0(message);
  const entries: SyncEntry[] = [];
  const { syncId } = scanSyncMessage(message, (start, end) => {
    entries.push(decodeSyncEntry(message.subarray(start, end)));
  });
  return { version: 1, syncId, entries };
}

/**
 * Writes a message. More than 255 entries do not fit its counter and are refused, unless
 * `counterWraps` asks for what the kernel's master does then: their number modulo 256.
 * Throws {@link WireError} when a value does not fit.
 */
export function encodeSyncMessage(
  message: SyncMessage,
  { counterWraps = false }: { readonly counterWraps?: boolean } = {},
): Uint8Array {
  const { version, syncId, entries } = message;
  if (entries.length > syncEntriesMax && !counterWraps) {
    throw new WireError('bad-length', `sync message: ${entries.length} entries, 255 are the most`);
  }
  const parts = entries.map(version === 0 ? encodeEntry0 : encodeSyncEntry);
  const headerBytes = version === 0 ? header0.byteLength : syncHeader.byteLength;
  let size: number = headerBytes;
  const starts = parts.map((part) => {
    const start = alignedOffset(size);
    size = start + part.length;
    return start;
  });
  if (size > messageBytesMax) throw new WireError('bad-length', `sync message: ${size} bytes`);
  const entryCount = entries.length % 256;
  const bytes = new Uint8Array(size);
  if (version === 0) bytes.set(header0.encode({ entryCount, syncId, size }));
  else {
    bytes.set(syncHeader.encode({ reserved: 0, syncId, size, entryCount, version: 1, spare: 0 }));
  }
  for (const [index, part] of parts.entries()) bytes.set(part, starts[index] ?? 0);
  return bytes;
}

/** Reads exactly one entry of version 1, options and all. Throws {@link WireError}. */
export function decodeSyncEntry(bytes: Uint8Array): SyncEntry {
  const family = bytes[0] === syncEntryTypes[4] ? 4 : 6;
  const layout = entry1[family];
  const { type, entryVersion, length, ...fields } = layout.decode(bytes);
  if (type !== syncEntryTypes[family]) throw new WireError('bad-value', `sync entry: type ${type}`);
  if (entryVersion !== 0) throw new WireError('bad-value', `sync entry: version ${entryVersion}`);
  if (length !== bytes.length) {
    throw new WireError('bad-length', `sync entry: length ${length} in ${bytes.length} bytes`);
  }
  return {
    family,
    ...fields,
    clientAddress: ipFromBytes(fields.clientAddress),
    virtualAddress: ipFromBytes(fields.virtualAddress),
    serverAddress: ipFromBytes(fields.serverAddress),
    ...decodeSyncOptions(bytes.subarray(layout.byteLength), fields.flags),
  };
}

/** Writes one entry of version 1. Throws {@link WireError} when a value does not fit. */
export function encodeSyncEntry(entry: SyncEntry): Uint8Array {
  const { family } = entry;
  requireFamily(entry);
  const options = encodeSyncOptions(entry);
  const length = entry1[family].byteLength + options.length;
  const fixed = entry1[family].encode({
    type: syncEntryTypes[family],
    protocol: entry.protocol,
    entryVersion: 0,
    length,
    flags: entry.flags,
    state: entry.state,
    clientPort: entry.clientPort,
    virtualPort: entry.virtualPort,
    serverPort: entry.serverPort,
    firewallMark: entry.firewallMark,
    timeoutSeconds: entry.timeoutSeconds,
    clientAddress: ipToBytes(entry.clientAddress),
    virtualAddress: ipToBytes(entry.virtualAddress),
    serverAddress: ipToBytes(entry.serverAddress),
  });
  return Buffer.concat([fixed, options]);
}

function decodeVersion0(message: Uint8Array): SyncMessage {
  const { entryCount, syncId, size } = header0.decode(message);
  if (size !== message.length) {
    throw new WireError('bad-length', `sync message: size ${size} in ${message.length} bytes`);
  }
  const entries: SyncEntry[] = [];
  let at = header0.byteLength;
  while (at < size) {
    const { reserved, ...fields } = entry0.decode(message.subarray(at));
    if (reserved !== 0) throw new WireError('bad-value', `sync entry: reserved byte ${reserved}`);
    at += entry0.byteLength;
    const hasSequence = (fields.flags & sequenceFlags) !== 0;
    const sequence = message.subarray(at, at + (hasSequence ? 24 : 0));
    at += sequence.length;
    entries.push({
      family: 4,
      ...fields,
      firewallMark: 0,
      timeoutSeconds: 0,
      clientAddress: ipFromBytes(fields.clientAddress),
      virtualAddress: ipFromBytes(fields.virtualAddress),
      serverAddress: ipFromBytes(fields.serverAddress),
      ...(hasSequence ? { sequence: decodeSequence(swapped(sequence)) } : {}),
    });
  }
  if (entries.length % 256 !== entryCount) {
    throw new WireError('bad-length', `sync message: ${entryCount} entries stated`);
  }
  return { version: 0, syncId, entries };
}

function encodeEntry0(entry: SyncEntry): Uint8Array {
  requireFamily(entry);
  if (entry.family !== 4) throw new WireError('bad-value', 'sync version 0 has no IPv6');
  const { sequence, persistenceData, persistenceEngine, unknownOptions } = entry;
  if ([persistenceData, persistenceEngine, unknownOptions].some((part) => part !== undefined)) {
    throw new WireError('bad-value', 'sync version 0 has no options');
  }
  if (entry.firewallMark !== 0 || entry.timeoutSeconds !== 0) {
    throw new WireError('bad-value', 'sync version 0 has neither firewall mark nor timeout');
  }
  if (((entry.flags & sequenceFlags) !== 0) !== (sequence !== undefined)) {
    throw new WireError('bad-value', 'sync entry: sequence numbers and their flags must agree');
  }
  const fixed = entry0.encode({
    reserved: 0,
    protocol: entry.protocol,
    clientPort: entry.clientPort,
    virtualPort: entry.virtualPort,
    serverPort: entry.serverPort,
    clientAddress: ipToBytes(entry.clientAddress),
    virtualAddress: ipToBytes(entry.virtualAddress),
    serverAddress: ipToBytes(entry.serverAddress),
    flags: entry.flags,
    state: entry.state,
  });
  return sequence === undefined ? fixed : Buffer.concat([fixed, swapped(encodeSequence(sequence))]);
}

/** Version 0 has sequence numbers in the sender's own byte order, which is little-endian today. */
function swapped(numbers: Uint8Array): Uint8Array {
  return Buffer.from(numbers).swap32();
}

function requireFamily(entry: SyncEntry): void {
  const addresses = [entry.clientAddress, entry.virtualAddress, entry.serverAddress];
  if (addresses.every((address) => familyOf(address) === entry.family)) return;
  throw new WireError('bad-value', 'sync entry: addresses of another family');
}
