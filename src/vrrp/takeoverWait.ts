/**
 * The wait for the moment at which a Backup takes over.
 *
 * Everything that a takeover runs was last run long ago, if ever: the caches of the processor have
 * forgotten it, and the first advertisement would leave most of a millisecond late. So the loop
 * wakes up a little before and makes an ordinary turn, in which nothing is due yet. Then, because
 * the election is a pure function, it makes the very turn that will be due, and goes through its
 * effects without having them; and again just before, because others have run in between. When the
 * moment comes and nothing was received till then, what was foreseen is what is so, and only its
 * effects are left to do. The last moment is waited for with open eyes, because a sleep ends late:
 * by up to a tenth of a millisecond.
 *
 * This happens only when an Active was silent for almost all of its Active_Down_Interval. Whatever
 * is received ends the wait, as it does in any other.
 */
import { nowUs } from '../kernel/monotonicClock.js';
import { pollReadable } from '../kernel/pollLoop.js';

/** How long before the takeover the rehearsal begins, in microseconds. */
export const rehearsalLeadUs = 3_000;

/** With less time left than this there is no rehearsal: it would make the takeover late. */
export const rehearsalLeastUs = 1_500;

/** How long before the takeover the loop stops sleeping, in microseconds: what it may burn. */
export const wakefulUs = 1_000;

/** How long before the takeover it looks at the clock alone, in microseconds: what a poll takes. */
const clockOnlyUs = 60;

/** With a takeover that is later than this what was foreseen is of no account: we were held up. */
export const foreseenLateMaxUs = 500;

/**
 * Waits until a takeover is due, or is to be rehearsed, or a descriptor is readable.
 *
 * @param foresee makes the turn that will be due and goes through it
 * @returns what it made, when the moment has come, in time, and nothing was received till then;
 *   otherwise `undefined`, and an ordinary turn is to be made
 */
export function waitForTakeover<Foreseen>(
  fds: readonly number[],
  takeoverUs: number,
  foresee: () => Foreseen,
): Foreseen | undefined {
  const leftUs = (): number => takeoverUs - nowUs();
  if (leftUs() > rehearsalLeadUs) {
    pollReadable(fds, leftUs() - rehearsalLeadUs);
    return undefined;
  }
  const beginUs = nowUs();
  const isRehearsed = leftUs() > rehearsalLeastUs;
  let foreseen = isRehearsed ? foresee() : undefined;
  const tookUs = nowUs() - beginUs;
  if (leftUs() > wakefulUs && isReadable(fds, leftUs() - wakefulUs)) return undefined;
  // It takes no longer than the first time, when nothing was at hand.
  if (isRehearsed && leftUs() > 2 * tookUs) foreseen = foresee();
  while (leftUs() > clockOnlyUs) if (isReadable(fds, 0)) return undefined;
  while (leftUs() > 0);
  // What came up to the moment itself must be heard before anything follows from its absence.
  const isAsForeseen = leftUs() > -foreseenLateMaxUs && !isReadable(fds, 0);
  return isAsForeseen ? foreseen : undefined;
}

function isReadable(fds: readonly number[], timeoutUs: number): boolean {
  return pollReadable(fds, timeoutUs).length > 0;
}
