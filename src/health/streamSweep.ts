/**
 * Connections without Node's sockets: they are begun one by one, and all that wait are looked at
 * together every few milliseconds. A thread carries several times as many checks so.
 */
import {
  type StreamAttempt,
  type StreamEvents,
  StreamPoller,
  type StreamTarget,
  streamTarget,
} from '../kernel/streamPoller.js';
import type { ProbeOrigin } from './probeSpec.js';
import type { ProbeTarget } from './probes/probe.js';

/**
 * After so long the connections that wait are looked at for the first time, then after twice as
 * long, and so on: what is near answers at once, and each look takes time from what is to answer.
 */
export const firstLookMs = 1;

/** At least this often they are looked at. */
export const lookIntervalMaxMs = 10;

/** The connections of one thread. */
export class StreamSweep {
  readonly #poller = new StreamPoller();
  /** A target object is one check, for as long as the check is configured. */
  readonly #targets = new WeakMap<ProbeTarget, StreamTarget>();
  #timer: NodeJS.Timeout | undefined;
  #delayMs = firstLookMs;
  #looking = false;

  /** As {@link StreamPoller.begin}, and looks at the connection for as long as it is there. */
  begin(
    target: ProbeTarget,
    origin: ProbeOrigin | undefined,
    events: StreamEvents,
  ): StreamAttempt | undefined {
    const attempt = this.#poller.begin(this.#targetOf(target, origin), events);
    if (attempt !== undefined) this.#lookSoon();
    return attempt;
  }

  /** Looks now; for a deadline, since an answer may have come since the last time. */
  look(): void {
    this.#poller.collect();
  }

  /** As {@link StreamPoller.abandon}. */
  abandon(attempt: StreamAttempt): void {
    this.#poller.abandon(attempt);
  }

  /** Gives up all that wait. */
  close(): void {
    this.#disarm();
    this.#poller.close();
  }

  #targetOf(target: ProbeTarget, origin: ProbeOrigin | undefined): StreamTarget {
    let known = this.#targets.get(target);
    if (known?.source !== origin?.source || known?.mark !== origin?.mark) known = undefined;
    if (known === undefined) {
      known = streamTarget(target.address, target.port, origin);
      this.#targets.set(target, known);
    }
    return known;
  }

  /**
   * Looks once when all that begins in this turn has begun: servers on this machine have answered
   * by then. Only for the others there is a timer.
   */
  #lookSoon(): void {
    if (this.#looking) return;
    this.#looking = true;
    queueMicrotask(() => {
      this.#looking = false;
      this.#poller.collect();
      this.#disarm();
      if (this.#poller.pending > 0) this.#arm(firstLookMs);
    });
  }

  #arm(delayMs: number): void {
    this.#delayMs = delayMs;
    this.#timer = setTimeout(() => this.#onTimer(), delayMs);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.#poller.collect();
    if (this.#poller.pending > 0) this.#arm(Math.min(lookIntervalMaxMs, 2 * this.#delayMs));
  }
}

let ownSweep: StreamSweep | undefined;

/**
 * The sweep of the calling thread. It is made when it is first needed, since the thread may first
 * have to enter a network namespace. Throws `SYSTEM_CALL`.
 */
export function threadSweep(): StreamSweep {
  ownSweep ??= new StreamSweep();
  return ownSweep;
}

/** Ends the sweep of the calling thread, before the thread ends. */
export function closeThreadSweep(): void {
  ownSweep?.close();
  ownSweep = undefined;
}
