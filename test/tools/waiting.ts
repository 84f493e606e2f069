/** Waiting for something that comes about in its own time, with a deadline for when it does not. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How often the condition is looked at, in milliseconds. */
const lookIntervalMs = 10;

/** The time that any one step may take here; only a failure takes that long. */
export const patienceMs = 20_000;

/** What to say when it did not come about. */
export interface WaitOptions {
  readonly timeoutMs?: number;
  /** Text for the error: what there was to see instead. */
  readonly evidence?: () => string;
}

/**
 * Resolves with what `look` returns as soon as that is neither `undefined` nor `false`. Throws an
 * error that names `what` after the deadline.
 */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? patienceMs;
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadlineMs) {
      const evidence = options.evidence?.() ?? '';
      throw new Error(
        `${what}: not within ${timeoutMs} ms${evidence === '' ? '' : `\n${evidence}`}`,
      );
    }
    await sleep(lookIntervalMs);
  }
}
