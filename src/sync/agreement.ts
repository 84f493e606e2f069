/**
 * Whether the two directors know the same connections: each compares the sums that the other tells
 * of its own entries with those of what it has from it. Pure.
 */

/** A difference is repaired when it is seen in so many comparisons one after the other. */
const strikesToRepair = 2;

/** What is known of the agreement with one peer. */
export class Agreement {
  #strikes = new Map<number, number>();
  /** Buckets of entries that we refused since they were last asked for. */
  readonly #refused = new Set<number>();
  /** Buckets that differ because of such entries: asked for again, and refused again. */
  readonly #explained = new Set<number>();
  #differing: number | null = null;
  #comparedUnixMs: number | null = null;
  /** How the peer sees it; null before it has told. */
  peerDiffering: number | null = null;

  /** Buckets that differ and should not; null before the first comparison. */
  get differing(): number | null {
    return this.#differing;
  }

  get refusedBuckets(): number {
    return this.#explained.size;
  }

  get comparedUnixMs(): number | null {
    return this.#comparedUnixMs;
  }

  /** No difference on either side. */
  get isComplete(): boolean {
    return this.#differing === 0 && this.peerDiffering === 0;
  }

  /** The connection is gone, and what was compared over it. */
  forget(): void {
    this.#differing = null;
    this.peerDiffering = null;
    this.#strikes.clear();
  }

  /** What was refused may be right from now on; the next comparisons tell. */
  forgetRefusals(): void {
    this.#refused.clear();
    this.#explained.clear();
  }

  noteRefusal(bucket: number): void {
    this.#refused.add(bucket);
  }

  /** Takes both sums; returns the buckets whose difference has lasted. */
  compare(theirs: Uint32Array, ours: Uint32Array, nowUnixMs: number): readonly number[] {
    const differing = [...theirs.keys()].filter((bucket) => theirs[bucket] !== ours[bucket]);
    this.#strikes = new Map(
      differing.map((bucket) => [bucket, (this.#strikes.get(bucket) ?? 0) + 1]),
    );
    for (const bucket of this.#explained) {
      if (!this.#strikes.has(bucket)) this.#explained.delete(bucket);
    }
    this.#comparedUnixMs = nowUnixMs;
    const certain = differing.filter(
      (bucket) =>
        (this.#strikes.get(bucket) ?? 0) >= strikesToRepair && !this.#explained.has(bucket),
    );
    this.#differing = certain.length;
    return certain;
  }

  /** These buckets are being asked for. */
  repairBegins(buckets: readonly number[]): void {
    for (const bucket of buckets) this.#refused.delete(bucket);
  }

  /** They have been told again; with what we refuse they go on to differ, and that is right. */
  repairEnded(buckets: ReadonlySet<number>): void {
    for (const bucket of buckets) if (this.#refused.has(bucket)) this.#explained.add(bucket);
  }
}
