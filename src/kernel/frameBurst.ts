/**
 * Many link-layer frames in one call of the kernel (sendmmsg(2)): a takeover of hundreds of
 * addresses tells of each, and a call for each would cost as much as the sending itself.
 *
 * As in `socketMessage.ts` all pieces point at each other by address, so they live in one
 * ArrayBuffer that is made once.
 */
import koffi from 'koffi';
import { linkAddressStruct, messageHeaderStruct, vectorStruct } from './linuxStructs.js';
import { addressFamily } from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';
import { lastErrno, libc } from './systemCall.js';

/** Frames of one call. */
export const burstFramesMax = 64;

/** The longest frame that goes in a burst; a neighbor advertisement has 86 bytes. */
export const burstFrameBytesMax = 128;

/** struct mmsghdr (socket.h): a header and the length that was sent, aligned to 8. */
const entryBytes = messageHeaderStruct.size + 8;
const addressBytes = 32;
const addressLength = linkAddressStruct.size;

const vectorsAt = entryBytes * burstFramesMax;
const addressesAt = vectorsAt + vectorStruct.size * burstFramesMax;
const framesAt = addressesAt + addressBytes * burstFramesMax;

const errnoInterrupted = 4;

/** The reusable memory of a burst. */
class FrameBurst {
  readonly #memory = new ArrayBuffer(framesAt + burstFrameBytesMax * burstFramesMax);
  readonly #bytes = new Uint8Array(this.#memory);
  readonly #view = new DataView(this.#memory);
  /** Where the frame at each place goes, as it was written there last. */
  readonly #destinations = new Array<number>(burstFramesMax).fill(-1);

  constructor() {
    const base = koffi.address(this.#memory);
    const at = (offset: number): bigint => base + BigInt(offset);
    for (let index = 0; index < burstFramesMax; index += 1) {
      const header = {
        name: at(addressesAt + addressBytes * index),
        nameLength: addressLength,
        vectors: at(vectorsAt + vectorStruct.size * index),
        vectorCount: 1,
      };
      const vector = { base: at(framesAt + burstFrameBytesMax * index) };
      this.#bytes.set(messageHeaderStruct.encode(header), entryBytes * index);
      this.#bytes.set(vectorStruct.encode(vector), vectorsAt + vectorStruct.size * index);
    }
  }

  /** Puts a frame at its place. Throws RangeError when it is too long. */
  put(index: number, frame: Uint8Array, interfaceIndex: number): void {
    if (frame.length > burstFrameBytesMax) {
      throw new RangeError(`a frame of ${frame.length} bytes does not go in a burst`);
    }
    this.#bytes.set(frame, framesAt + burstFrameBytesMax * index);
    const destination = interfaceIndex * 0x1_0000 + etherTypeOf(frame);
    if (this.#destinations[index] !== destination) {
      this.#destinations[index] = destination;
      this.#bytes.set(frameAddress(frame, interfaceIndex), addressesAt + addressBytes * index);
    }
    const lengthAt = vectorsAt + vectorStruct.size * index + vectorStruct.offsets.length;
    this.#view.setBigInt64(lengthAt, BigInt(frame.length), hostIsLittleEndian);
  }

  /** Sends the frames from `first` on: how many went, or the negative errno of the first. */
  send(fd: number, first: number, count: number): number {
    const entries = this.#bytes.subarray(entryBytes * first);
    for (;;) {
      const sent = libc.sendmmsg(fd, entries, count - first, 0);
      if (sent >= 0) return sent;
      const errno = lastErrno();
      if (errno !== errnoInterrupted) return -errno;
    }
  }
}

/** Where a frame goes (struct sockaddr_ll): to an interface, as of the type that it says itself. */
export function frameAddress(frame: Uint8Array, interfaceIndex: number): Uint8Array {
  const protocol = etherTypeOf(frame);
  return linkAddressStruct.encode({ family: addressFamily.packet, protocol, interfaceIndex });
}

function etherTypeOf(frame: Uint8Array): number {
  return ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
}

const burst = new FrameBurst();

/**
 * Sends frames of one interface by a packet socket, in their order. One result for each: 0, or the
 * errno that it was refused with, whatever became of the others.
 */
export function sendFrames(
  fd: number,
  interfaceIndex: number,
  frames: readonly Uint8Array[],
): readonly number[] {
  const results: number[] = [];
  for (let start = 0; start < frames.length; start += burstFramesMax) {
    const part = frames.slice(start, start + burstFramesMax);
    for (const [index, frame] of part.entries()) burst.put(index, frame, interfaceIndex);
    for (let next = 0; next < part.length; ) {
      const sent = burst.send(fd, next, part.length);
      // A refusal is of the first frame only; the others are tried without it.
      const done = sent > 0 ? sent : 1;
      for (let each = 0; each < done; each += 1) results.push(sent > 0 ? 0 : -sent);
      next += done;
    }
  }
  return results;
}
