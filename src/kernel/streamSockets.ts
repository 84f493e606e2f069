/**
 * Sockets for short TCP connections, each used for one after the other. A call of connect(2) with
 * AF_UNSPEC dissolves a connection, with a reset where there was one, and the socket may connect
 * anew: one system call in place of those that open, prepare, watch and close a socket.
 */
import { bitsOf, familyOf, type IpAddress } from '../wire/ipAddress.js';
import { decodeSocketAddress, encodeSocketAddress, familyNumber } from './internetAddress.js';
import { internet6AddressStruct } from './linuxStructs.js';
import { openProbeSocket } from './probeSocket.js';
import { openSocket, setSocketOption, socketOption } from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';
import { closeDescriptor, closeOnFailure, libc } from './systemCall.js';

/** So many sockets without a connection are kept. */
export const idleStreamSocketsMax = 128;

const tcp = 6;

/** struct linger (socket.h) with a time of 0: close() resets the connection. */
const resetOnClose = new Uint8Array(new Int32Array([1, 0]).buffer);

/** A struct sockaddr of the family AF_UNSPEC, which is 0. */
const nowhere = new Uint8Array(16);

/** Where to connect to, and from where, in the form of the kernel; made once for many. */
export interface StreamTarget {
  readonly peer: IpAddress;
  readonly port: number;
  readonly source: IpAddress | undefined;
  readonly mark: number | undefined;
  readonly socketAddress: Uint8Array;
  /**
   * Targets with the same kind may use the same sockets. `undefined`: none is used again, because
   * it is bound to an address that may have left this machine since.
   */
  readonly socketKind: string | undefined;
}

/** Makes a target. `source` and `mark` are those of {@link openProbeSocket}. */
export function streamTarget(
  peer: IpAddress,
  port: number,
  { source, mark }: { readonly source?: IpAddress; readonly mark?: number } = {},
): StreamTarget {
  const socketAddress = encodeSocketAddress(peer, port);
  const socketKind = source === undefined ? `${familyOf(peer)} ${mark ?? ''}` : undefined;
  return { peer, port, source, mark, socketAddress, socketKind };
}

/** The sockets that have no connection at the moment. */
export class StreamSockets {
  readonly #idle = new Map<string, number[]>();
  #idleCount = 0;

  /** One that may connect to the target; `undefined` when there is none, see {@link openStream}. */
  take({ socketKind }: StreamTarget): number | undefined {
    if (socketKind === undefined) return undefined;
    const fd = this.#idle.get(socketKind)?.pop();
    if (fd !== undefined) this.#idleCount -= 1;
    return fd;
  }

  /** Resets the connection, and keeps the socket or closes it. */
  release(fd: number, { socketKind }: StreamTarget): void {
    const isKept =
      socketKind !== undefined &&
      this.#idleCount < idleStreamSocketsMax &&
      libc.connect(fd, nowhere, nowhere.length) === 0;
    if (!isKept) {
      closeDescriptor(fd);
      return;
    }
    const idle = this.#idle.get(socketKind);
    if (idle === undefined) this.#idle.set(socketKind, [fd]);
    else idle.push(fd);
    this.#idleCount += 1;
  }

  /** Closes all that are kept. */
  close(): void {
    for (const fd of [...this.#idle.values()].flat()) closeDescriptor(fd);
    this.#idle.clear();
    this.#idleCount = 0;
  }
}

/** Opens a socket that may connect to the target. Throws what {@link openProbeSocket} throws. */
export function openStream({ peer, source, mark }: StreamTarget): number {
  const plain = source === undefined && mark === undefined;
  const fd = plain
    ? openSocket(familyNumber(familyOf(peer)), 'stream', tcp, {})
    : openProbeSocket('stream', { peer, ...(source && { source }), ...(mark && { mark }) });
  return closeOnFailure(fd, () => {
    setSocketOption(fd, socketOption.linger, resetOnClose);
    return fd;
  });
}

const nameBytes = new Uint8Array(internet6AddressStruct.size);
const nameLength = new Uint8Array(4);
const nameLengthView = new DataView(nameLength.buffer);

/**
 * A connection to a local port that nobody listens on succeeds when the kernel happens to pick that
 * very port as the source: TCP's simultaneous open, with itself.
 */
export function metItself(fd: number, { peer, port, socketAddress }: StreamTarget): boolean {
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
