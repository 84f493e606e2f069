/**
 * One msghdr with its iovec, address, control data and payload in a single piece of memory.
 *
 * The pieces point at each other by address, so they live in one ArrayBuffer, whose memory V8
 * never moves. It is made once and used for every call: receiving allocates nothing but the copy
 * that the caller takes.
 */
import koffi from 'koffi';
import { controlHeaderStruct, messageHeaderStruct, vectorStruct } from './linuxStructs.js';
import { hostIsLittleEndian } from './structLayout.js';
import { lastErrno, libc } from './systemCall.js';

const nameBytes = 128;
const controlBytes = 256;
/** The largest IP packet, or a frame that the card has coalesced to that size. */
const dataBytes = 65_536 + 64;
/** The payload was longer than the memory given. */
const messageTruncated = 0x20;
const errnoInterrupted = 4;

const vectorAt = messageHeaderStruct.size;
const nameAt = vectorAt + vectorStruct.size;
const controlAt = Math.ceil((nameAt + nameBytes) / 8) * 8;
const dataAt = controlAt + controlBytes;

/** A reusable message; see the head of this file. */
export class SocketMessage {
  /** Address of the sender or receiver. */
  readonly name: Uint8Array;
  readonly nameView: DataView;
  readonly control: Uint8Array;
  readonly controlView: DataView;
  readonly data: Uint8Array;
  readonly #memory = new ArrayBuffer(dataAt + dataBytes);
  readonly #view = new DataView(this.#memory);
  readonly #header = new Uint8Array(this.#memory, 0, messageHeaderStruct.size);

  constructor() {
    this.name = new Uint8Array(this.#memory, nameAt, nameBytes);
    this.nameView = new DataView(this.#memory, nameAt, nameBytes);
    this.control = new Uint8Array(this.#memory, controlAt, controlBytes);
    this.controlView = new DataView(this.#memory, controlAt, controlBytes);
    this.data = new Uint8Array(this.#memory, dataAt, dataBytes);
    const address = koffi.address(this.#memory);
    const vector = { base: address + BigInt(dataAt) };
    const header = {
      name: address + BigInt(nameAt),
      vectors: address + BigInt(vectorAt),
      vectorCount: 1,
      control: address + BigInt(controlAt),
    };
    this.#header.set(messageHeaderStruct.encode(header));
    new Uint8Array(this.#memory).set(vectorStruct.encode(vector), vectorAt);
  }

  /** Receives one datagram into `data`: its length, or the negative errno. */
  receive(fd: number): number {
    for (;;) {
      this.#setLengths(nameBytes, controlBytes, dataBytes);
      const length = libc.recvmsg(fd, this.#header, 0);
      if (length >= 0) return length;
      const errno = lastErrno();
      if (errno !== errnoInterrupted) return -errno;
    }
  }

  /** Sends what lies in `data`, `name` and `control`: the length sent, or the negative errno. */
  send(
    fd: number,
    lengths: { readonly name: number; readonly control: number; readonly data: number },
  ): number {
    for (;;) {
      this.#setLengths(lengths.name, lengths.control, lengths.data);
      const length = libc.sendmsg(fd, this.#header, 0);
      if (length >= 0) return length;
      const errno = lastErrno();
      if (errno !== errnoInterrupted) return -errno;
    }
  }

  /** Whether the datagram just received was longer than `data`. */
  get truncated(): boolean {
    const flags = this.#view.getInt32(messageHeaderStruct.offsets.flags, hostIsLittleEndian);
    return (flags & messageTruncated) !== 0;
  }

  /** Where in `control` the data of a control message of the datagram just received starts. */
  findControl(level: number, type: number): number | undefined {
    const { offsets } = messageHeaderStruct;
    const end = Number(this.#view.getBigInt64(offsets.controlLength, hostIsLittleEndian));
    return findControl(this.controlView, end, level, type);
  }

  #setLengths(name: number, control: number, data: number): void {
    const { offsets } = messageHeaderStruct;
    this.#view.setUint32(offsets.nameLength, name, hostIsLittleEndian);
    this.#view.setBigInt64(offsets.controlLength, BigInt(control), hostIsLittleEndian);
    this.#view.setBigInt64(
      vectorAt + vectorStruct.offsets.length,
      BigInt(data),
      hostIsLittleEndian,
    );
  }
}

/** Where the data of a control message starts, among `end` bytes of control data. */
export function findControl(
  control: DataView,
  end: number,
  level: number,
  type: number,
): number | undefined {
  const { offsets, size } = controlHeaderStruct;
  for (let at = 0; at + size <= end; ) {
    const length = Number(control.getBigInt64(at + offsets.length, hostIsLittleEndian));
    if (length < size || at + length > end) return undefined;
    const found =
      control.getInt32(at + offsets.level, hostIsLittleEndian) === level &&
      control.getInt32(at + offsets.type, hostIsLittleEndian) === type;
    if (found) return at + size;
    at += Math.ceil(length / 8) * 8;
  }
  return undefined;
}

/** One control message with its header. */
export function encodeControl(level: number, type: number, data: Uint8Array): Uint8Array {
  const length = controlHeaderStruct.size + data.length;
  const bytes = new Uint8Array(Math.ceil(length / 8) * 8);
  bytes.set(controlHeaderStruct.encode({ length, level, type }));
  bytes.set(data, controlHeaderStruct.size);
  return bytes;
}

/**
 * The message that all sockets of this thread receive into. Nothing runs between a receive and
 * the copy of what it brought, so one is enough.
 */
export const receiveMessage = new SocketMessage();
