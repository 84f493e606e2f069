/**
 * Short TCP connections, many at a time: each is opened, perhaps asked something, and reset. There
 * is one epoll for all of them, and none of the machinery that Node keeps for a socket.
 *
 * However a connection ends it is reset, so that neither a socket in TIME_WAIT nor a local port is
 * left behind.
 */
import { bitsOf, familyOf, type IpAddress } from '../wire/ipAddress.js';
import { errnoName } from './errnoName.js';
import { decodeSocketAddress, encodeSocketAddress, familyNumber } from './internetAddress.js';
import { internet6AddressStruct } from './linuxStructs.js';
import { LocalPorts } from './localPorts.js';
import { openProbeSocket } from './probeSocket.js';
import {
  messageNoSignal,
  openSocket,
  readSocketOption,
  setSocketOption,
  socketOption,
} from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';
import {
  checked,
  closeDescriptor,
  closeOnFailure,
  lastErrno,
  libc,
  systemCallError,
} from './systemCall.js';

const epollCloseOnExec = 0o2000000;
const epollAdd = 1;
const eventIn = 0x1;
const eventOut = 0x4;
const eventError = 0x8;
const eventHangUp = 0x10;
const eventPeerEnded = 0x2000;
const eventEdge = 0x80000000;
/** Each is told once, when it comes: so one call of epoll_ctl serves a connection for its life. */
const eventsWanted = eventIn | eventOut | eventPeerEnded | eventEdge;
const errnoAgain = 11;
const errnoInterrupted = 4;
const errnoRefused = 111;
const errnoInProgress = 115;
const tcp = 6;

/** struct epoll_event (eventpoll.h): it is packed on x86-64 alone. */
const eventLayout = process.arch === 'x64' ? { size: 12, fd: 4 } : { size: 16, fd: 8 };

/** Connections that one call of epoll_wait tells of; more are told by the next call. */
const eventsMax = 512;

/** struct linger (socket.h) with a time of 0: close() resets the connection. */
const resetOnClose = new Uint8Array(new Int32Array([1, 0]).buffer);

/** Bytes that one call of read takes. */
const readBytesMax = 65_536;

/** Where to connect to, and from where, in the form of the kernel; made once for many. */
export interface StreamTarget {
  readonly peer: IpAddress;
  readonly port: number;
  readonly source: IpAddress | undefined;
  readonly mark: number | undefined;
  readonly socketAddress: Uint8Array;
}

/** Makes a target. `source` and `mark` are those of {@link openProbeSocket}. */
export function streamTarget(
  peer: IpAddress,
  port: number,
  { source, mark }: { readonly source?: IpAddress; readonly mark?: number } = {},
): StreamTarget {
  return { peer, port, source, mark, socketAddress: encodeSocketAddress(peer, port) };
}

/** What is asked over a connection. */
export interface StreamExchange {
  readonly request: Uint8Array;
  /** Some of the answer; the bytes are valid during the call. Says whether more is wanted. */
  readonly received: (bytes: Uint8Array) => boolean;
  /** The other side has ended what it says; nothing is told after it. */
  readonly ended: () => void;
}

/** Who is told of a connection, never after it was abandoned. */
export interface StreamEvents {
  /** It is established. */
  readonly connected: () => void;
  /** A call failed, to connect or later; nothing is told after it. */
  readonly failed: (call: string, errnoName: string) => void;
  /** Absent: it is reset as soon as it is established. */
  readonly exchange?: StreamExchange;
}

/** A connection that was begun. */
export interface StreamAttempt {
  readonly fd: number;
}

interface Connection extends StreamAttempt {
  readonly target: StreamTarget;
  readonly events: StreamEvents;
  established: boolean;
  sentBytes: number;
}

/** Many connections that are begun and looked at together. Belongs to one thread. */
export class StreamPoller {
  readonly #epoll: number;
  readonly #connections = new Map<number, Connection>();
  readonly #localPorts = new LocalPorts();
  readonly #event = new DataView(new ArrayBuffer(eventLayout.size));
  readonly #eventBytes = new Uint8Array(this.#event.buffer);
  readonly #events = new DataView(new ArrayBuffer(eventsMax * eventLayout.size));
  readonly #eventsBytes = new Uint8Array(this.#events.buffer);
  readonly #readBytes = new Uint8Array(readBytesMax);

  /** Throws `SYSTEM_CALL`. */
  constructor() {
    this.#epoll = checked(libc.epoll_create1(epollCloseOnExec), 'epoll_create1');
  }

  /** Connections that are under way. */
  get pending(): number {
    return this.#connections.size;
  }

  /**
   * Begins a connection. What is to be told is told by {@link collect}, but for a call to connect
   * that fails at once: that is told before this returns, and `undefined` is given. Throws what
   * {@link openProbeSocket} throws.
   */
  begin(target: StreamTarget, events: StreamEvents): StreamAttempt | undefined {
    const fd = openStream(target);
    const { socketAddress } = target;
    if (libc.connect(fd, socketAddress, socketAddress.length) !== 0) {
      const errno = lastErrno();
      if (errno !== errnoInProgress) return refuse(fd, events, 'connect', errno);
    }
    this.#event.setUint32(0, eventsWanted, hostIsLittleEndian);
    this.#event.setInt32(eventLayout.fd, fd, hostIsLittleEndian);
    if (libc.epoll_ctl(this.#epoll, epollAdd, fd, this.#eventBytes) !== 0) {
      return refuse(fd, events, 'epoll_ctl', lastErrno());
    }
    const connection: Connection = { fd, target, events, established: false, sentBytes: 0 };
    this.#connections.set(fd, connection);
    return connection;
  }

  /** Goes on with the connections that something has happened to, without waiting for more. */
  collect(): void {
    while (this.#connections.size > 0) {
      const count = libc.epoll_wait(this.#epoll, this.#eventsBytes, eventsMax, 0);
      if (count < 0) {
        const errno = lastErrno();
        if (errno === errnoInterrupted) continue;
        throw systemCallError('epoll_wait', errno);
      }
      // They are looked up first: a callback may abandon connections, and begin others that get
      // the same descriptors.
      const ready = Array.from({ length: count }, (_, index) => {
        const at = index * eventLayout.size;
        const fd = this.#events.getInt32(at + eventLayout.fd, hostIsLittleEndian);
        const happened = this.#events.getUint32(at, hostIsLittleEndian);
        return { connection: this.#connections.get(fd), happened };
      });
      for (const { connection, happened } of ready) {
        if (connection !== undefined && this.#has(connection)) this.#goOn(connection, happened);
      }
      if (count < eventsMax) return;
    }
  }

  /** Gives a connection up: nothing more is told of it. */
  abandon(attempt: StreamAttempt): void {
    if (!this.#has(attempt)) return;
    this.#connections.delete(attempt.fd);
    closeDescriptor(attempt.fd);
  }

  /** Gives everything up. */
  close(): void {
    for (const connection of [...this.#connections.values()]) this.abandon(connection);
    closeDescriptor(this.#epoll);
  }

  #has(attempt: StreamAttempt): boolean {
    return this.#connections.get(attempt.fd) === attempt;
  }

  #goOn(connection: Connection, happened: number): void {
    const { exchange } = connection.events;
    if (!connection.established && !this.#establish(connection, happened)) return;
    if (exchange === undefined) return;
    const isUnsent = connection.sentBytes < exchange.request.length;
    if (isUnsent && (happened & eventOut) !== 0) this.#send(connection, exchange);
    if (!this.#has(connection)) return;
    const speaks = eventIn | eventPeerEnded | eventError | eventHangUp;
    if ((happened & speaks) !== 0) this.#read(connection, exchange, happened);
  }

  /** Says whether the connection is there, and is to go on. */
  #establish(connection: Connection, happened: number): boolean {
    const { fd, target, events } = connection;
    const hasFailed = (happened & (eventError | eventHangUp)) !== 0;
    const errno = hasFailed ? readSocketOption(fd, socketOption.error) : 0;
    if (errno !== 0) {
      this.#fail(connection, 'connect', errno);
      return false;
    }
    if (this.#localPorts.include(target.port) && metItself(fd, target)) {
      this.#fail(connection, 'connect', errnoRefused);
      return false;
    }
    connection.established = true;
    if (events.exchange === undefined) this.abandon(connection);
    events.connected();
    return this.#has(connection);
  }

  #send(connection: Connection, exchange: StreamExchange): void {
    const { fd, sentBytes } = connection;
    const rest = exchange.request.subarray(sentBytes);
    const sent = libc.send(fd, rest, rest.length, messageNoSignal);
    if (sent >= 0) {
      connection.sentBytes += sent;
      return;
    }
    const errno = lastErrno();
    if (errno === errnoAgain) return;
    // The other side may have answered before it closed: what it said counts, not that it did.
    this.#read(connection, exchange, eventHangUp);
    if (this.#has(connection)) this.#fail(connection, 'write', errno);
  }

  #read(connection: Connection, exchange: StreamExchange, happened: number): void {
    const { fd } = connection;
    const mayBeTheEnd = (happened & ~(eventIn | eventOut)) !== 0;
    for (;;) {
      const count = libc.read(fd, this.#readBytes, readBytesMax);
      if (count > 0) {
        const wantsMore = exchange.received(this.#readBytes.subarray(0, count));
        if (!wantsMore) this.abandon(connection);
        if (!this.#has(connection)) return;
        // What comes after a short read is told as a new event.
        if (count < readBytesMax && !mayBeTheEnd) return;
      } else if (count === 0) {
        this.abandon(connection);
        exchange.ended();
        return;
      } else {
        const errno = lastErrno();
        if (errno === errnoAgain) return;
        if (errno === errnoInterrupted) continue;
        this.#fail(connection, 'read', errno);
        return;
      }
    }
  }

  #fail(connection: Connection, call: string, errno: number): void {
    this.abandon(connection);
    connection.events.failed(call, errnoName(errno));
  }
}

function openStream({ peer, source, mark }: StreamTarget): number {
  const plain = source === undefined && mark === undefined;
  const fd = plain
    ? openSocket(familyNumber(familyOf(peer)), 'stream', tcp, {})
    : openProbeSocket('stream', { peer, ...(source && { source }), ...(mark && { mark }) });
  return closeOnFailure(fd, () => {
    setSocketOption(fd, socketOption.linger, resetOnClose);
    return fd;
  });
}

function refuse(fd: number, events: StreamEvents, call: string, errno: number): undefined {
  closeDescriptor(fd);
  events.failed(call, errnoName(errno));
}

const nameBytes = new Uint8Array(internet6AddressStruct.size);
const nameLength = new Uint8Array(4);
const nameLengthView = new DataView(nameLength.buffer);

/**
 * A connection to a local port that nobody listens on succeeds when the kernel happens to pick that
 * very port as the source: TCP's simultaneous open, with itself.
 */
function metItself(fd: number, { peer, port, socketAddress }: StreamTarget): boolean {
  const family = familyOf(peer);
  nameLengthView.setUint32(0, nameBytes.length, hostIsLittleEndian);
  if (libc.getsockname(fd, nameBytes, nameLength) !== 0) return false;
  const own = decodeSocketAddress(nameBytes, family);
  if (own.port !== port) return false;
  const addressAt = family === 4 ? 4 : 8;
  const end = addressAt + bitsOf(family) / 8;
  return (
    Buffer.compare(nameBytes.subarray(addressAt, end), socketAddress.subarray(addressAt, end)) === 0
  );
}
