/** What goes to the peer: changes first, then repairs, then a bulk; never more than a window. */
import {
  channelEntriesMax,
  type EntryPurpose,
  encodeEntriesHeader,
  encodeSyncControl,
  entriesHeaderBytes,
  type SyncControl,
  stampBytes,
} from '../wire/syncChannel.js';
import { BulkWalk, ChangeQueue, LagWindow } from './outbox.js';
import type { RelayCounts } from './relayCounts.js';
import type { EntryId, ShadowTable } from './shadowTable.js';

/** Entries that may be under way to the peer. */
export const windowEntries = 8192;

/** Repairs that wait; the next comparison asks for what does not fit. */
const repairsMax = 4;

interface Repair {
  readonly buckets: readonly number[];
  readonly ids: readonly EntryId[];
  at: number;
}

interface Bulk {
  readonly walk: BulkWalk;
  readonly startedMs: number;
}

/** What it needs from around it. */
export interface OutgoingOptions {
  readonly table: ShadowTable;
  readonly counts: RelayCounts;
  readonly nowMs: () => number;
  readonly nowDs: () => number;
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Whether our table lacks nothing that we know of. */
  readonly isWhole: () => boolean;
  readonly onBulkSent: (entries: number, startedMs: number, finished: boolean) => void;
}

/** The sending half of the relay. */
export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #changes: ChangeQueue;
  readonly #lags = new LagWindow();
  /** Sent and not taken yet: number, entries, and since when the oldest of it waits. */
  #underWay: {
    readonly sequence: number;
    readonly count: number;
    readonly sinceMs: number | undefined;
  }[] = [];
  #underWayEntries = 0;
  /** Messages of changes among them. */
  #underWayChanges = 0;
  #sequence = 0;
  #bulk: Bulk | undefined;
  #repairs: (readonly number[])[] = [];
  #repair: Repair | undefined;
  #isOpen = false;
  /** Whether changes wait for the request of the whole table that they are part of. */
  #isHeld = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#changes = new ChangeQueue(options.table);
  }

  /** Entries to be sent, and sent but not taken yet. */
  get waiting(): number {
    return this.#changes.length + this.#underWayEntries;
  }

  /** Whether nothing is to be sent any more, so that a comparison means something. */
  get isIdle(): boolean {
    const isRepairing = this.#repair !== undefined || this.#repairs.length > 0;
    return this.#changes.length === 0 && this.#bulk === undefined && !isRepairing;
  }

  /** From our kernel's word to the peer's kernel. */
  get lagMs(): ReturnType<LagWindow['summary']> {
    return this.#lags.summary();
  }

  /**
   * The peer is there to be told. One that is new asks for the whole table first, in which changes
   * have their place by importance; if it does not, they go with the next comparison.
   */
  open(isNew: boolean): void {
    this.#isOpen = true;
    this.#isHeld = isNew;
  }

  /** It is not any more; changes go on waiting. */
  close(): void {
    this.#isOpen = false;
    this.forgetUnderWay();
    this.#bulk = undefined;
    this.#repairs = [];
    this.#repair = undefined;
  }

  /** What was under way is lost, or nobody knows; the comparison will show what it was. */
  forgetUnderWay(): void {
    this.#underWay = [];
    this.#underWayEntries = 0;
    this.#underWayChanges = 0;
  }

  /** An entry of ours has changed at this time, which is read once for many. */
  push(id: EntryId, nowMs: number): void {
    this.#changes.push(id, nowMs);
  }

  startBulk(): void {
    if (this.#bulk !== undefined) return;
    const { table, nowMs } = this.#options;
    this.#isHeld = false;
    // All of them are in the bulk, and there in the order of their importance.
    this.#changes.clear();
    this.#bulk = { walk: new BulkWalk(table), startedMs: nowMs() };
    this.control({ type: 'bulkBegin', entries: table.count });
  }

  repair(buckets: readonly number[]): void {
    if (this.#repairs.length < repairsMax) this.#repairs.push(buckets);
  }

  /** The peer has taken all up to this number. */
  taken(sequence: number): void {
    const at = this.#underWay.findIndex((sent) => sent.sequence === sequence);
    const nowMs = this.#options.nowMs();
    for (const { count, sinceMs } of this.#underWay.splice(0, at + 1)) {
      this.#underWayEntries -= count;
      if (sinceMs === undefined) continue;
      this.#underWayChanges -= 1;
      this.#lags.add(nowMs - sinceMs);
    }
  }

  control(control: SyncControl): void {
    this.#options.send(encodeSyncControl(control));
  }

  /**
   * Sends what may be sent now. Changes go at once while none is under way; later ones gather until
   * the peer has answered or a message is full. So a single change is not held back, and thousands
   * a second do not cost a message each, whose way through four threads is dearer than its entries.
   */
  flush(): void {
    this.#flush(false);
  }

  /** Sends also the changes that gather. */
  flushAll(): void {
    this.#isHeld = false;
    this.#flush(true);
  }

  #flush(all: boolean): void {
    if (!this.#isOpen) return;
    for (;;) {
      const count = Math.min(windowEntries - this.#underWayEntries, channelEntriesMax);
      if (count <= 0 || !this.#sendSome(count, all)) return;
    }
  }

  /** Sends one message of at most `count` entries; false when there is nothing to send. */
  #sendSome(count: number, all: boolean): boolean {
    const isGathering = this.#underWayChanges > 0 && this.#changes.length < channelEntriesMax;
    const mayWait = this.#isHeld || (isGathering && !all);
    if (!mayWait && this.#sendChanges(count)) return true;
    this.#repair ??= this.#nextRepair();
    if (this.#repair !== undefined) {
      this.#sendRepair(this.#repair, count);
      return true;
    }
    return this.#bulk !== undefined && this.#sendBulk(this.#bulk, count);
  }

  #sendChanges(count: number): boolean {
    const ids: EntryId[] = [];
    let sinceMs: number | undefined;
    while (ids.length < count) {
      const next = this.#changes.next();
      if (next === undefined) break;
      ids.push(next.id);
      sinceMs ??= next.sinceMs;
    }
    if (ids.length === 0) return false;
    this.#sendEntries('relay', ids, sinceMs);
    return true;
  }

  #sendBulk({ walk, startedMs }: Bulk, count: number): boolean {
    const ids: EntryId[] = [];
    const nowDs = this.#options.nowDs();
    while (ids.length < count) {
      const id = walk.next(nowDs);
      if (id === undefined) break;
      ids.push(id);
    }
    if (ids.length > 0) this.#sendEntries('bulk', ids, undefined);
    if (ids.length === count) return true;
    this.#bulk = undefined;
    const finished = this.#options.isWhole();
    this.control({ type: 'bulkEnd', entries: walk.sent, finished: finished ? 1 : 0 });
    this.#options.onBulkSent(walk.sent, startedMs, finished);
    return true;
  }

  #nextRepair(): Repair | undefined {
    const buckets = this.#repairs.shift();
    if (buckets === undefined) return undefined;
    return { buckets, ids: [...this.#options.table.ownIn(new Set(buckets))], at: 0 };
  }

  #sendRepair(repair: Repair, count: number): void {
    const { table } = this.#options;
    const part = repair.ids.slice(repair.at, repair.at + count);
    repair.at += part.length;
    // Some may have ended, or be the peer's by now.
    const ids = part.filter((id) => table.isThere(id) && table.isOwn(id));
    if (ids.length > 0) this.#sendEntries('repair', ids, undefined);
    if (repair.at < repair.ids.length) return;
    this.#repair = undefined;
    this.control({ type: 'repairEnd', buckets: [...repair.buckets] });
  }

  #sendEntries(purpose: EntryPurpose, ids: readonly EntryId[], sinceMs: number | undefined): void {
    const { table, counts, nowDs, send } = this.#options;
    const length = ids.reduce((sum, id) => sum + stampBytes + table.byteLength(id), 0);
    const bytes = new Uint8Array(entriesHeaderBytes + length);
    const view = new DataView(bytes.buffer);
    this.#sequence = (this.#sequence + 1) >>> 0;
    const header = { purpose, count: ids.length, sequence: this.#sequence, nowDs: nowDs() };
    bytes.set(encodeEntriesHeader(header));
    let at = entriesHeaderBytes;
    for (const id of ids) {
      view.setUint32(at, table.stampDs(id));
      at += stampBytes + table.copy(id, bytes, at + stampBytes);
    }
    this.#underWay.push({ sequence: this.#sequence, count: ids.length, sinceMs });
    this.#underWayEntries += ids.length;
    if (sinceMs !== undefined) this.#underWayChanges += 1;
    counts.sent += ids.length;
    send(bytes);
  }
}
