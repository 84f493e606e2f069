/**
 * The door to libc: every call that Tandem makes through koffi is bound here, once per thread.
 *
 * The calls are synchronous and return what C returns. Callers turn a failure into a
 * {@link TandemError} with {@link checked} or {@link systemCallError}; nothing else reads errno.
 */
import koffi from 'koffi';
import { TandemError } from '../errors.js';
import { errnoName } from './errnoName.js';

/** Bytes that a call reads or fills. */
export type Memory = Uint8Array | ArrayBuffer;

/** The calls in use, with the C types as koffi translates them. All return -1 on failure. */
interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Memory, addressLength: number): number;
  connect(fd: number, address: Memory, addressLength: number): number;
  setsockopt(fd: number, level: number, name: number, value: Memory, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Memory, length: Memory): number;
  getsockname(fd: number, address: Memory, addressLength: Memory): number;
  send(fd: number, data: Memory, length: number, flags: number): number;
  sendto(
    fd: number,
    data: Memory,
    length: number,
    flags: number,
    address: Memory,
    addressLength: number,
  ): number;
  sendmsg(fd: number, header: Memory, flags: number): number;
  sendmmsg(fd: number, entries: Memory, count: number, flags: number): number;
  recvmsg(fd: number, header: Memory, flags: number): number;
  recvmmsg(fd: number, entries: Memory, count: number, flags: number, timeout: null): number;
  read(fd: number, data: Memory, length: number): number;
  write(fd: number, data: Memory, length: number): number;
  open(path: string, flags: number, mode: number): number;
  close(fd: number): number;
  flock(fd: number, operation: number): number;
  ppoll(descriptors: Memory, count: number, timeout: Memory, signalMask: null): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Memory): number;
  epoll_wait(epoll: number, events: Memory, maxEvents: number, timeoutMs: number): number;
  eventfd(initialValue: number, flags: number): number;
  clock_gettime(clock: number, time: Memory): number;
  setns(fd: number, namespaceType: number): number;
  unshare(flags: number): number;
  mount(
    source: string,
    target: string,
    type: string | null,
    flags: number,
    data: string | null,
  ): number;
  umount2(target: string, flags: number): number;
  sched_setscheduler(thread: number, policy: number, parameter: Memory): number;
  sched_getscheduler(thread: number): number;
  sched_setaffinity(thread: number, maskLength: number, mask: Memory): number;
  sched_getaffinity(thread: number, maskLength: number, mask: Memory): number;
  mlockall(flags: number): number;
  munlockall(): number;
  memfd_create(name: string, flags: number): number;
  ftruncate(fd: number, length: number): number;
  /** The address; all bits set on failure. */
  mmap(
    address: null,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): bigint;
  /** These two are of glibc alone, and return 1 when they did something. */
  mallopt: ((parameter: number, value: number) => number) | undefined;
  malloc_trim: ((padBytes: number) => number) | undefined;
  /** These return an errno value, not -1. */
  pthread_mutexattr_init(attributes: Memory): number;
  pthread_mutexattr_setpshared(attributes: Memory, shared: number): number;
  pthread_mutexattr_setrobust(attributes: Memory, robustness: number): number;
  pthread_mutex_init(mutex: bigint, attributes: Memory): number;
  pthread_mutex_lock: BackgroundCall<(mutex: bigint) => number>;
}

/** A call that can also be made on a thread of libuv's pool. */
interface BackgroundCall<Call extends (...args: never[]) => unknown> {
  (...args: Parameters<Call>): ReturnType<Call>;
  async(
    ...args: [...Parameters<Call>, (error: Error | null, result: ReturnType<Call>) => void]
  ): void;
}

/** No descriptor is this one: a call with it does all its own work, and the kernel refuses it. */
export const noDescriptor = -1;

const library = koffi.load(null);

/** Text of an errno value, in the C locale. */
const strerror: (errno: number) => string = library.func('const char *strerror(int errno)');

/** A call that not every libc has. */
function callOfGlibc(prototype: string): ReturnType<typeof library.func> | undefined {
  try {
    return library.func(prototype);
  } catch {
    return undefined;
  }
}

/** libc, bound once for the calling thread. */
export const libc: Libc = {
  socket: library.func('int socket(int, int, int)'),
  bind: library.func('int bind(int, const void *, uint32_t)'),
  connect: library.func('int connect(int, const void *, uint32_t)'),
  setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)'),
  getsockopt: library.func('int getsockopt(int, int, int, void *, void *)'),
  getsockname: library.func('int getsockname(int, void *, void *)'),
  send: library.func('intptr_t send(int, const void *, size_t, int)'),
  sendto: library.func('intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)'),
  sendmsg: library.func('intptr_t sendmsg(int, const void *, int)'),
  sendmmsg: library.func('int sendmmsg(int, void *, uint32_t, int)'),
  recvmsg: library.func('intptr_t recvmsg(int, void *, int)'),
  recvmmsg: library.func('int recvmmsg(int, void *, uint32_t, int, void *)'),
  read: library.func('intptr_t read(int, void *, size_t)'),
  write: library.func('intptr_t write(int, const void *, size_t)'),
  open: library.func('int open(const char *, int, uint32_t)'),
  close: library.func('int close(int)'),
  flock: library.func('int flock(int, int)'),
  ppoll: library.func('int ppoll(void *, unsigned long, const void *, const void *)'),
  epoll_create1: library.func('int epoll_create1(int)'),
  epoll_ctl: library.func('int epoll_ctl(int, int, int, const void *)'),
  epoll_wait: library.func('int epoll_wait(int, void *, int, int)'),
  eventfd: library.func('int eventfd(unsigned int, int)'),
  clock_gettime: library.func('int clock_gettime(int, void *)'),
  setns: library.func('int setns(int, int)'),
  unshare: library.func('int unshare(int)'),
  mount: library.func(
    'int mount(const char *, const char *, const char *, unsigned long, const char *)',
  ),
  umount2: library.func('int umount2(const char *, int)'),
  sched_setscheduler: library.func('int sched_setscheduler(int, int, const void *)'),
  sched_getscheduler: library.func('int sched_getscheduler(int)'),
  sched_setaffinity: library.func('int sched_setaffinity(int, size_t, const void *)'),
  sched_getaffinity: library.func('int sched_getaffinity(int, size_t, void *)'),
  mlockall: library.func('int mlockall(int)'),
  munlockall: library.func('int munlockall()'),
  memfd_create: library.func('int memfd_create(const char *, unsigned int)'),
  ftruncate: library.func('int ftruncate(int, int64_t)'),
  mmap: library.func('uint64_t mmap(const void *, size_t, int, int, int, int64_t)'),
  mallopt: callOfGlibc('int mallopt(int, int)'),
  malloc_trim: callOfGlibc('int malloc_trim(size_t)'),
  pthread_mutexattr_init: library.func('int pthread_mutexattr_init(void *)'),
  pthread_mutexattr_setpshared: library.func('int pthread_mutexattr_setpshared(void *, int)'),
  pthread_mutexattr_setrobust: library.func('int pthread_mutexattr_setrobust(void *, int)'),
  pthread_mutex_init: library.func('int pthread_mutex_init(uint64_t, const void *)'),
  pthread_mutex_lock: library.func('int pthread_mutex_lock(uint64_t)'),
};

/** A capability that an operation of this layer may need; named in the hint of a refusal. */
export type Capability =
  | 'CAP_NET_ADMIN'
  | 'CAP_NET_RAW'
  | 'CAP_SYS_ADMIN'
  | 'CAP_SYS_NICE'
  | 'CAP_IPC_LOCK';

/** What an error tells beside the name of the call. */
export interface CallParticulars {
  /** The arguments that matter, for example `eth0` or `add 192.0.2.1/24`. */
  readonly context?: string;
  /** What the caller would have needed, when the kernel refuses for lack of privilege. */
  readonly capability?: Capability;
  /** What the operator can do about it, unless it is a matter of privilege. */
  readonly hint?: string;
}

/** The errno that the last failed call of this thread left. */
export function lastErrno(): number {
  return koffi.errno();
}

/**
 * The error for a failed call: `PERMISSION` for EPERM and EACCES, else `SYSTEM_CALL`.
 *
 * @param call name of the system call, or of the netlink message
 * @param errno its positive errno value
 */
export function systemCallError(
  call: string,
  errno: number,
  particulars: CallParticulars = {},
): TandemError {
  const { context, capability = 'CAP_NET_ADMIN', hint } = particulars;
  const name = errnoName(errno);
  const where = context === undefined ? call : `${call} (${context})`;
  const message = `${where} failed: ${name}: ${strerror(errno)}`;
  if (name === 'EPERM' || name === 'EACCES') {
    return new TandemError('PERMISSION', message, {
      errnoName: name,
      hint: `This needs ${capability}: run as root, or grant ${capability} to the service.`,
    });
  }
  return new TandemError('SYSTEM_CALL', message, {
    errnoName: name,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Returns the result of a call; throws {@link systemCallError} when it is -1. */
export function checked(result: number, call: string, particulars: CallParticulars = {}): number {
  if (result === -1) throw systemCallError(call, lastErrno(), particulars);
  return result;
}

/** Closes a descriptor that this layer opened. A failure is of no use to anybody here. */
export function closeDescriptor(fd: number): void {
  libc.close(fd);
}

/** Runs a step of opening a descriptor; closes the descriptor when the step throws. */
export function closeOnFailure<T>(fd: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}
