/** Receivers of connection sync: what the kernel tells on `lo`, and what the peer's agent sends. */
import { EntryValidator, type KnownService } from '../../src/sync/entryValidator.js';
import { Relay } from '../../src/sync/relay.js';
import { ShadowTable } from '../../src/sync/shadowTable.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import {
  decodeSyncChannel,
  encodeDigests,
  encodeEntriesHeader,
  encodeSyncControl,
  type SyncControl,
  scanChannelEntries,
} from '../../src/wire/syncChannel.js';
import { encodeSyncEntry, encodeSyncMessage } from '../../src/wire/syncMessage.js';
import { type SyncEntry, syncFlags } from '../../src/wire/syncModel.js';
import { WireError } from '../../src/wire/wireError.js';
import { establishedConnection } from '../tools/syncSamples.js';
import type { ReceiveTarget } from './fuzzer.js';

/** A small table, so that it is full for most of the time. */
const entriesMax = 512;
const hashSeed = 7;
const nowDs = 100;

const services: readonly KnownService[] = [
  {
    identity: { kind: 'address', protocol: 'tcp', address: ipAddress('192.0.2.100'), port: 80 },
    servers: [{ address: ipAddress('192.0.2.10'), port: 8080 }],
  },
  {
    identity: { kind: 'fwmark', family: 6, fwmark: 9 },
    servers: [{ address: ipAddress('2001:db8::10'), port: 0 }],
  },
];

const connection: SyncEntry = {
  ...establishedConnection,
  clientAddress: ipAddress('198.51.100.1'),
  virtualAddress: ipAddress('192.0.2.100'),
  serverAddress: ipAddress('192.0.2.10'),
};
const entries: readonly SyncEntry[] = [
  connection,
  { ...connection, flags: syncFlags.template, clientPort: 0, timeoutSeconds: 300 },
  {
    ...connection,
    firewallMark: 9,
    clientAddress: ipAddress('2001:db8::1'),
    virtualAddress: ipAddress('2001:db8::100'),
    serverAddress: ipAddress('2001:db8::10'),
    family: 6,
  },
  {
    ...connection,
    persistenceEngine: 'sip',
    persistenceData: new TextEncoder().encode('call-id'),
  },
];

/** Both receivers. */
export function syncTargets(): readonly ReceiveTarget[] {
  return [kernelTarget(), channelTarget()];
}

/** Datagrams of the master daemon; what is refused is counted by its reason. */
function kernelTarget(): ReceiveTarget {
  const relay = new Relay({
    entriesMax,
    epoch: 1,
    hashSeed,
    nowMs: () => nowDs * 100,
    nowUnixMs: () => nowDs * 100,
    pause: async () => undefined,
    send: () => undefined,
    inject: async () => undefined,
    onChange: () => undefined,
  });
  const { refusedDatagrams } = relay.counts;
  const refusals = (): Record<string, number> => ({ ...refusedDatagrams });
  return {
    name: "sync of the kernel's connections",
    packets: entries.map((_, index) =>
      encodeSyncMessage({ version: 1, syncId: 0, entries: entries.slice(0, index + 1) }),
    ),
    receive: (bytes) => {
      const before = refusals();
      relay.hear(bytes, 0, 0);
      return Object.entries(refusals()).find(
        ([reason, count]) => count > (before[reason] ?? 0),
      )?.[0];
    },
  };
}

/** Messages of the peer, which somebody with its key may have written. */
function channelTarget(): ReceiveTarget {
  const table = new ShadowTable(entriesMax, hashSeed);
  const validator = new EntryValidator(services);
  const controls: readonly SyncControl[] = [
    { type: 'announce', epoch: 5, nowDs, window: 8192 },
    { type: 'requestBulk', reason: 'joined' },
    { type: 'requestRepair', buckets: [1, 2, 1023] },
    { type: 'standing', entries: 3, differingBuckets: -1 },
  ];
  return {
    name: 'sync between the agents',
    packets: [
      entriesMessage(),
      encodeDigests(nowDs, new Uint32Array(1024)),
      ...controls.map((control) => encodeSyncControl(control)),
    ],
    receive: (bytes) => {
      try {
        const message = decodeSyncChannel(bytes);
        if (message.kind !== 'entries') return undefined;
        let refused: string | undefined;
        scanChannelEntries(message, (start, end, stampDs) => {
          refused = validator.judge(message.bytes, start) ?? refused;
          if (refused === undefined) {
            table.put(message.bytes, start, end, { source: 'relay', stampDs });
          }
        });
        return refused;
      } catch (error) {
        if (error instanceof WireError) return error.reason;
        throw error;
      }
    },
  };
}

function entriesMessage(): Uint8Array {
  const encoded = entries.slice(0, 3).map(encodeSyncEntry);
  const header = { purpose: 'relay', count: encoded.length, sequence: 1, nowDs } as const;
  const stamp = new Uint8Array(4);
  return Uint8Array.of(
    ...encodeEntriesHeader(header),
    ...encoded.flatMap((entry) => [...stamp, ...entry]),
  );
}
