/**
 * Many datagrams of IPv4 in one call of the kernel (recvmmsg(2), sendmmsg(2)), on a socket that
 * Node has opened. Node makes a call, a buffer and a turn of its loop for each, which costs far
 * more than what is in them when they come by the thousand.
 *
 * As in `socketMessage.ts` all pieces point at each other by address, so they live in one
 * ArrayBuffer that is made once.
 */
import koffi from 'koffi';
import { internetAddressStruct, messageHeaderStruct, vectorStruct } from './linuxStructs.js';
import { hostIsLittleEndian } from './structLayout.js';
import { lastErrno, libc } from './systemCall.js';

/** Datagrams of one call. */
export const batchDatagramsMax = 64;

/** The longest datagram of a batch, in bytes: more than Ethernet carries in one packet. */
export const batchDatagramBytesMax = 2_048;

/** struct mmsghdr (socket.h): a header and the length that was moved, aligned to 8. */
const entryBytes = messageHeaderStruct.size + 8;
const nameBytes = internetAddressStruct.size;

const vectorsAt = entryBytes * batchDatagramsMax;
const namesAt = vectorsAt + vectorStruct.size * batchDatagramsMax;
const dataAt = namesAt + nameBytes * batchDatagramsMax;

const dontWait = 0x40;
const errnoInterrupted = 4;

/** The reusable memory of batches: one for those that are sent, another for those that come. */
export class DatagramBatch {
  readonly #memory = new ArrayBuffer(dataAt + batchDatagramBytesMax * batchDatagramsMax);
  readonly #bytes = new Uint8Array(this.#memory);
  readonly #view = new DataView(this.#memory);
  #lastSender = -1;
  #lastSenderText = '';

  constructor() {
    const start = koffi.address(this.#memory);
    const at = (offset: number): bigint => start + BigInt(offset);
    for (let index = 0; index < batchDatagramsMax; index += 1) {
      const header = {
        name: at(namesAt + nameBytes * index),
        nameLength: nameBytes,
        vectors: at(vectorsAt + vectorStruct.size * index),
        vectorCount: 1,
      };
      const base = at(dataAt + batchDatagramBytesMax * index);
      const vector = { base, length: batchDatagramBytesMax };
      this.#bytes.set(messageHeaderStruct.encode(header), entryBytes * index);
      this.#bytes.set(vectorStruct.encode(vector), vectorsAt + vectorStruct.size * index);
    }
  }

  /** Takes what waits, at most a batch: how many datagrams, or the negative errno. */
  receive(fd: number): number {
    // The kernel writes the length of every sender's address, which is what stands there already.
    for (;;) {
      const count = libc.recvmmsg(fd, this.#bytes, batchDatagramsMax, dontWait, null);
      if (count >= 0) return count;
      const errno = lastErrno();
      if (errno !== errnoInterrupted) return -errno;
    }
  }

  /** A datagram that was received; its bytes are good until the next call. */
  datagram(index: number): Uint8Array {
    const lengthAt = entryBytes * index + messageHeaderStruct.size;
    const length = this.#view.getUint32(lengthAt, hostIsLittleEndian);
    const at = dataAt + batchDatagramBytesMax * index;
    return this.#bytes.subarray(at, at + length);
  }

  /** Where it came from, as `address:port`. */
  sender(index: number): string {
    const at = namesAt + nameBytes * index;
    const { address, port } = internetAddressStruct.offsets;
    const portNumber = this.#view.getUint16(at + port);
    const sender = this.#view.getUint32(at + address) * 0x1_0000 + portNumber;
    if (sender !== this.#lastSender) {
      // Most come from one sender, so the text is seldom made.
      this.#lastSender = sender;
      const octets = this.#bytes.subarray(at + address, at + address + 4);
      this.#lastSenderText = `${octets.join('.')}:${portNumber}`;
    }
    return this.#lastSenderText;
  }

  /** Puts a datagram at its place, for a struct sockaddr_in. Throws RangeError when too long. */
  put(index: number, datagram: Uint8Array, target: Uint8Array): void {
    if (datagram.length > batchDatagramBytesMax) {
      throw new RangeError(`a datagram of ${datagram.length} bytes does not go in a batch`);
    }
    this.#bytes.set(datagram, dataAt + batchDatagramBytesMax * index);
    this.#bytes.set(target, namesAt + nameBytes * index);
    const lengthAt = vectorsAt + vectorStruct.size * index + vectorStruct.offsets.length;
    this.#view.setBigInt64(lengthAt, BigInt(datagram.length), hostIsLittleEndian);
  }

  /** Sends the datagrams from `first` up to `end`: how many went, or the negative errno. */
  send(fd: number, first: number, end: number): number {
    const entries = this.#bytes.subarray(entryBytes * first);
    for (;;) {
      const sent = libc.sendmmsg(fd, entries, end - first, dontWait);
      if (sent >= 0) return sent;
      const errno = lastErrno();
      if (errno !== errnoInterrupted) return -errno;
    }
  }
}
