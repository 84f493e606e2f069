/**
 * A sign of life that the kernel itself takes back. One thread holds a robust mutex in memory that
 * two processes share; when that thread dies, of whatever, the kernel gives the mutex to whoever
 * waits for it (futex(2), `exit_robust_list` in kernel/futex/core.c).
 *
 * It does so as the first thing that it does for a dying thread. The death of a process in all
 * other forms (closed pipes, SIGCHLD, pidfd) is told after its memory and its sockets have been put
 * away, which was 40 to 100 milliseconds later for our agent when it was measured.
 */
import { checked, closeDescriptor, closeOnFailure, libc, systemCallError } from './systemCall.js';

/** Room for a pthread_mutex_t on every architecture. */
const memoryBytes = 4096;
/** Room for a pthread_mutexattr_t (4 or 8 bytes). */
const attributeBytes = 16;

const closeOnExec = 1;
const readWrite = 3;
const mapShared = 1;
const mapFailed = 0xffff_ffff_ffff_ffffn;
const processShared = 1;
const robust = 1;
const errnoOwnerDead = 130;

/**
 * Makes a lifeline that is held by the calling thread, for good. The descriptor is for the process
 * that watches it. Throws `SYSTEM_CALL`.
 */
export function holdLifeline(): number {
  const fd = checked(libc.memfd_create('tandem-lifeline', closeOnExec), 'memfd_create');
  return closeOnFailure(fd, () => {
    checked(libc.ftruncate(fd, memoryBytes), 'ftruncate');
    const mutex = map(fd);
    const attributes = new Uint8Array(attributeBytes);
    succeed(libc.pthread_mutexattr_init(attributes), 'pthread_mutexattr_init');
    succeed(
      libc.pthread_mutexattr_setpshared(attributes, processShared),
      'pthread_mutexattr_setpshared',
    );
    succeed(libc.pthread_mutexattr_setrobust(attributes, robust), 'pthread_mutexattr_setrobust');
    succeed(libc.pthread_mutex_init(mutex, attributes), 'pthread_mutex_init');
    succeed(libc.pthread_mutex_lock(mutex), 'pthread_mutex_lock');
    return fd;
  });
}

/**
 * Calls back when the thread that holds a lifeline has died. It waits on a thread of libuv's pool,
 * which cannot be ended: a process that waits must be killed, or act.
 */
export function watchLifeline(fd: number, onDeath: () => void): void {
  const mutex = map(fd);
  closeDescriptor(fd);
  libc.pthread_mutex_lock.async(mutex, (_, result) => {
    // Anything else would be a lifeline that nobody has held.
    if (result === errnoOwnerDead) onDeath();
  });
}

function map(fd: number): bigint {
  const address = BigInt(libc.mmap(null, memoryBytes, readWrite, mapShared, fd, 0));
  if (address === mapFailed) checked(-1, 'mmap');
  return address;
}

function succeed(errno: number, call: string): void {
  if (errno !== 0) throw systemCallError(call, errno);
}
