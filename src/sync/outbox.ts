/** What is to be sent to the peer, in which order, and how long it takes to get there. Pure. */
import type { EntryId, ShadowTable } from './shadowTable.js';

/** A queue this short is not looked through for entries that have ended. */
const queueSlackEntries = 65_536;

/** Lags that are kept for the percentiles. */
const lagsMax = 4096;

/**
 * Entries that changed, first come first served. Each is there once, however often it changes
 * before it is sent, so the queue is never longer than the table.
 */
export class ChangeQueue {
  readonly #table: ShadowTable;
  #ids: number[] = [];
  #times: number[] = [];
  #head = 0;

  constructor(table: ShadowTable) {
    this.#table = table;
  }

  /** How many wait, at most: entries that have ended meanwhile are counted until their turn. */
  get length(): number {
    return this.#ids.length - this.#head;
  }

  push(id: EntryId, nowMs: number): void {
    if (!this.#table.markDirty(id)) return;
    if (this.length >= Math.max(queueSlackEntries, 2 * this.#table.count)) this.#dropEnded();
    this.#ids.push(id);
    this.#times.push(nowMs);
  }

  /** The next one that is still to be sent, and since when it waits. */
  next(): { readonly id: EntryId; readonly sinceMs: number } | undefined {
    while (this.#head < this.#ids.length) {
      const id = this.#ids[this.#head] ?? 0;
      const sinceMs = this.#times[this.#head] ?? 0;
      this.#head += 1;
      if (this.#head > 65_536 && this.#head * 2 > this.#ids.length) this.#compact();
      if (this.#table.takeDirty(id) && this.#table.isOwn(id)) return { id, sinceMs };
    }
    this.#compact();
    return undefined;
  }

  /** Forgets all that waits; it is told in another way. */
  clear(): void {
    for (let at = this.#head; at < this.#ids.length; at += 1) {
      this.#table.takeDirty(this.#ids[at] ?? 0);
    }
    this.#ids = [];
    this.#times = [];
    this.#head = 0;
  }

  /** While no peer is there, entries come and go, and their ids are used again. */
  #dropEnded(): void {
    const seen = new Set<number>();
    const ids: number[] = [];
    const times: number[] = [];
    for (let at = this.#head; at < this.#ids.length; at += 1) {
      const id = this.#ids[at] ?? 0;
      if (seen.has(id) || !this.#table.isDirty(id)) continue;
      seen.add(id);
      ids.push(id);
      times.push(this.#times[at] ?? 0);
    }
    this.#ids = ids;
    this.#times = times;
    this.#head = 0;
  }

  #compact(): void {
    this.#ids = this.#ids.slice(this.#head);
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}

/** Walks our own entries in the order of their importance, some at a time. */
export class BulkWalk {
  readonly #table: ShadowTable;
  #importance = 0;
  #at = 0;
  #sent = 0;

  constructor(table: ShadowTable) {
    this.#table = table;
  }

  get sent(): number {
    return this.#sent;
  }

  /** The next entry; `undefined` at the end. */
  next(nowDs: number): EntryId | undefined {
    while (this.#importance <= 2) {
      while (this.#at < this.#table.idEnd) {
        const id = this.#at;
        this.#at += 1;
        if (!this.#table.isThere(id) || !this.#table.isOwn(id)) continue;
        if (this.#table.importance(id) !== this.#importance) continue;
        if (this.#table.remainingDs(id, nowDs) === 0) continue;
        this.#sent += 1;
        return id;
      }
      this.#importance += 1;
      this.#at = 0;
    }
    return undefined;
  }
}

/** The last lags. */
export class LagWindow {
  readonly #lags = new Float64Array(lagsMax);
  #count = 0;

  add(ms: number): void {
    this.#lags[this.#count % lagsMax] = ms;
    this.#count += 1;
  }

  summary(): { readonly p50: number; readonly p99: number; readonly max: number } | null {
    if (this.#count === 0) return null;
    const sorted = this.#lags.slice(0, Math.min(this.#count, lagsMax)).sort();
    const at = (part: number): number =>
      Math.round(
        (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0) * 10,
      ) / 10;
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
