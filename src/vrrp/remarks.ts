/**
 * Keeps what repeats with every packet from filling the log: a remark is made once, and again only
 * after it has been absent for a while. Pure; the counters of the report count every occurrence.
 */

/** A remark that was absent for this long is news again, in microseconds. */
export const remarkQuietUs = 60_000_000;

/** Most remarks that are remembered; beyond it the one not made for longest is forgotten. */
export const remarksMax = 1024;

/** Which remarks were made, and when they last applied. */
export class Remarks {
  readonly #lastSeenUs = new Map<string, number>();

  /** Whether this occurrence is worth a line in the log. */
  isNews(remark: string, nowUs: number): boolean {
    const lastSeenUs = this.#lastSeenUs.get(remark);
    // Deleting first keeps the map in the order of last occurrence.
    this.#lastSeenUs.delete(remark);
    this.#lastSeenUs.set(remark, nowUs);
    if (this.#lastSeenUs.size > remarksMax) {
      const [oldest] = this.#lastSeenUs.keys();
      if (oldest !== undefined) this.#lastSeenUs.delete(oldest);
    }
    return lastSeenUs === undefined || nowUs - lastSeenUs >= remarkQuietUs;
  }
}
