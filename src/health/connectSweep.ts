/**
 * TCP probes without Node's sockets: connections are begun one by one, and all that wait are
 * looked at together every few milliseconds. A thread carries several times as many checks so.
 */
import { ConnectPoller, type ConnectTarget, connectTarget } from '../kernel/connectPoller.js';
import { familyOf } from '../wire/ipAddress.js';
import type { ProbeSpec } from './probeSpec.js';
import { failed, type Probe, type ProbeTarget, passed } from './probes/probe.js';
import { outcomeOfSystemError } from './probes/systemErrors.js';

/** While a connection is young it is looked at this often: a server nearby answers at once. */
export const sweepMs = 1;

/** Connections that have waited for longer than {@link patienceMs} are looked at this often. */
export const slowSweepMs = 10;

/** How long a connection counts as young. */
export const patienceMs = 20;

/** Whether a check does no more than connect, so that the sweep can do it. */
export function isPlainConnect(spec: ProbeSpec): boolean {
  return spec.type === 'tcp' && Object.keys(spec).length === 1;
}

/** How long it took is in the report. */
const connected = passed('connected');

/** The probe for checks that only connect. Belongs to one thread. */
export class ConnectSweep {
  readonly #poller = new ConnectPoller();
  /** A target object is one check, for as long as the check is configured. */
  readonly #targets = new WeakMap<ProbeTarget, ConnectTarget>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;
  #looking = false;
  #youngUntilMs = 0;

  /** Asks a server once, as `probes/tcp.ts` does. */
  readonly probe: Probe<{ readonly type: 'tcp' }> = (target, _spec, signal) =>
    new Promise((resolve) => {
      const onDeadline = (): void => {
        // The answer may have come since the last sweep.
        this.#poller.collect();
        if (attempt !== undefined) this.#poller.abandon(attempt);
        resolve(failed('timeout', 'the connection was not established in time'));
      };
      // The result may be told before `begin` returns: there may be no route or no local port.
      const attempt = this.#poller.begin(this.#targetOf(target), (result) => {
        signal.removeEventListener('abort', onDeadline);
        if (result.connected) {
          resolve(connected);
          return;
        }
        const { call: syscall, errnoName: code } = result;
        const error = new Error(`${syscall}: ${code}`);
        resolve(outcomeOfSystemError(Object.assign(error, { code, syscall })));
      });
      if (attempt === undefined) return;
      if (signal.aborted) onDeadline();
      else signal.addEventListener('abort', onDeadline, { once: true });
      this.#lookSoon();
    });

  /** Gives up all that wait. */
  close(): void {
    this.#disarm();
    this.#poller.close();
  }

  #targetOf(target: ProbeTarget): ConnectTarget {
    let known = this.#targets.get(target);
    if (known === undefined) {
      known = connectTarget(target.address, target.port, familyOf(target.address));
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
