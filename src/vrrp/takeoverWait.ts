/**
 * The wait for the moment at which a Backup takes over.
 *
 * Everything that a takeover runs was last run long ago, if ever: the caches of the processor have
 * forgotten it, and the first advertisement would leave most of a millisecond late. So the loop
 * wakes up a little before and makes an ordinary turn, in which nothing is due yet. Then, because
 * the election is a pure function, it makes the very turn that will be due and throws its outcome
 * away; and again just before, because others have run in between. So it comes to the real one with
 * all at hand. The last moment is waited for with open eyes, because a sleep ends late: by up to a
 * tenth of a millisecond.
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

/** Waits until a takeover is due, or is to be rehearsed, or a descriptor is readable. */
export function waitForTakeover(
  fds: readonly number[],
  takeoverUs: number,
  rehearse: () => void,
): void {
  const leftUs = (): number => takeoverUs - nowUs();
  if (leftUs() > rehearsalLeadUs) {
    pollReadable(fds, leftUs() - rehearsalLeadUs);
    return;
  }
  const beginUs = nowUs();
  const isRehearsed = leftUs() > rehearsalLeastUs;
  if (isRehearsed) rehearse();
  const tookUs = nowUs() - beginUs;
  if (leftUs() > wakefulUs && pollReadable(fds, leftUs() - wakefulUs).length > 0) return;
  // It takes no longer than the first time, when nothing was at hand.
  if (isRehearsed && leftUs() > 2 * tookUs) rehearse();
  while (leftUs() > 0) if (pollReadable(fds, 0).length > 0) return;
}
