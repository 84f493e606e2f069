/**
 * Gives up requests whose time is over. When the machine stands still, timers that fell due are
 * called before sockets are read, and an answer that had long been there would count as late. So
 * only the time counts in which this thread was running.
 */

/** How often requests are looked at, in milliseconds. */
export const patienceIntervalMs = 20;

/** A look that is later than this stood still, in microseconds; what is less is ordinary load. */
export const stallUs = 500_000;

/** What can be given up. */
export interface Expirable {
  expire(): void;
}

/** The patience of all clients of a thread. */
export class Patience {
  /** How long the thread stood still since it began, in microseconds. */
  stalledUs = 0;
  readonly #limitUs: number;
  readonly #clock: () => number;
  /** When each was sent, in running time. All have the same limit: the first is due first. */
  readonly #waiting = new Map<Expirable, number>();
  #lookedUs: number;
  #timer: NodeJS.Timeout | undefined;

  /** `clock` gives monotonic microseconds. */
  constructor(limitMs: number, clock: () => number) {
    this.#limitUs = limitMs * 1_000;
    this.#clock = clock;
    this.#lookedUs = clock();
  }

  /** Begins to look, or begins anew. No request may be waiting. */
  start(): void {
    this.stop();
    this.stalledUs = 0;
    this.#lookedUs = this.#clock();
    this.#timer = setInterval(() => this.look(), patienceIntervalMs);
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Gives a request up when its time is over, unless it is forgotten before. */
  watch(request: Expirable): void {
    this.#waiting.set(request, this.#clock() - this.stalledUs);
  }

  /** The request has ended. */
  forget(request: Expirable): void {
    this.#waiting.delete(request);
  }

  /** Looks at all of them; the timer does. */
  look(): void {
    const now = this.#clock();
    const lateUs = now - this.#lookedUs - patienceIntervalMs * 1_000;
    this.#lookedUs = now;
    if (lateUs > stallUs) this.stalledUs += lateUs;
    const limit = now - this.stalledUs - this.#limitUs;
    for (const [request, sentUs] of this.#waiting) {
      if (sentUs > limit) return;
      this.#waiting.delete(request);
      request.expire();
    }
  }
}
