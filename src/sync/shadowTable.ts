/**
 * What this director knows of the connections of the pair: from the stream of its own kernel and
 * from the peer. Reading the kernel's own table is quadratic before Linux 6.14 and lacks half of
 * what an entry needs, so this is what a peer that joins is told from. Pure: time is given.
 *
 * Times are tenths of a second (Ds) of the clock of the director that knows the entry first hand,
 * so that both compute the same digests. `peerClockAheadDs` leads from our clock to the peer's.
 */
import { syncEntryOffsets as offsets, syncEntryBytes } from '../wire/syncScan.js';
import {
  bucketAt,
  bucketCount,
  contentHashAt,
  copyBytes,
  familyAt,
  importanceAt,
  keyHashAt,
  putU32,
  u32At,
} from './entryBytes.js';
import { EntrySlots, mark, word } from './entrySlots.js';

/** Most entries with options (persistence engines, sequence numbers) at a time. */
export const optionsMax = 65_536;

/**
 * An entry stays this much longer than the stream says, in tenths of a second: the kernel tells of
 * traffic at most every ten seconds, so its own timer may be that much behind.
 */
const graceDs = 100;

/** Entries that end within this are left out of digests, in tenths of a second. */
const digestMarginDs = 50;

/** Names an entry of the table while it is there; from {@link ShadowTable.put} and the walks. */
export type EntryId = number;

/** What the table did with an entry. */
export type PutResult =
  | { readonly outcome: 'added' | 'updated'; readonly id: EntryId }
  /** It was known better already, and that is to be told to the peer. */
  | { readonly outcome: 'known-better'; readonly id: EntryId }
  | { readonly outcome: 'full' };

/** Where an entry comes from. */
export interface PutOptions {
  /** `stream`: our kernel, now. `seed`: our kernel's table. `relay`: the peer, now. */
  readonly source: 'stream' | 'seed' | 'relay' | 'bulk';
  /** When its timeout began, by the clock of the one that knows it first hand. */
  readonly stampDs: number;
}

/** The table of both families. */
export class ShadowTable {
  /** The peer's clock less ours. */
  peerClockAheadDs = 0;
  readonly #v4 = new EntrySlots(syncEntryBytes[4]);
  readonly #v6 = new EntrySlots(syncEntryBytes[6]);
  readonly #options = new Map<EntryId, Uint8Array>();
  readonly #entriesMax: number;
  readonly #hashSeed: number;
  #sweepAt = 0;

  /** `hashSeed` is random, so that no client can choose its ports to slow the table down. */
  constructor(entriesMax: number, hashSeed: number) {
    this.#entriesMax = entriesMax;
    this.#hashSeed = hashSeed;
  }

  get count(): number {
    return this.#v4.count + this.#v6.count;
  }

  get memoryBytes(): number {
    return this.#v4.memoryBytes + this.#v6.memoryBytes;
  }

  /** One more than the largest id; ids are walked up to it. */
  get idEnd(): EntryId {
    return Math.max(this.#v4.end * 2, this.#v6.end * 2 + 1) + 1;
  }

  /** Takes the entry of version 1 in `bytes`. */
  put(bytes: Uint8Array, start: number, end: number, { source, stampDs }: PutOptions): PutResult {
    const slots = this.#slotsOf(familyAt(bytes, start));
    const keyHash = keyHashAt(bytes, start, this.#hashSeed);
    const fromPeer = source === 'relay' || source === 'bulk';
    let slot = slots.find(bytes, start, keyHash);
    const isNew = slot < 0;
    if (isNew) {
      const hasOptions = end - start > slots.entryBytes;
      const isFull = this.count >= this.#entriesMax;
      if (isFull || (hasOptions && this.#options.size >= optionsMax)) return { outcome: 'full' };
      slot = slots.add(keyHash, bucketAt(bytes, start));
    } else {
      const id = this.#idOf(slots, slot);
      if (source === 'seed') return { outcome: 'known-better', id };
      if (source === 'bulk' && this.#isOlder(slots, slot, stampDs)) {
        slots.setMark(slot, mark.told, true);
        return { outcome: 'known-better', id };
      }
    }
    this.#fill(slots, slot, bytes, start, end);
    const timeoutDs = u32At(bytes, start + offsets.timeoutSeconds) * 10;
    slots.setWord(slot, word.stampDs, stampDs);
    slots.setWord(slot, word.expiryDs, Math.min(stampDs + timeoutDs, 0xffff_ffff));
    slots.setMark(slot, mark.own, !fromPeer && source !== 'seed');
    slots.setMark(slot, mark.guess, source === 'seed');
    slots.setMark(slot, mark.told, fromPeer);
    // What the peer has just told us it need not hear again.
    if (fromPeer) slots.setMark(slot, mark.dirty, false);
    return { outcome: isNew ? 'added' : 'updated', id: this.#idOf(slots, slot) };
  }

  /** Whether there is an entry with this id. */
  isThere(id: EntryId): boolean {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return slot < slots.end && slots.has(slot, mark.used);
  }

  isOwn(id: EntryId): boolean {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return slots.has(slot, mark.own);
  }

  /** Whether the entry has been marked as to be sent, and whether it was before. */
  markDirty(id: EntryId): boolean {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    if (slots.has(slot, mark.dirty)) return false;
    slots.setMark(slot, mark.dirty, true);
    return true;
  }

  /** Whether the entry is there and is to be sent. */
  isDirty(id: EntryId): boolean {
    if (!this.isThere(id)) return false;
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return slots.has(slot, mark.dirty);
  }

  /** Takes the mark off; false when there was none, or no entry. */
  takeDirty(id: EntryId): boolean {
    if (!this.isThere(id)) return false;
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    const was = slots.has(slot, mark.dirty);
    slots.setMark(slot, mark.dirty, false);
    return was;
  }

  importance(id: EntryId): 0 | 1 | 2 {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return importanceAt(slots.bytesOf(slot), slots.offsetOf(slot));
  }

  bucket(id: EntryId): number {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return slots.bucket(slot);
  }

  /** Which of the daemon's ports carries the entry: always the same, so that its order is kept. */
  portIndex(id: EntryId, portCount: number): number {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return slots.word(slot, word.keyHash) % portCount;
  }

  /** When its timeout began; by the owner's clock. */
  stampDs(id: EntryId): number {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return slots.word(slot, word.stampDs);
  }

  /** What is left of its timeout, at least 0. */
  remainingDs(id: EntryId, nowDs: number): number {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return Math.max(0, slots.word(slot, word.expiryDs) - this.#ownerNowDs(slots, slot, nowDs));
  }

  /** Bytes of the entry with its options. */
  byteLength(id: EntryId): number {
    const slots = this.#slotsBy(id);
    return slots.entryBytes + (this.#optionsOf(id)?.length ?? 0);
  }

  /** Writes the entry to `at`; with `timeoutSeconds` in place of its own timeout when given. */
  copy(id: EntryId, target: Uint8Array, at: number, timeoutSeconds?: number): number {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    const from = slots.offsetOf(slot);
    copyBytes(slots.bytesOf(slot), from, target, at, slots.entryBytes);
    const options = this.#optionsOf(id);
    if (options !== undefined) target.set(options, at + slots.entryBytes);
    if (timeoutSeconds !== undefined) putU32(target, at + offsets.timeoutSeconds, timeoutSeconds);
    return slots.entryBytes + (options?.length ?? 0);
  }

  /** The peer has forgotten what it knew: what we know from it is ours to tell now. */
  adoptAll(): void {
    for (let id = 0; id < this.idEnd; id += 1) {
      if (this.isThere(id) && !this.#isGuess(id)) this.adopt(id);
    }
  }

  /** What was read at the start and the peer has not told is ours to tell. */
  adoptGuesses(): readonly EntryId[] {
    const adopted: EntryId[] = [];
    for (let id = 0; id < this.idEnd; id += 1) {
      if (!this.isThere(id)) continue;
      const slots = this.#slotsBy(id);
      const slot = slotOf(id);
      if (!slots.has(slot, mark.guess)) continue;
      this.adopt(id);
      adopted.push(id);
    }
    return adopted;
  }

  /** Makes an entry of the peer, or one that was read at the start, our own. */
  adopt(id: EntryId): void {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    if (slots.has(slot, mark.own)) return;
    slots.setMark(slot, mark.own, true);
    if (slots.has(slot, mark.guess)) {
      slots.setMark(slot, mark.guess, false);
      return;
    }
    const toOurs = (ds: number): number => Math.max(0, ds - this.peerClockAheadDs);
    slots.setWord(slot, word.stampDs, toOurs(slots.word(slot, word.stampDs)));
    slots.setWord(slot, word.expiryDs, toOurs(slots.word(slot, word.expiryDs)));
  }

  /** Our own entries of these buckets. */
  *ownIn(buckets: ReadonlySet<number>): Generator<EntryId> {
    for (const id of this.#inBuckets(buckets)) if (this.isOwn(id)) yield id;
  }

  /** Forgets which entries of these buckets the peer has told. */
  clearTold(buckets: ReadonlySet<number>): void {
    for (const id of this.#inBuckets(buckets)) {
      const slots = this.#slotsBy(id);
      const slot = slotOf(id);
      slots.setMark(slot, mark.told, false);
    }
  }

  /** Entries of these buckets that we have from the peer and that it did not tell again. */
  untold(buckets: ReadonlySet<number>): readonly EntryId[] {
    return [...this.#inBuckets(buckets)].filter((id) => {
      const slots = this.#slotsBy(id);
      const slot = slotOf(id);
      return !slots.has(slot, mark.own | mark.guess | mark.told);
    });
  }

  /**
   * The sums of the content of every bucket: of our own entries, or of those of the peer. `nowDs`
   * is by the clock of their owner, so that both directors leave out the same ones.
   */
  digests(whose: 'own' | 'peer', nowDs: number): Uint32Array {
    const sums = new Uint32Array(bucketCount);
    for (const slots of [this.#v4, this.#v6]) {
      for (let slot = 0; slot < slots.end; slot += 1) {
        if (!slots.has(slot, mark.used) || slots.has(slot, mark.guess)) continue;
        if (slots.has(slot, mark.own) !== (whose === 'own')) continue;
        if (slots.word(slot, word.expiryDs) < nowDs + digestMarginDs) continue;
        const bucket = slots.bucket(slot);
        const content = slots.word(slot, word.contentHash);
        // The time is part of it: a refresh that was lost makes a difference too.
        const sum = Math.imul(content ^ slots.word(slot, word.stampDs), 0x9e3779b1);
        sums[bucket] = (sums[bucket] ?? 0) + sum;
      }
    }
    return sums;
  }

  /** Looks at the next `steps` slots and removes what has ended. Returns how many that were. */
  expire(nowDs: number, steps: number): number {
    let removed = 0;
    const end = this.idEnd;
    for (let step = 0; step < Math.min(steps, end); step += 1) {
      const id = this.#sweepAt % end;
      this.#sweepAt = id + 1;
      if (!this.isThere(id)) continue;
      const slots = this.#slotsBy(id);
      const slot = slotOf(id);
      const ownerNowDs = this.#ownerNowDs(slots, slot, nowDs);
      if (slots.word(slot, word.expiryDs) + graceDs > ownerNowDs) continue;
      slots.remove(slot);
      this.#options.delete(id);
      removed += 1;
    }
    return removed;
  }

  *#inBuckets(buckets: ReadonlySet<number>): Generator<EntryId> {
    for (let id = 0; id < this.idEnd; id += 1) {
      if (this.isThere(id) && buckets.has(this.bucket(id))) yield id;
    }
  }

  #fill(slots: EntrySlots, slot: number, bytes: Uint8Array, start: number, end: number): void {
    const { entryBytes } = slots;
    const fixedEnd = start + entryBytes;
    copyBytes(bytes, start, slots.bytesOf(slot), slots.offsetOf(slot), entryBytes);
    slots.setWord(slot, word.contentHash, contentHashAt(bytes, start, end));
    const id = this.#idOf(slots, slot);
    if (end > fixedEnd) this.#options.set(id, bytes.slice(fixedEnd, end));
    else if (this.#options.size > 0) this.#options.delete(id);
  }

  /** Most tables have none at all. */
  #optionsOf(id: EntryId): Uint8Array | undefined {
    return this.#options.size === 0 ? undefined : this.#options.get(id);
  }

  /** Whether a bulk tells of something that our own kernel has told of later. */
  #isOlder(slots: EntrySlots, slot: number, peerStampDs: number): boolean {
    if (slots.has(slot, mark.guess)) return false;
    const known = slots.word(slot, word.stampDs);
    if (!slots.has(slot, mark.own)) return known > peerStampDs;
    return known >= peerStampDs - this.peerClockAheadDs;
  }

  #ownerNowDs(slots: EntrySlots, slot: number, nowDs: number): number {
    const isOurClock = slots.has(slot, mark.own | mark.guess);
    return isOurClock ? nowDs : nowDs + this.peerClockAheadDs;
  }

  #isGuess(id: EntryId): boolean {
    const slots = this.#slotsBy(id);
    const slot = slotOf(id);
    return slots.has(slot, mark.guess);
  }

  #slotsOf(family: 4 | 6): EntrySlots {
    return family === 4 ? this.#v4 : this.#v6;
  }

  #idOf(slots: EntrySlots, slot: number): EntryId {
    return slot * 2 + (slots === this.#v6 ? 1 : 0);
  }

  /** Asked many times for every entry, so neither makes an object. */
  #slotsBy(id: EntryId): EntrySlots {
    return (id & 1) === 0 ? this.#v4 : this.#v6;
  }
}

function slotOf(id: EntryId): number {
  return id >>> 1;
}
