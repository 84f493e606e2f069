/** The messages between main and the sync thread, and what the thread reports. */
import type { MessagePort } from 'node:worker_threads';
import type { LogLevel } from '../vrrp/protocol.js';
import type { EntryRefusal } from './entryValidator.js';
import type { SeedService } from './procConnections.js';

/** What the relay needs to know. */
export interface RelaySettings {
  /** The kernel's syncid of both daemons. */
  readonly syncId: number;
  readonly group: string;
  /** First port of the master daemon. */
  readonly masterPort: number;
  /** First port of the backup daemon. */
  readonly backupPort: number;
  /** Ports of each, `sync_ports`. */
  readonly portCount: number;
  readonly entriesMax: number;
}

/** From main to the thread. */
export type ToSync =
  | { readonly type: 'configure'; readonly settings: RelaySettings }
  | { readonly type: 'services'; readonly services: readonly SeedService[] }
  /** The daemons run: entries may be read and injected. */
  | { readonly type: 'start' }
  /** A new way to the thread of the peer channel. */
  | { readonly type: 'channel'; readonly port: MessagePort }
  | { readonly type: 'resync' }
  | { readonly type: 'stop' };

/** Why a datagram of the master daemon was not taken. */
export type DatagramRefusal = 'not-from-kernel' | 'malformed' | 'wrong-sync-id';

/** What was counted since the thread started. */
export interface RelayCounters {
  /** Entries that our kernel told. */
  readonly heard: number;
  /** Entries that were sent to the peer, of any purpose. */
  readonly sent: number;
  /** Entries that came from the peer. */
  readonly received: number;
  /** Entries that were given to our kernel. */
  readonly injected: number;
  /** Entries of the peer that were not taken, by reason. */
  readonly rejected: Readonly<Record<EntryRefusal, number>>;
  /** Datagrams on the master's port that were not taken, by reason. */
  readonly refusedDatagrams: Readonly<Record<DatagramRefusal, number>>;
  readonly dropped: {
    /** Entries for which the table had no room. */
    readonly tableFull: number;
    /** Messages of the peer beyond what it may send before an answer. */
    readonly overWindow: number;
    /** Messages that did not fit the queues of the peer channel. */
    readonly channel: number;
    /** Datagrams that the kernel threw away before the agent read them. */
    readonly beforeRelay: number;
    /** Datagrams that the kernel threw away before its backup daemon read them. */
    readonly beforeKernel: number;
  };
  /** Entries that ended by their timeout. */
  readonly expired: number;
  readonly repairs: number;
  /** Messages of the peer that could not be read. */
  readonly malformed: number;
}

/** How complete this director's table is. */
export type RelayPhase =
  /** The peer has not been connected yet. */
  | 'waiting-for-peer'
  /** The peer's table is on its way. */
  | 'receiving'
  /** The peer's table has arrived. */
  | 'received';

/** A transfer of the whole table. */
export interface BulkReport {
  readonly direction: 'sent' | 'received';
  readonly entries: number;
  readonly seconds: number;
  readonly finished: boolean;
  readonly atUnixMs: number;
}

/** What the thread reports. */
export interface RelayReport {
  readonly phase: RelayPhase;
  readonly connectedSinceUnixMs: number | null;
  /** Entries of our table, and of the peer's when it has told. */
  readonly tableEntries: number;
  readonly peerTableEntries: number | null;
  readonly tableMemoryBytes: number;
  /** Entries to be sent, and sent but not taken yet. */
  readonly waitingEntries: number;
  /** From our kernel's word to the peer's kernel, of the last 4096 messages; null before one. */
  readonly lagMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** Buckets of the peer's entries that differ from ours; null before the first comparison. */
  readonly differingBuckets: number | null;
  /** Buckets that differ because we refused entries of them; see the counts of refusals. */
  readonly refusedBuckets: number;
  /** The differing ones as the peer sees it. */
  readonly peerDifferingBuckets: number | null;
  readonly comparedUnixMs: number | null;
  /** Connected, received, compared, and no difference on either side. */
  readonly inSync: boolean;
  readonly lastBulk: BulkReport | null;
  readonly seed: { readonly entries: number; readonly finished: boolean } | null;
  readonly counters: RelayCounters;
}

/** From the thread to main. */
export type FromSync =
  | { readonly type: 'report'; readonly report: RelayReport }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    }
  | { readonly type: 'stopped' };
