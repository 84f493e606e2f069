/**
 * The intervals of RFC 9568, 6.1, in whole microseconds. Centiseconds would lose the skew at short
 * intervals: at 1 cs and priority 100 it is 6.09 ms.
 */
import { ownerPriority, type VrrpVersion } from '../wire/vrrp.js';
import type { Demotion } from './protocol.js';

/** Microseconds of one centisecond, the unit of intervals on the wire. */
export const centisecondUs = 10_000;

/** How many silent advertisement intervals, plus the skew, mean that the Active is gone. */
const silentIntervals = 3;

/** What Skew_Time is a part of in version 2, whatever the interval (RFC 3768, 6.1). */
const version2SkewBaseUs = 1_000_000;

/** Skew_Time: the higher the priority, the sooner a Backup moves. */
export function skewUs(
  priority: number,
  activeAdvertIntervalUs: number,
  version: VrrpVersion = 3,
): number {
  const baseUs = version === 2 ? version2SkewBaseUs : activeAdvertIntervalUs;
  return Math.floor(((256 - priority) * baseUs) / 256);
}

/** Active_Down_Interval: the silence after which a Backup declares the Active gone. */
export function activeDownUs(
  priority: number,
  activeAdvertIntervalUs: number,
  version: VrrpVersion = 3,
): number {
  const silenceUs = silentIntervals * activeAdvertIntervalUs;
  return silenceUs + skewUs(priority, activeAdvertIntervalUs, version);
}

/**
 * The priority that is advertised and compared: the configured one less every demotion, never below
 * 1 (0 would resign). An owner's is never moved: it holds its own addresses whatever happens.
 */
export function effectivePriority(configured: number, demotions: readonly Demotion[]): number {
  if (configured === ownerPriority) return ownerPriority;
  const lowered = demotions.reduce((priority, { weight }) => priority - weight, configured);
  return Math.min(Math.max(lowered, 1), ownerPriority - 1);
}
