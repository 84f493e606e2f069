/**
 * The relay between our kernel and the peer's: what our kernel tells goes into the shadow table and
 * to the peer, what the peer tells is judged and given to our kernel. Clock and ways in and out
 * are given, so that two of them can be tried against each other without a kernel.
 *
 * The sender may have only so many entries under way. The receiver answers when they are
 * in its kernel, so neither a slow kernel nor a slow line makes anything pile up.
 */
import {
  decodeSyncChannel,
  encodeDigests,
  type SyncChannelMessage,
  type SyncControl,
  scanChannelEntries,
} from '../wire/syncChannel.js';
import { scanSyncMessage } from '../wire/syncScan.js';
import { WireError } from '../wire/wireError.js';
import { Agreement } from './agreement.js';
import { BulkLog } from './bulkLog.js';
import { bucketAt } from './entryBytes.js';
import { EntryValidator, type KnownService } from './entryValidator.js';
import { Inbox } from './inbox.js';
import { InflowLimit } from './inflowLimit.js';
import { Outgoing, windowEntries } from './outgoing.js';
import type { RelayPhase, RelayReport } from './protocol.js';
import { RelayCounts } from './relayCounts.js';
import { type EntryId, ShadowTable } from './shadowTable.js';

/** What the relay needs from around it. */
export interface RelayOptions {
  readonly entriesMax: number;
  /** Random, other than 0, another for each start. */
  readonly epoch: number;
  /** Milliseconds since the start of the thread, monotonic. */
  readonly nowMs: () => number;
  readonly nowUnixMs: () => number;
  /** Random, for the table. */
  readonly hashSeed: number;
  readonly pause: (ms: number) => Promise<void>;
  /** Sends to the peer. */
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Gives these entries to our kernel; resolves when it has taken them. */
  readonly inject: (table: ShadowTable, ids: readonly EntryId[], nowDs: number) => Promise<void>;
  /** Something about the phase or the agreement has changed. */
  readonly onChange: () => void;
}

/** The relay of one director. */
export class Relay {
  readonly table: ShadowTable;
  readonly counts = new RelayCounts();
  readonly #options: RelayOptions;
  readonly #outgoing: Outgoing;
  #validator = new EntryValidator([]);
  #connectedSinceUnixMs: number | null = null;
  #phase: RelayPhase = 'waiting-for-peer';
  #peerEpoch = 0;
  #announced = false;
  readonly #bulks: BulkLog;
  readonly #inbox: Inbox;
  readonly #agreement = new Agreement();
  #overWindowAtRepair = 0;
  readonly #inflow = new InflowLimit();
  #peerEntries: number | null = null;
  #seed: RelayReport['seed'] = null;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#bulks = new BulkLog(options.nowMs, options.nowUnixMs);
    this.table = new ShadowTable(options.entriesMax, options.hashSeed);
    this.#outgoing = new Outgoing({
      table: this.table,
      counts: this.counts,
      nowMs: options.nowMs,
      nowDs: () => this.nowDs,
      send: options.send,
      isWhole: () => this.counts.tableFull === 0 && this.#seed?.finished !== false,
      onBulkSent: (entries, startedMs, finished) =>
        this.#bulks.note('sent', entries, startedMs, finished),
    });
    this.#inbox = new Inbox({
      workOff: (message) => this.#workOff(message),
      answer: (sequence) => {
        if (this.#announced) this.#outgoing.control({ type: 'taken', sequence });
      },
      onMalformed: () => {
        this.counts.malformed += 1;
      },
    });
  }

  get phase(): RelayPhase {
    return this.#phase;
  }

  /** Tenths of a second since the start. */
  get nowDs(): number {
    return tenths(this.#options.nowMs());
  }

  setServices(services: readonly KnownService[]): void {
    this.#validator = new EntryValidator(services);
    this.#agreement.forgetRefusals();
  }

  /**
   * A datagram of our kernel's master daemon. The clock is read once for many: where a kernel has
   * no quick way to tell the time, that costs more than an entry.
   */
  hear(datagram: Uint8Array, syncId: number, nowMs: number): void {
    try {
      if (datagram[1] !== syncId) {
        this.counts.refusedDatagrams['wrong-sync-id'] += 1;
        return;
      }
      scanSyncMessage(datagram, (start, end) => this.#hearEntry(datagram, start, end, nowMs));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.counts.refusedDatagrams.malformed += 1;
    }
  }

  /** An entry that was read from our kernel's table; what the stream has told is better. */
  seed(bytes: Uint8Array): void {
    const put = this.table.put(bytes, 0, bytes.length, { source: 'seed', stampDs: this.nowDs });
    if (put.outcome === 'full') this.counts.tableFull += 1;
  }

  setSeed(seed: NonNullable<RelayReport['seed']>): void {
    this.#seed = seed;
    this.#settleGuesses();
  }

  /** Messages to the peer were lost on the way. */
  lost(count: number): void {
    this.counts.channelDrops += count;
    this.#outgoing.forgetUnderWay();
    this.flush();
  }

  /** The channel to the peer is open. */
  opened(): void {
    this.#connectedSinceUnixMs = this.#options.nowUnixMs();
    this.#outgoing.control({
      type: 'announce',
      epoch: this.#options.epoch,
      nowDs: this.nowDs,
      window: windowEntries,
    });
    this.#options.onChange();
  }

  /** The channel is closed. What was under way may be lost; the comparison will show it. */
  closed(): void {
    this.#connectedSinceUnixMs = null;
    this.#announced = false;
    this.#outgoing.close();
    this.#bulks.forget();
    this.#inbox.clear();
    this.#peerEntries = null;
    this.#agreement.forget();
    if (this.#phase === 'receiving') {
      this.#phase = 'waiting-for-peer';
      this.#peerEpoch = 0;
    }
    this.#options.onChange();
  }

  /** A message of the peer. They are worked off one after the other. */
  take(bytes: Uint8Array): void {
    let message: SyncChannelMessage;
    try {
      message = decodeSyncChannel(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.counts.malformed += 1;
      return;
    }
    if (message.kind === 'control' && message.control.type === 'taken') {
      // An answer must not wait behind entries that wait for our own kernel.
      this.#outgoing.taken(message.control.sequence);
      this.flush();
    } else if (!this.#inbox.put(message)) {
      this.counts.overWindow += 1;
    }
  }

  /** Asks the peer for its whole table; returns whether there is a peer to be asked. */
  request(reason: string): boolean {
    if (this.#announced) this.#outgoing.control({ type: 'requestBulk', reason });
    return this.#announced;
  }

  /** Asks the peer for its whole table, and sends ours. */
  resync(reason: string): boolean {
    if (!this.request(reason)) return false;
    this.#outgoing.startBulk();
    this.flush();
    return true;
  }

  /** Tells our sums and how we stand; to be called every few seconds. */
  compare(): void {
    if (!this.#announced) return;
    this.#outgoing.flushAll();
    if (!this.#outgoing.isIdle) return;
    const { nowDs } = this;
    this.#options.send(encodeDigests(nowDs, this.table.digests('own', nowDs)));
    this.#outgoing.control({
      type: 'standing',
      entries: this.table.count,
      differingBuckets: this.#agreement.differing ?? -1,
    });
  }

  /** Removes what has ended; to be called often, each looks at a part of the table. */
  expire(): void {
    const steps = Math.max(1024, Math.ceil(this.table.idEnd / 50));
    this.counts.expired += this.table.expire(this.nowDs, steps);
  }

  /** Sends what may be sent now. */
  flush(): void {
    this.#outgoing.flush();
  }

  report(): RelayReport {
    return {
      phase: this.#phase,
      connectedSinceUnixMs: this.#connectedSinceUnixMs,
      tableEntries: this.table.count,
      peerTableEntries: this.#peerEntries,
      tableMemoryBytes: this.table.memoryBytes,
      waitingEntries: this.#outgoing.waiting,
      lagMs: this.#outgoing.lagMs,
      differingBuckets: this.#agreement.differing,
      refusedBuckets: this.#agreement.refusedBuckets,
      peerDifferingBuckets: this.#agreement.peerDiffering,
      comparedUnixMs: this.#agreement.comparedUnixMs,
      inSync: this.#announced && this.#phase === 'received' && this.#agreement.isComplete,
      lastBulk: this.#bulks.last,
      seed: this.#seed,
      counters: this.counts.snapshot(),
    };
  }

  #hearEntry(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    this.counts.heard += 1;
    const put = this.table.put(bytes, start, end, { source: 'stream', stampDs: tenths(nowMs) });
    if (put.outcome === 'full') this.counts.tableFull += 1;
    else this.#outgoing.push(put.id, nowMs);
  }

  #workOff(message: SyncChannelMessage): Promise<void> | undefined {
    if (message.kind === 'entries') return this.#takeEntries(message);
    if (message.kind === 'digests') this.#takeDigests(message.nowDs, message.sums);
    else this.#takeControl(message.control);
    return undefined;
  }

  async #takeEntries(message: Extract<SyncChannelMessage, { kind: 'entries' }>): Promise<void> {
    const { table } = this;
    const nowMs = this.#options.nowMs();
    table.peerClockAheadDs = message.nowDs - tenths(nowMs);
    const waitMs = this.#inflow.take(message.count, nowMs);
    if (waitMs > 0) await this.#options.pause(waitMs);
    const taken: EntryId[] = [];
    const source = message.purpose === 'relay' ? 'relay' : 'bulk';
    try {
      scanChannelEntries(message, (start, end, stampDs) => {
        this.counts.received += 1;
        const refusal = this.#validator.judge(message.bytes, start);
        if (refusal !== undefined) {
          this.counts.rejected[refusal] += 1;
          this.#agreement.noteRefusal(bucketAt(message.bytes, start));
          return;
        }
        const put = table.put(message.bytes, start, end, { source, stampDs });
        if (put.outcome === 'full') this.counts.tableFull += 1;
        else if (put.outcome !== 'known-better') taken.push(put.id);
        else if (table.isOwn(put.id)) this.#outgoing.push(put.id, nowMs);
      });
    } finally {
      // Our kernel gets what the table has, also of a message that is broken further on.
      this.#bulks.received(message.count);
      await this.#options.inject(table, taken, this.nowDs);
      this.counts.injected += taken.length;
      this.flush();
    }
  }

  #takeControl(control: SyncControl): void {
    switch (control.type) {
      case 'announce':
        this.#announce(control.epoch, control.nowDs);
        break;
      case 'requestBulk':
        this.#outgoing.startBulk();
        break;
      case 'bulkBegin':
        this.#bulks.begin();
        break;
      case 'bulkEnd':
        this.#bulkEnded(control.finished === 1);
        break;
      case 'requestRepair':
        this.#outgoing.repair(control.buckets);
        break;
      case 'repairEnd':
        this.#repaired(new Set(control.buckets));
        break;
      case 'standing':
        this.#peerEntries = control.entries;
        this.#agreement.peerDiffering =
          control.differingBuckets < 0 ? null : control.differingBuckets;
        this.#options.onChange();
        break;
      case 'taken':
        break;
    }
    this.flush();
  }

  #announce(epoch: number, peerNowDs: number): void {
    this.table.peerClockAheadDs = peerNowDs - this.nowDs;
    this.#announced = true;
    this.#outgoing.open(epoch !== this.#peerEpoch);
    if (epoch === this.#peerEpoch) return;
    // Another life of the peer: what it knew is known here only, and ours to tell.
    this.table.adoptAll();
    this.#peerEpoch = epoch;
    this.#phase = 'receiving';
    this.#outgoing.control({ type: 'requestBulk', reason: 'joined' });
    this.#options.onChange();
  }

  #bulkEnded(finished: boolean): void {
    this.#bulks.end(finished);
    this.#phase = 'received';
    this.#settleGuesses();
    this.compare();
    this.#options.onChange();
  }

  #takeDigests(peerNowDs: number, theirs: Uint32Array): void {
    const ours = this.table.digests('peer', peerNowDs);
    const certain = this.#agreement.compare(theirs, ours, this.#options.nowUnixMs());
    if (certain.length > 0 && this.#phase === 'received') this.#requestRepair(certain);
    this.#options.onChange();
  }

  #requestRepair(buckets: readonly number[]): void {
    this.counts.repairs += 1;
    this.#overWindowAtRepair = this.counts.overWindow;
    this.#agreement.repairBegins(buckets);
    this.table.clearTold(new Set(buckets));
    this.#outgoing.control({ type: 'requestRepair', buckets: [...buckets] });
  }

  /** What our kernel had at the start and the peer did not know. */
  #settleGuesses(): void {
    if (this.#phase !== 'received' || this.#seed === null) return;
    const nowMs = this.#options.nowMs();
    for (const id of this.table.adoptGuesses()) this.#outgoing.push(id, nowMs);
    this.flush();
  }

  /** What we have from the peer and it does not know any more is ours to tell. */
  #repaired(buckets: ReadonlySet<number>): void {
    this.#agreement.repairEnded(buckets);
    if (this.counts.overWindow !== this.#overWindowAtRepair) return;
    const nowMs = this.#options.nowMs();
    for (const id of this.table.untold(buckets)) {
      this.table.adopt(id);
      this.#outgoing.push(id, nowMs);
    }
  }
}

/** Tenths of a second, from 1 on. */
function tenths(ms: number): number {
  return Math.floor(ms / 100) + 1;
}
