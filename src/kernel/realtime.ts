/**
 * How the kernel schedules the calling thread, and whether it may take its memory away: what keeps
 * a thread on time on a machine that is busy with something else.
 */
import { readdirSync } from 'node:fs';
import { checked, libc } from './systemCall.js';

/** Round-robin among real-time threads of one priority, before all others (sched.7). */
const schedRoundRobin = 2;
const schedOther = 0;

/** Threads that this one starts do not inherit its scheduling (linux/sched.h). */
const schedResetOnFork = 0x4000_0000;

/** MCL_CURRENT, MCL_FUTURE and MCL_ONFAULT (linux/mman.h). */
const lockAll = 1 | 2 | 4;

/** Processors that a mask has room for, as many as glibc's cpu_set_t. */
const maskBits = 1024;

/** The thread that makes the call. */
const ownThread = 0;

/**
 * Gives the calling thread a real-time priority, 1 to 99. Throws PERMISSION without CAP_SYS_NICE
 * or a sufficient RLIMIT_RTPRIO.
 */
export function scheduleRoundRobin(priority: number, thread = ownThread): void {
  const policy = schedRoundRobin | schedResetOnFork;
  schedule(policy, priority, `round-robin, priority ${priority}`, thread);
}

/** Does the same for every thread that this process has. */
export function scheduleProcessRoundRobin(priority: number): void {
  for (const thread of readdirSync('/proc/self/task')) {
    scheduleRoundRobin(priority, Number(thread));
  }
}

/** Gives the calling thread back to the ordinary scheduler. */
export function scheduleOrdinarily(): void {
  schedule(schedOther, 0, 'ordinary');
}

/** Whether the calling thread is scheduled round-robin. */
export function isRoundRobin(): boolean {
  const policy = checked(libc.sched_getscheduler(ownThread), 'sched_getscheduler');
  return (policy & ~schedResetOnFork) === schedRoundRobin;
}

/**
 * Keeps every page of the process that has ever been touched in memory; pages that are only
 * reserved are not brought in. Throws PERMISSION or SYSTEM_CALL without CAP_IPC_LOCK.
 */
export function lockMemory(): void {
  checked(libc.mlockall(lockAll), 'mlockall', {
    capability: 'CAP_IPC_LOCK',
    hint: 'Grant CAP_IPC_LOCK, or lift RLIMIT_MEMLOCK (systemd: LimitMEMLOCK=infinity).',
  });
}

/** Lets the kernel take pages of the process away again. */
export function unlockMemory(): void {
  checked(libc.munlockall(), 'munlockall');
}

/** The processors that the calling thread may run on. */
export function allowedCpus(): readonly number[] {
  const mask = new Uint8Array(maskBits / 8);
  checked(libc.sched_getaffinity(ownThread, mask.length, mask), 'sched_getaffinity');
  const cpus = Array.from({ length: maskBits }, (_, cpu) => cpu);
  return cpus.filter((cpu) => ((mask[cpu >> 3] ?? 0) >> (cpu & 7)) & 1);
}

/** Lets the calling thread run on these processors only. Throws SYSTEM_CALL when there are none. */
export function allowCpus(cpus: readonly number[]): void {
  const mask = new Uint8Array(maskBits / 8);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  checked(libc.sched_setaffinity(ownThread, mask.length, mask), 'sched_setaffinity', {
    context: `processors ${cpus.join(', ')}`,
    capability: 'CAP_SYS_NICE',
    hint: 'At least one of the processors must exist and be allowed to this process.',
  });
}

function schedule(
  policy: number,
  priority: number,
  context: string,
  thread: number = ownThread,
): void {
  // struct sched_param is one int.
  const parameter = new Uint8Array(new Int32Array([priority]).buffer);
  checked(libc.sched_setscheduler(thread, policy, parameter), 'sched_setscheduler', {
    context,
    capability: 'CAP_SYS_NICE',
  });
}
