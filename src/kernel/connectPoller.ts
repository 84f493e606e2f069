/**
 * Begins TCP connections, many at a time, and tells how each went: one epoll for all of them, and
 * none of the machinery that Node keeps for a socket that is to be used.
 *
 * A connection is never used: as soon as it is known how it went, it is reset, so that neither a
 * socket in TIME_WAIT nor a local port is left behind.
 */
import { bitsOf, type IpAddress, type IpFamily } from '../wire/ipAddress.js';
import { errnoName } from './errnoName.js';
import { decodeSocketAddress, encodeSocketAddress, familyNumber } from './internetAddress.js';
import { internet6AddressStruct } from './linuxStructs.js';
import { LocalPorts } from './localPorts.js';
import { openSocket, readSocketOption, setSocketOption, socketOption } from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';
import { checked, closeDescriptor, lastErrno, libc, systemCallError } from './systemCall.js';

const epollCloseOnExec = 0o2000000;
const epollAdd = 1;
const eventOut = 0x4;
const eventError = 0x8;
const eventHangUp = 0x10;
const errnoInterrupted = 4;
const errnoInProgress = 115;
const tcp = 6;

/** struct epoll_event (eventpoll.h): it is packed on x86-64 alone. */
const eventLayout = process.arch === 'x64' ? { size: 12, fd: 4 } : { size: 16, fd: 8 };

/** Connections that one call of epoll_wait tells of; more are told by the next call. */
const eventsMax = 512;

/** struct linger (socket.h) with a time of 0: close() resets the connection. */
const resetOnClose = new Uint8Array(new Int32Array([1, 0]).buffer);

/** How a connection went: established, or the call that failed and why. */
export type ConnectResult =
  | { readonly connected: true }
  | { readonly connected: false; readonly call: string; readonly errnoName: string };

/** Names a connection that was begun: its descriptor, valid until its result was told. */
export type ConnectAttempt = number;

/** Where to connect to, in the form of the kernel; made once for many connections. */
export interface ConnectTarget {
  readonly family: IpFamily;
  readonly port: number;
  readonly bytes: Uint8Array;
}

/** Makes a target. */
export function connectTarget(address: IpAddress, port: number, family: IpFamily): ConnectTarget {
  return { family, port, bytes: encodeSocketAddress(address, port) };
}

/** Many connections that are begun and looked at together. Belongs to one thread. */
export class ConnectPoller {
  readonly #epoll: number;
  readonly #waiting = new Map<ConnectAttempt, (result: ConnectResult) => void>();
  readonly #targets = new Map<ConnectAttempt, ConnectTarget>();
  readonly #localPorts = new LocalPorts();
  readonly #event = new DataView(new ArrayBuffer(eventLayout.size));
  readonly #eventBytes = new Uint8Array(this.#event.buffer);
  readonly #events = new DataView(new ArrayBuffer(eventsMax * eventLayout.size));
  readonly #eventsBytes = new Uint8Array(this.#events.buffer);

  /** Throws `SYSTEM_CALL`. */
  constructor() {
    this.#epoll = checked(libc.epoll_create1(epollCloseOnExec), 'epoll_create1');
  }

  /** Connections whose result is not known yet. */
  get pending(): number {
    return this.#waiting.size;
  }

  /**
   * Begins a connection. `onResult` is called once, by {@link collect} or before this returns.
   * Gives the attempt, or `undefined` when its result was told already.
   */
  begin(
    target: ConnectTarget,
    onResult: (result: ConnectResult) => void,
  ): ConnectAttempt | undefined {
    let fd: number;
    try {
      fd = openSocket(familyNumber(target.family), 'stream', tcp, {});
    } catch {
      onResult(failure('socket', lastErrno()));
      return undefined;
    }
    setSocketOption(fd, socketOption.linger, resetOnClose);
    if (libc.connect(fd, target.bytes, target.bytes.length) === 0) {
      this.#end(fd, target, 0, onResult);
      return undefined;
    }
    const errno = lastErrno();
    if (errno !== errnoInProgress) {
      closeDescriptor(fd);
      onResult(failure('connect', errno));
      return undefined;
    }
    this.#event.setUint32(0, eventOut, hostIsLittleEndian);
    this.#event.setInt32(eventLayout.fd, fd, hostIsLittleEndian);
    if (libc.epoll_ctl(this.#epoll, epollAdd, fd, this.#eventBytes) !== 0) {
      const refused = lastErrno();
      closeDescriptor(fd);
      onResult(failure('epoll_ctl', refused));
      return undefined;
    }
    this.#waiting.set(fd, onResult);
    this.#targets.set(fd, target);
    return fd;
  }

  /** Tells the results that are there, without waiting for more. */
  collect(): void {
    for (;;) {
      if (this.#waiting.size === 0) return;
      const count = libc.epoll_wait(this.#epoll, this.#eventsBytes, eventsMax, 0);
      if (count < 0) {
        const errno = lastErrno();
        if (errno === errnoInterrupted) continue;
        throw systemCallError('epoll_wait', errno);
      }
      // The numbers are taken out first, since a callback may begin or abandon connections.
      const ready = Array.from({ length: count }, (_, index) => {
        const at = index * eventLayout.size;
        const fd = this.#events.getInt32(at + eventLayout.fd, hostIsLittleEndian);
        const happened = this.#events.getUint32(at, hostIsLittleEndian);
        return { fd, failed: (happened & (eventError | eventHangUp)) !== 0 };
      });
      for (const { fd, failed } of ready) this.#settle(fd, failed);
      if (count < eventsMax) return;
    }
  }

  /** Gives a connection up; its result is not told. */
  abandon(attempt: ConnectAttempt): void {
    if (!this.#waiting.delete(attempt)) return;
    this.#targets.delete(attempt);
    closeDescriptor(attempt);
  }

  /** Gives everything up. */
  close(): void {
    for (const attempt of [...this.#waiting.keys()]) this.abandon(attempt);
    closeDescriptor(this.#epoll);
  }

  #settle(fd: ConnectAttempt, failed: boolean): void {
    const onResult = this.#waiting.get(fd);
    const target = this.#targets.get(fd);
    if (onResult === undefined || target === undefined) return;
    this.#waiting.delete(fd);
    this.#targets.delete(fd);
    this.#end(fd, target, failed ? readSocketOption(fd, socketOption.error) : 0, onResult);
  }

  #end(
    fd: number,
    target: ConnectTarget,
    errno: number,
    onResult: (result: ConnectResult) => void,
  ): void {
    const result: ConnectResult =
      errno !== 0
        ? failure('connect', errno)
        : this.#localPorts.include(target.port) && metItself(fd, target)
          ? { connected: false, call: 'connect', errnoName: 'ECONNREFUSED' }
          : { connected: true };
    closeDescriptor(fd);
    onResult(result);
  }
}

function failure(call: string, errno: number): ConnectResult {
  return { connected: false, call, errnoName: errnoName(errno) };
}

const nameBytes = new Uint8Array(internet6AddressStruct.size);
const nameLength = new Uint8Array(4);
const nameLengthView = new DataView(nameLength.buffer);

/**
 * A connection to a local port that nobody listens on succeeds when the kernel happens to pick that
 * very port as the source: TCP's simultaneous open, with itself.
 */
function metItself(fd: number, target: ConnectTarget): boolean {
  nameLengthView.setUint32(0, nameBytes.length, hostIsLittleEndian);
  if (libc.getsockname(fd, nameBytes, nameLength) !== 0) return false;
  const own = decodeSocketAddress(nameBytes, target.family);
  if (own.port !== target.port) return false;
  const addressAt = target.family === 4 ? 4 : 8;
  const end = addressAt + bitsOf(target.family) / 8;
  return (
    Buffer.compare(nameBytes.subarray(addressAt, end), target.bytes.subarray(addressAt, end)) === 0
  );
}
