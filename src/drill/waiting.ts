/** Waiting for a condition, with a deadline and a progress line. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '../errors.js';

/** How to wait. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly intervalMs: number;
  /** What is told while waiting. */
  readonly progress?: () => string;
  readonly onProgress?: (text: string) => void;
}

/** Waits until a check gives a value; `undefined` when it has not by the deadline. */
export async function waitFor<T>(
  check: () => T | undefined | Promise<T | undefined>,
  options: WaitOptions,
): Promise<T | undefined> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (options.progress !== undefined) options.onProgress?.(options.progress());
    if (Date.now() > deadline) return undefined;
    await sleep(options.intervalMs);
  }
}

/** Like {@link waitFor}; throws `LAB_FAILED` at the deadline, naming what was awaited. */
export async function demand<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  options: WaitOptions,
): Promise<T> {
  const value = await waitFor(check, options);
  if (value !== undefined) return value;
  throw new TandemError('LAB_FAILED', `${what}: not within ${options.timeoutMs} ms`);
}
