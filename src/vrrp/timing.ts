/**
 * The intervals of RFC 9568, 6.1, in whole microseconds. Centiseconds would lose the skew at short
 * intervals: at 1 cs and priority 100 it is 6.09 ms.
 */
import { ownerPriority } from '../wire/vrrp.js';
import type { Demotion } from './protocol.js';

/** Microseconds of one centisecond, the unit of intervals on the wire. */
export const centisecondUs = 10_000;

/** How many silent advertisement intervals, plus the skew, mean that the Active is gone. */
const silentIntervals = 3;

/** Skew_Time: the higher the priority, the sooner a Backup moves. */
export function skewUs(priority: number, activeAdvertIntervalUs: number): number {
  return Math.floor(((256 - priority) * activeAdvertIntervalUs) / 256);
}

/** Active_Down_Interval: the silence after which a Backup declares the Active gone. */
export function activeDownUs(priority: number, activeAdvertIntervalUs: number): number {
  return silentIntervals * activeAdvertIntervalUs + skewUs(priority, activeAdvertIntervalUs);
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
