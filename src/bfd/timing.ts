/** The intervals of RFC 5880, 6.8, in whole microseconds. */

/** While a session is not up, no end sends faster than this (RFC 5880, 6.8.3). */
export const slowIntervalUs = 1_000_000;

/**
 * A transmit interval with its jitter (RFC 5880, 6.8.7): shortened by 0 to 25 %, and with a
 * multiplier of 1 by 10 to 25 %, because then a single late packet ends the session.
 *
 * @param jitter a random number in [0, 1)
 */
export function jitteredUs(intervalUs: number, detectMultiplier: number, jitter: number): number {
  const leastPercent = detectMultiplier === 1 ? 10 : 0;
  const percent = leastPercent + jitter * (25 - leastPercent);
  return Math.floor((intervalUs * (100 - percent)) / 100);
}

/** Detection time in asynchronous mode (RFC 5880, 6.8.4): the multiplier is the peer's. */
export function detectionUs(
  remoteMultiplier: number,
  requiredMinRxUs: number,
  remoteDesiredMinTxUs: number,
): number {
  return remoteMultiplier * Math.max(requiredMinRxUs, remoteDesiredMinTxUs);
}
