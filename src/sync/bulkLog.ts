/** Transfers of the whole table: the one that is arriving, and what the last ones were. Pure. */
import type { BulkReport } from './protocol.js';

/** What is kept of them. */
export class BulkLog {
  readonly #nowMs: () => number;
  readonly #nowUnixMs: () => number;
  #incoming: { readonly startedMs: number; received: number } | undefined;
  #last: BulkReport | null = null;

  constructor(nowMs: () => number, nowUnixMs: () => number) {
    this.#nowMs = nowMs;
    this.#nowUnixMs = nowUnixMs;
  }

  get last(): BulkReport | null {
    return this.#last;
  }

  /** The peer begins to send its table. */
  begin(): void {
    this.#incoming = { startedMs: this.#nowMs(), received: 0 };
  }

  /** Entries have been taken. */
  received(entries: number): void {
    if (this.#incoming !== undefined) this.#incoming.received += entries;
  }

  /** The peer has sent all; `finished` when it lacks nothing that the peer knows of. */
  end(finished: boolean): void {
    const { startedMs, received } = this.#incoming ?? { startedMs: this.#nowMs(), received: 0 };
    this.#incoming = undefined;
    this.note('received', received, startedMs, finished);
  }

  /** The connection is gone. */
  forget(): void {
    this.#incoming = undefined;
  }

  /** One is over. */
  note(
    direction: BulkReport['direction'],
    entries: number,
    startedMs: number,
    finished: boolean,
  ): void {
    // A joiner's own empty table says nothing beside the one that it received.
    if (entries === 0 && this.#last !== null) return;
    const seconds = Math.round(this.#nowMs() - startedMs) / 1000;
    this.#last = { direction, entries, seconds, finished, atUnixMs: this.#nowUnixMs() };
  }
}
