/** Watches who holds the virtual address, from the kernel's view of every director. */
import { nowUs } from '../../src/kernel/monotonicClock.js';
import type { DirectorName, Lan } from './lan.js';

/** How often it looks, in milliseconds. */
const lookIntervalMs = 5;

/** One look. */
export interface OwnershipLook {
  /** Monotonic microseconds. */
  readonly atUs: number;
  readonly holders: readonly DirectorName[];
}

/** A running watch; of its looks it keeps those at which something had changed. */
export class OwnershipWatch {
  readonly #lan: Lan;
  readonly #changes: OwnershipLook[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(lan: Lan) {
    this.#lan = lan;
    this.#look();
    this.#timer = setInterval(() => this.#look(), lookIntervalMs);
  }

  /** What has been seen up to now; the last entry is the present. */
  looks(): readonly OwnershipLook[] {
    this.#look();
    return [...this.#changes, { atUs: nowUs(), holders: this.#changes.at(-1)?.holders ?? [] }];
  }

  /** Ends it. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const holders = this.#lan.holders();
    if (this.#changes.at(-1)?.holders.join() === holders.join()) return;
    this.#changes.push({ atUs: nowUs(), holders });
  }
}

/** The longest time without a break for which the address had two owners, in microseconds. */
export function longestDoubleOwnershipUs(looks: readonly OwnershipLook[]): number {
  return Math.max(
    0,
    ...looks.map((look, index) =>
      look.holders.length < 2 ? 0 : (looks[index + 1]?.atUs ?? look.atUs) - look.atUs,
    ),
  );
}
