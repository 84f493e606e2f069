/**
 * How late something is that happens again and again: quantiles in bounded memory, and cheap enough
 * to be asked for every second by every virtual router. Pure.
 */
import type { LatenessSummary } from './protocol.js';

/** Buckets in an octave; so a quantile is at most a fifth too high. */
const bucketsPerOctave = 4;

/** Up to 2^27 us, more than two minutes; what is later counts in the last bucket. */
const bucketCount = 27 * bucketsPerOctave + 1;

/** Counts of lateness by size. */
export class LatenessHistogram {
  readonly #buckets = new Uint32Array(bucketCount);
  #count = 0;
  #maxUs = 0;

  /** Counts one; what came too early was not late. */
  add(latenessUs: number): void {
    const us = Math.max(0, latenessUs);
    const bucket = us < 1 ? 0 : Math.ceil(Math.log2(us) * bucketsPerOctave);
    const index = Math.min(bucket, bucketCount - 1);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#count += 1;
    this.#maxUs = Math.max(this.#maxUs, us);
  }

  /** All of it in short. */
  get summary(): LatenessSummary {
    return {
      count: this.#count,
      p50Us: this.#quantile(0.5),
      p99Us: this.#quantile(0.99),
      maxUs: Math.round(this.#maxUs),
    };
  }

  #quantile(share: number): number {
    const wanted = Math.ceil(this.#count * share);
    let counted = 0;
    for (const [index, count] of this.#buckets.entries()) {
      counted += count;
      if (counted < wanted || count === 0) continue;
      return Math.round(Math.min(this.#maxUs, 2 ** (index / bucketsPerOctave)));
    }
    return 0;
  }
}
