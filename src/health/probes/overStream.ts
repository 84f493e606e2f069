/** Probes that need no socket of Node's: one connection, perhaps one question, and its reset. */
import type { StreamAttempt } from '../../kernel/streamPoller.js';
import type { ProbeOrigin } from '../probeSpec.js';
import { threadSweep } from '../streamSweep.js';
import { failed, type ProbeOutcome, type ProbeTarget } from './probe.js';
import { outcomeOfSystemError, outcomeOfThrown } from './systemErrors.js';

/** What a probe does with its connection. */
export interface StreamTalk {
  readonly connected: () => void;
  /** Absent: the connection is reset as soon as it is established. */
  readonly exchange?: {
    readonly request: Uint8Array;
    /** The bytes are valid during the call. */
    readonly received: (bytes: Uint8Array) => void;
    /** The server has ended its side. */
    readonly ended: () => void;
  };
  /** How far it has come, for the detail of a timeout. */
  readonly progress: () => string;
}

/** The detail of a timeout before there was a connection. */
export const notConnectedInTime = 'the connection was not established in time';

/** Told what the probe has found, once; the connection is gone then. */
export type SettleStream<Result> = (result: Result | ProbeOutcome) => void;

/** Connects and talks until it is settled, or until the deadline. */
export function overStream<Result>(
  target: ProbeTarget,
  origin: ProbeOrigin | undefined,
  signal: AbortSignal,
  talkTo: (settle: SettleStream<Result>) => StreamTalk,
): Promise<Result | ProbeOutcome> {
  return new Promise((resolve, reject) => {
    let attempt: StreamAttempt | undefined;
    let open = true;
    const end = (): void => {
      open = false;
      signal.removeEventListener('abort', onDeadline);
      if (attempt !== undefined) threadSweep().abandon(attempt);
    };
    const settle: SettleStream<Result> = (result) => {
      if (!open) return;
      resolve(result);
      end();
    };
    // What throws here is a bug of ours, and the caller's to report; no other probe may suffer.
    const guarded = (step: () => void): void => {
      try {
        step();
      } catch (error) {
        reject(error);
        end();
      }
    };
    const talk = talkTo(settle);
    const { exchange } = talk;
    const onDeadline = (): void => {
      // The answer may have come since the last look.
      threadSweep().look();
      settle(failed('timeout', talk.progress()));
    };
    const events = {
      connected: () => guarded(talk.connected),
      failed: (syscall: string, code: string) => {
        const error = Object.assign(new Error(`${syscall}: ${code}`), { code, syscall });
        settle(outcomeOfSystemError(error));
      },
      ...(exchange && {
        exchange: {
          request: exchange.request,
          received: (bytes: Uint8Array) => {
            guarded(() => exchange.received(bytes));
            return open;
          },
          ended: () => guarded(exchange.ended),
        },
      }),
    };
    if (signal.aborted) {
      settle(failed('timeout', talk.progress()));
      return;
    }
    try {
      attempt = threadSweep().begin(target, origin, events);
    } catch (error) {
      settle(outcomeOfThrown(error));
    }
    if (open) signal.addEventListener('abort', onDeadline, { once: true });
  });
}
