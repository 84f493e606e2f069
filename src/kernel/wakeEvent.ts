/**
 * An event that any thread can raise and one thread polls for (eventfd).
 *
 * The descriptor's number is valid in the whole process, so it is sent to other threads as it is.
 */
import { checked, closeDescriptor, lastErrno, libc, systemCallError } from './systemCall.js';

const eventfdFlags = 0o2000000 /* EFD_CLOEXEC */ | 0o4000; /* EFD_NONBLOCK */
const errnoAgain = 11;

/** What is added: 1, as the 8-byte counter of eventfd in the machine's byte order. */
const one = new Uint8Array(new BigUint64Array([1n]).buffer);
const counter = new Uint8Array(8);

/** An open eventfd. */
export interface WakeEvent {
  /** Readable while the event is raised. */
  readonly fd: number;
  /** Closes it; no thread may use its number afterwards. */
  close(): void;
}

/** Makes an event that is not raised. Throws `SYSTEM_CALL`. */
export function createWakeEvent(): WakeEvent {
  const fd = checked(libc.eventfd(0, eventfdFlags), 'eventfd');
  return { fd, close: () => closeDescriptor(fd) };
}

/** Raises the event, from any thread. Raising it again before it is drained changes nothing. */
export function signalWakeEvent(fd: number): void {
  if (libc.write(fd, one, one.length) === one.length) return;
  const errno = lastErrno();
  // A full counter means that the event is raised already.
  if (errno !== errnoAgain) throw systemCallError('write', errno, { context: `eventfd ${fd}` });
}

/** Lowers the event; does nothing when it is not raised. */
export function drainWakeEvent(fd: number): void {
  if (libc.read(fd, counter, counter.length) === counter.length) return;
  const errno = lastErrno();
  if (errno !== errnoAgain) throw systemCallError('read', errno, { context: `eventfd ${fd}` });
}
