/**
 * The entries of one family in fixed slots of packed memory, with an index by key: open addressing
 * with linear probing. It costs 54 bytes an IPv4 and 90 an IPv6 entry, and at most 10 of index.
 */
import { sameKey } from './entryBytes.js';

/** Slots grow by so many, a power of two, so that nothing is copied and little is set aside. */
const chunkShift = 10;
const chunkSlots = 1 << chunkShift;
const chunkMask = chunkSlots - 1;

/** The index is doubled when more than this part of it is in use. */
const loadMax = 0.8;

interface Chunk {
  readonly bytes: Uint8Array;
  /** Four numbers a slot, see {@link word}. */
  readonly words: Uint32Array;
  /** The bits of {@link mark}, and above them the bucket. */
  readonly marks: Uint16Array;
}

/** The numbers kept of a slot. */
export const word = { keyHash: 0, stampDs: 1, expiryDs: 2, contentHash: 3 } as const;

/** The bits kept of a slot. */
export const mark = {
  used: 1,
  /** This director knows it from its own kernel; otherwise from the peer. */
  own: 2,
  /** It is to be sent. */
  dirty: 4,
  /** It has options, which are kept apart. */
  options: 8,
  /** The peer has told it since a repair began. */
  told: 16,
  /** Read from our kernel's table at the start: what the peer tells of it is better. */
  guess: 32,
} as const;

/** The bucket stands above the bits of {@link mark}. */
const bucketShift = 6;

/** Slots of one family. */
export class EntrySlots {
  readonly entryBytes: number;
  readonly #chunks: Chunk[] = [];
  readonly #free: number[] = [];
  #index = new Int32Array(1024);
  #count = 0;
  #end = 0;

  constructor(entryBytes: number) {
    this.entryBytes = entryBytes;
  }

  /** Slots in use. */
  get count(): number {
    return this.#count;
  }

  /** One more than the last slot that was ever used; slots below may be free. */
  get end(): number {
    return this.#end;
  }

  /** Memory that is set aside, in bytes. */
  get memoryBytes(): number {
    const perSlot = this.entryBytes + 18;
    return this.#chunks.length * chunkSlots * perSlot + this.#index.byteLength;
  }

  bytesOf(slot: number): Uint8Array {
    return this.#chunk(slot).bytes;
  }

  /** Where the slot begins in {@link bytesOf}. */
  offsetOf(slot: number): number {
    return (slot & chunkMask) * this.entryBytes;
  }

  word(slot: number, which: number): number {
    return this.#chunk(slot).words[(slot & chunkMask) * 4 + which] ?? 0;
  }

  setWord(slot: number, which: number, value: number): void {
    this.#chunk(slot).words[(slot & chunkMask) * 4 + which] = value;
  }

  has(slot: number, bit: number): boolean {
    return ((this.#chunk(slot).marks[slot & chunkMask] ?? 0) & bit) !== 0;
  }

  setMark(slot: number, bit: number, value: boolean): void {
    const { marks } = this.#chunk(slot);
    const at = slot & chunkMask;
    marks[at] = value ? (marks[at] ?? 0) | bit : (marks[at] ?? 0) & ~bit;
  }

  /** The bucket that was given to {@link add}. */
  bucket(slot: number): number {
    return (this.#chunk(slot).marks[slot & chunkMask] ?? 0) >>> bucketShift;
  }

  /** The slot of the entry with this key; -1 when there is none. */
  find(bytes: Uint8Array, start: number, keyHash: number): number {
    const mask = this.#index.length - 1;
    for (let at = keyHash & mask; ; at = (at + 1) & mask) {
      const slot = (this.#index[at] ?? 0) - 1;
      if (slot < 0) return -1;
      if (this.word(slot, word.keyHash) !== keyHash) continue;
      if (sameKey(bytes, start, this.bytesOf(slot), this.offsetOf(slot))) return slot;
    }
  }

  /** A new slot for a key that is not there; the caller fills it. */
  add(keyHash: number, bucket: number): number {
    if (this.#count + 1 > this.#index.length * loadMax) this.#grow();
    const slot = this.#free.pop() ?? this.#end;
    if (slot === this.#end) {
      this.#end += 1;
      if ((slot & chunkMask) === 0) this.#chunks.push(this.#newChunk());
    }
    this.setWord(slot, word.keyHash, keyHash);
    this.#chunk(slot).marks[slot & chunkMask] = mark.used | (bucket << bucketShift);
    this.#insert(slot, keyHash);
    this.#count += 1;
    return slot;
  }

  remove(slot: number): void {
    const mask = this.#index.length - 1;
    let hole = this.word(slot, word.keyHash) & mask;
    while (this.#index[hole] !== slot + 1) hole = (hole + 1) & mask;
    // Entries behind the hole move up, unless they would come before the place of their key.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const moved = this.#index[at] ?? 0;
      if (moved === 0) break;
      const home = this.word(moved - 1, word.keyHash) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#index[hole] = moved;
      hole = at;
    }
    this.#index[hole] = 0;
    this.#chunk(slot).marks[slot & chunkMask] = 0;
    this.#free.push(slot);
    this.#count -= 1;
  }

  #insert(slot: number, keyHash: number): void {
    const mask = this.#index.length - 1;
    let at = keyHash & mask;
    while (this.#index[at] !== 0) at = (at + 1) & mask;
    this.#index[at] = slot + 1;
  }

  #grow(): void {
    this.#index = new Int32Array(this.#index.length * 2);
    for (let slot = 0; slot < this.#end; slot += 1) {
      if (this.has(slot, mark.used)) this.#insert(slot, this.word(slot, word.keyHash));
    }
  }

  #newChunk(): Chunk {
    return {
      bytes: new Uint8Array(chunkSlots * this.entryBytes),
      words: new Uint32Array(chunkSlots * 4),
      marks: new Uint16Array(chunkSlots),
    };
  }

  #chunk(slot: number): Chunk {
    const chunk = this.#chunks[slot >>> chunkShift];
    if (chunk === undefined) throw new RangeError(`no slot ${slot}`);
    return chunk;
  }
}
