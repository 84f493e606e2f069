/** How fast entries of the peer are taken. Pure. */

/**
 * As many a second: far more than a pair ever has, so that a peer that has fallen into wrong hands
 * cannot keep this director busy with them.
 */
export const entriesPerSecondMax = 200_000;

/** Shorter waits are not worth a timer; they add up to the next one. */
const waitMinMs = 50;

/** Spreads entries over time. */
export class InflowLimit {
  #freeAtMs = 0;

  /** Takes so many entries; returns how long to wait before they are worked off. */
  take(entries: number, nowMs: number): number {
    const aheadMs = this.#freeAtMs - nowMs;
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (entries / entriesPerSecondMax) * 1000;
    return aheadMs > waitMinMs ? aheadMs : 0;
  }
}
