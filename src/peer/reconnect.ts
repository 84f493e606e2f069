/** How long the connecting side waits before it tries again. Pure. */

/** The first delay, in milliseconds: a peer that restarts is back within a second. */
export const firstDelayMs = 100;

/** The longest delay while the peer cannot be reached. */
export const delayMaxMs = 1_000;

/** The delay after a refusal, which a person has to put right. */
export const refusedDelayMs = 5_000;

/**
 * The delay after so many failed rounds over all paths (1 or more). `random`, in [0, 1), spreads it
 * over the upper half, so that pairs that lost a switch together do not call together.
 */
export function reconnectDelayMs(rounds: number, refused: boolean, random: number): number {
  const fullMs = refused
    ? refusedDelayMs
    : Math.min(delayMaxMs, firstDelayMs * 2 ** Math.min(rounds - 1, 10));
  return Math.round(fullMs * (0.5 + random / 2));
}
