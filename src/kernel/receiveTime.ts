/**
 * When a packet arrived, on the monotonic clock.
 *
 * The kernel stamps packets with CLOCK_REALTIME only, so a stamp becomes an age by the realtime
 * of reading, and the age is taken off the monotonic time of reading. A step of the clock between
 * the two would falsify one age, which is why an impossible age counts as none. A thread that
 * loses its processor between the two would do so too, which is why they are read again then.
 */

import { timeStruct } from './linuxStructs.js';
import { nowUs } from './monotonicClock.js';
import { hostIsLittleEndian } from './structLayout.js';
import { libc } from './systemCall.js';

/** An age beyond this tells of a clock that was set, not of a packet that waited. */
export const receiveAgeMaxUs = 3_600_000_000;

/** Two clocks were read at one moment when no more than this went by meanwhile, in microseconds. */
const oneMomentUs = 50;

/** How often the clocks are read in search of one moment; a slow machine may have none. */
export const clockReadingsMax = 4;

/** Both clocks at one moment, in microseconds. */
export interface ClockReading {
  readonly realtimeUs: number;
  readonly monotonicUs: number;
}

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

/**
 * Reads both clocks at one moment, or as near to one as there was. What may be wrong makes packets
 * younger: one that seemed older than it is would end an Active_Down_Interval before its time.
 */
export function readClocks(monotonic: () => number, realtime: () => number): ClockReading {
  const read = (): ClockReading & { readonly tookUs: number } => {
    const beforeUs = monotonic();
    const clocks = { realtimeUs: realtime(), monotonicUs: monotonic() };
    return { ...clocks, tookUs: clocks.monotonicUs - beforeUs };
  };
  let best = read();
  for (let more = clockReadingsMax - 1; more > 0 && best.tookUs > oneMomentUs; more -= 1) {
    const next = read();
    if (next.tookUs < best.tookUs) best = next;
  }
  return best;
}

/** The monotonic time of a realtime stamp, given both clocks at one moment. All microseconds. */
export function stampToMonotonicUs(stampUs: number, clocks: ClockReading): number {
  const ageUs = clocks.realtimeUs - stampUs;
  if (ageUs < 0 || ageUs > receiveAgeMaxUs) return clocks.monotonicUs;
  return clocks.monotonicUs - ageUs;
}

/** The monotonic time of a stamp that the kernel has just handed over; now when there is none. */
export function receivedAtUs(stampUs: number | undefined): number {
  return stampUs === undefined
    ? nowUs()
    : stampToMonotonicUs(stampUs, readClocks(nowUs, realtimeUs));
}
