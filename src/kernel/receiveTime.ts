/**
 * When a packet arrived, on the monotonic clock.
 *
 * The kernel stamps packets with CLOCK_REALTIME only, so a stamp becomes an age by the realtime
 * of reading, and the age is taken off the monotonic time of reading. A step of the clock between
 * the two would falsify one age, which is why an impossible age counts as none.
 */

import { timeStruct } from './linuxStructs.js';
import { nowUs } from './monotonicClock.js';
import { hostIsLittleEndian } from './structLayout.js';
import { libc } from './systemCall.js';

/** An age beyond this tells of a clock that was set, not of a packet that waited. */
export const receiveAgeMaxUs = 3_600_000_000;

const clockRealtime = 0;
const time = new DataView(new ArrayBuffer(timeStruct.size));

/** CLOCK_REALTIME, in microseconds; Node's own clock has milliseconds only. */
export function realtimeUs(): number {
  libc.clock_gettime(clockRealtime, time.buffer as ArrayBuffer);
  return readTimeUs(time, 0);
}

/** Reads a struct timespec as microseconds. */
export function readTimeUs(view: DataView, at: number): number {
  const seconds = view.getBigInt64(at + timeStruct.offsets.seconds, hostIsLittleEndian);
  const nanoseconds = view.getBigInt64(at + timeStruct.offsets.nanoseconds, hostIsLittleEndian);
  return Number(seconds) * 1_000_000 + Math.floor(Number(nanoseconds) / 1000);
}

/** The monotonic time of a realtime stamp, given both clocks at one moment. All microseconds. */
export function stampToMonotonicUs(
  stampUs: number,
  clocks: { readonly realtimeUs: number; readonly monotonicUs: number },
): number {
  const ageUs = clocks.realtimeUs - stampUs;
  if (ageUs < 0 || ageUs > receiveAgeMaxUs) return clocks.monotonicUs;
  return clocks.monotonicUs - ageUs;
}

/** The monotonic time of a stamp that the kernel has just handed over; now when there is none. */
export function receivedAtUs(stampUs: number | undefined): number {
  const monotonicUs = nowUs();
  if (stampUs === undefined) return monotonicUs;
  return stampToMonotonicUs(stampUs, { realtimeUs: realtimeUs(), monotonicUs });
}
