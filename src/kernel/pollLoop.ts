/** Waiting for descriptors without libuv: the heart of the vrrp thread's loop. */
import { pollDescriptorStruct, timeStruct } from './linuxStructs.js';
import { nowUs } from './monotonicClock.js';
import { hostIsLittleEndian } from './structLayout.js';
import { lastErrno, libc, systemCallError } from './systemCall.js';

/**
 * The longest that one wait takes, whatever was asked, in microseconds. A thread that waits in
 * `ppoll` cannot be ended from outside, so it must come back by itself.
 */
export const pollWaitMaxUs = 1_000_000;

/**
 * The kernel lets a wait of `ppoll` end late by up to a thousandth of its length, to wake less
 * often (`select_estimate_accuracy` in fs/select.c). A wait that is longer than this, in
 * microseconds, is therefore cut in two: the second part is short, and so is what it may be late.
 */
const preciseWaitUs = 10_000;

const pollIn = 0x1;
const pollOut = 0x4;
const errnoInterrupted = 4;

const time = new DataView(new ArrayBuffer(timeStruct.size));
const timeBytes = new Uint8Array(time.buffer);
/** Memory for the descriptors of one call; grows to the largest number asked for. */
let descriptorBytes = new Uint8Array(16 * pollDescriptorStruct.size);
let descriptors = new DataView(descriptorBytes.buffer);

/**
 * Waits until a descriptor is readable or has failed, or until the time is over.
 *
 * @param timeoutUs how long to wait; 0 only looks; `undefined` means {@link pollWaitMaxUs}
 * @returns the descriptors that are readable, hung up or in error, in the order given; none after
 *   the time, and none when a signal came in between
 */
export function pollReadable(fds: readonly number[], timeoutUs: number | undefined): number[] {
  return poll(fds, pollIn, timeoutUs ?? pollWaitMaxUs);
}

/** Waits until a descriptor takes more to write or has failed; false when the time was over. */
export function pollWritable(fd: number, timeoutUs: number): boolean {
  return poll([fd], pollOut, timeoutUs).length > 0;
}

function poll(fds: readonly number[], events: number, timeoutUs: number): number[] {
  const { size, offsets } = pollDescriptorStruct;
  if (fds.length * size > descriptors.byteLength) {
    descriptorBytes = new Uint8Array(fds.length * 2 * size);
    descriptors = new DataView(descriptorBytes.buffer);
  }
  for (const [index, fd] of fds.entries()) {
    descriptors.setInt32(index * size + offsets.fd, fd, hostIsLittleEndian);
    descriptors.setInt16(index * size + offsets.events, events, hostIsLittleEndian);
    descriptors.setInt16(index * size + offsets.ready, 0, hostIsLittleEndian);
  }
  const waitUs = Math.max(0, Math.min(pollWaitMaxUs, Math.ceil(timeoutUs)));
  const deadlineUs = nowUs() + waitUs;
  let count = pollOnce(fds.length, waitUs > preciseWaitUs ? waitUs - preciseWaitUs / 2 : waitUs);
  if (count === 0 && waitUs > preciseWaitUs) {
    count = pollOnce(fds.length, Math.max(0, deadlineUs - nowUs()));
  }
  if (count === 0) return [];
  if (count < 0) {
    const errno = lastErrno();
    if (errno === errnoInterrupted) return [];
    throw systemCallError('ppoll', errno, { context: `descriptors ${fds.join(', ')}` });
  }
  return fds.filter(
    (_, index) => descriptors.getInt16(index * size + offsets.ready, hostIsLittleEndian) !== 0,
  );
}

function pollOnce(descriptorCount: number, timeoutUs: number): number {
  setTime(timeoutUs);
  return libc.ppoll(descriptorBytes, descriptorCount, timeBytes, null);
}

function setTime(timeoutUs: number): void {
  const { offsets } = timeStruct;
  const seconds = Math.floor(timeoutUs / 1_000_000);
  const nanoseconds = (timeoutUs % 1_000_000) * 1000;
  time.setBigInt64(offsets.seconds, BigInt(seconds), hostIsLittleEndian);
  time.setBigInt64(offsets.nanoseconds, BigInt(nanoseconds), hostIsLittleEndian);
}
