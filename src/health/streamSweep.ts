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

/** While a connection is young it is looked at this often: a server nearby answers at once. */
export const sweepMs = 1;

/** Connections that have waited for longer than {@link patienceMs} are looked at this often. */
export const slowSweepMs = 10;

/** How long a connection counts as young. */
export const patienceMs = 20;

/** The connections of one thread. */
export class StreamSweep {
  readonly #poller = new StreamPoller();
  /** A target object is one check, for as long as the check is configured. */
  readonly #targets = new WeakMap<ProbeTarget, StreamTarget>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;
  #looking = false;
  #youngUntilMs = 0;

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
      if (this.#poller.pending === 0) {
        this.#disarm();
        return;
      }
      this.#youngUntilMs = performance.now() + patienceMs;
      this.#arm(sweepMs);
    });
  }

  #arm(delayMs: number): void {
    if (this.#timer !== undefined && this.#timerMs <= delayMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = delayMs;
    this.#timer = setTimeout(() => this.#sweep(), delayMs);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #sweep(): void {
    this.#timer = undefined;
    this.#poller.collect();
    if (this.#poller.pending === 0) return;
    this.#arm(performance.now() < this.#youngUntilMs ? sweepMs : slowSweepMs);
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
