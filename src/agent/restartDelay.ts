/** How long to wait before a worker thread that ended is started again. */

/** A thread that ran at least this long is held to be sound, and its next restart is immediate. */
const soundAfterMs = 60_000;

/** The first delay after an immediate restart, in milliseconds; each further one doubles it. */
const firstDelayMs = 100;

/** The longest delay, in milliseconds: a director without election must not wait for minutes. */
const delayMaxMs = 5_000;

/** What is remembered of one thread's restarts. */
export interface RestartHistory {
  readonly restarts: number;
  /** Restarts in a row without a sound run between them. */
  readonly inARow: number;
}

/** A thread that never ended. */
export const noRestarts: RestartHistory = { restarts: 0, inARow: 0 };

/** Counts one more end of the thread, after a run of `ranMs`, and says how long to wait. */
export function nextRestart(
  history: RestartHistory,
  ranMs: number,
): { readonly history: RestartHistory; readonly delayMs: number } {
  const inARow = ranMs >= soundAfterMs ? 1 : history.inARow + 1;
  const delayMs =
    inARow === 1 ? 0 : Math.min(delayMaxMs, firstDelayMs * 2 ** Math.min(inARow - 2, 16));
  return { history: { restarts: history.restarts + 1, inARow }, delayMs };
}
