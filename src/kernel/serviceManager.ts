/**
 * The readiness and watchdog protocol of service managers (sd_notify(3)): one datagram of
 * `NAME=value` lines to the socket that $NOTIFY_SOCKET names.
 */
import { unixAddressStruct } from './linuxStructs.js';
import { nowUs } from './monotonicClock.js';
import { pollWritable } from './pollLoop.js';
import { addressFamily, messageNoSignal, openSocket } from './socketOptions.js';
import { checked, closeDescriptor, lastErrno, libc, systemCallError } from './systemCall.js';

/** How long a notice waits for a service manager whose queue is full, in microseconds. */
const queueWaitUs = 1_000_000;
const errnoAgain = 11;

/** What the service manager is told; what is left out is not mentioned. */
export interface ServiceNotice {
  /** Start-up, or a reload, is complete. */
  readonly ready?: boolean;
  /** The service has begun to stop. */
  readonly stopping?: boolean;
  /** The service has begun to reload; `ready` must follow. */
  readonly reloading?: boolean;
  /** One line for `systemctl status`. */
  readonly status?: string;
  /** The watchdog is fed. */
  readonly watchdog?: boolean;
}

/**
 * Tells the service manager; false when none listens (`NOTIFY_SOCKET` is unset) or there is
 * nothing to tell. Throws `SYSTEM_CALL` when the socket it named cannot be reached.
 */
export function notifyServiceManager(notice: ServiceNotice): boolean {
  const path = process.env.NOTIFY_SOCKET;
  const text = formatServiceNotice(notice, nowUs());
  if (path === undefined || path === '' || text === '') return false;
  const context = `NOTIFY_SOCKET=${path}`;
  const address = unixAddress(path);
  const fd = openSocket(addressFamily.unix, 'datagram', 0, { context });
  try {
    checked(libc.connect(fd, address, address.length), 'connect', { context });
    sendWhole(fd, Buffer.from(text), context);
  } finally {
    closeDescriptor(fd);
  }
  return true;
}

/** The text of a notice (sd_notify(3)); `monotonicUs` goes with `reloading`, as it must. */
export function formatServiceNotice(notice: ServiceNotice, monotonicUs: number): string {
  const lines: string[] = [];
  if (notice.reloading === true) lines.push('RELOADING=1', `MONOTONIC_USEC=${monotonicUs}`);
  if (notice.ready === true) lines.push('READY=1');
  if (notice.stopping === true) lines.push('STOPPING=1');
  if (notice.watchdog === true) lines.push('WATCHDOG=1');
  // A newline would end the value and start a name of the sender's choice.
  if (notice.status !== undefined) lines.push(`STATUS=${notice.status.replace(/\s*\n\s*/g, ' ')}`);
  return lines.join('\n');
}

/**
 * The time after which the service manager acts on a watchdog that was not fed, in milliseconds.
 * sd_watchdog_enabled(3) recommends to feed it every half of that. `undefined` when this process
 * is not watched.
 */
export function watchdogIntervalMs(): number | undefined {
  return watchdogInterval(process.env, process.pid);
}

/** {@link watchdogIntervalMs} for a given environment and process. */
export function watchdogInterval(
  environment: Readonly<Record<string, string | undefined>>,
  processId: number,
): number | undefined {
  const timeoutUs = Number(environment.WATCHDOG_USEC);
  if (!Number.isSafeInteger(timeoutUs) || timeoutUs <= 0) return undefined;
  const watched = environment.WATCHDOG_PID;
  if (watched !== undefined && Number(watched) !== processId) return undefined;
  return Math.max(1, Math.floor(timeoutUs / 1000));
}

/** struct sockaddr_un, as long as the name needs; a leading `@` stands for an abstract name. */
export function unixAddress(path: string): Uint8Array {
  const abstract = path.startsWith('@');
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  const pathAt = unixAddressStruct.offsets.path;
  if (name.length > unixAddressStruct.size - pathAt) {
    throw systemCallError('connect', 36 /* ENAMETOOLONG */, { context: path });
  }
  const address = unixAddressStruct.encode({ family: addressFamily.unix, path: name });
  return address.slice(0, pathAt + name.length);
}

function sendWhole(fd: number, text: Uint8Array, context: string): void {
  const deadlineUs = nowUs() + queueWaitUs;
  for (;;) {
    if (libc.send(fd, text, text.length, messageNoSignal) >= 0) return;
    const errno = lastErrno();
    const leftUs = deadlineUs - nowUs();
    if (errno !== errnoAgain || leftUs <= 0) throw systemCallError('send', errno, { context });
    pollWritable(fd, leftUs);
  }
}
