/**
 * Synchronous requests over a netlink socket: one answer, a dump, or a batch.
 *
 * Each message has a sequence number of its own, so that an answer that comes after its request
 * was given up is recognised and dropped.
 */
import {
  type NetlinkMessage,
  parseAttributes,
  parseError,
  parseMessages,
} from 'netlink/dist/structs.js';
import { TandemError } from '../errors.js';
import { nowUs } from './monotonicClock.js';
import { NetlinkSocket, type netlinkFamily, overrun } from './netlinkSocket.js';
import { hostIsLittleEndian, structLayout } from './structLayout.js';
import { systemCallError } from './systemCall.js';

/** How long the kernel may take to answer, in microseconds. */
export const answerWaitMaxUs = 2_000_000;
/** A dump that changed while it was read is read again, at most so often. */
const dumpAttemptsMax = 5;
/** Messages of one sendmsg; a longer batch is sent in several. */
export const windowMessagesMax = 1024;
/** What one answer takes of the receive buffer at most, with the kernel's overhead. */
const answerBufferBytes = 2048;

const sequenceMax = 0xffff_ffff;

/** Message flags (netlink.h). */
export const messageFlag = {
  request: 0x1,
  acknowledge: 0x4,
  dumpInterrupted: 0x10,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const;

const messageType = { error: 2, done: 3 } as const;
const flagCapped = 0x100;
const flagAttributes = 0x200;
/** struct nlmsghdr (netlink.h). */
const messageHeader = structLayout({
  length: 'u32',
  type: 'u16',
  flags: 'u16',
  sequence: 'u32',
  port: 'u32',
});
const netlinkHeaderBytes = messageHeader.size;
/** Attribute of an error that holds the kernel's own words (NLMSGERR_ATTR_MSG). */
const errorTextAttribute = 1;

/** One message to send. */
export interface NetlinkRequest {
  /** Message type, for example RTM_NEWADDR. */
  readonly type: number;
  /** Flags beside NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags?: number;
  readonly payload: Uint8Array;
  /** The name of the message, for errors. */
  readonly name: string;
  /** What it is about, for errors, for example `add 192.0.2.1/24`. */
  readonly context: string;
}

/** A failure that the kernel reported: the positive errno and its words, if any. */
interface KernelRefusal {
  readonly errno: number;
  readonly text: string | undefined;
}

/** Sends requests and waits for their answers. */
export class NetlinkRequester {
  readonly #socket: NetlinkSocket;
  readonly #windowMessages: number;
  #sequence = 0;

  constructor(family: keyof typeof netlinkFamily) {
    this.#socket = new NetlinkSocket(family);
    const roomFor = Math.floor(this.#socket.receiveBufferBytes / answerBufferBytes);
    this.#windowMessages = Math.max(1, Math.min(windowMessagesMax, roomFor));
  }

  /** Sends a change and waits until it is done. Throws what the kernel refused it with. */
  change(request: NetlinkRequest): void {
    const [failure] = this.batch([request]);
    if (failure !== undefined) throw failure;
  }

  /**
   * Sends changes in one call (in several beyond {@link windowMessagesMax}) and returns a result
   * for each, `undefined` for success.
   *
   * Only the last message asks for an acknowledgement: the kernel works in order and reports
   * every failure unasked, so that a batch without failures costs one answer.
   */
  batch(requests: readonly NetlinkRequest[]): (TandemError | undefined)[] {
    const results: (TandemError | undefined)[] = [];
    for (let start = 0; start < requests.length; start += this.#windowMessages) {
      results.push(...this.#window(requests.slice(start, start + this.#windowMessages)));
    }
    return results;
  }

  /** Writes the messages of a batch and sends none of them. */
  rehearse(requests: readonly NetlinkRequest[]): void {
    encodeAll(requests, 0);
  }

  /** Sends a request that is answered by one message. Throws what the kernel refused it with. */
  query<T>(request: NetlinkRequest, read: (message: NetlinkMessage) => T): T {
    const sequence = this.#reserve(1);
    this.#socket.send(encode(request, sequence, messageFlag.request));
    let answer: { readonly value: T } | undefined;
    this.#receive(request, (message) => {
      if (message.seq !== sequence) return false;
      if (message.type === messageType.error) throwRefusal(request, message);
      answer = { value: read(message) };
      return true;
    });
    if (answer === undefined) throw new TandemError('INTERNAL', `${request.name}: no answer read`);
    return answer.value;
  }

  /** Reads a list from the kernel; `read` may return `undefined` for what does not belong. */
  dump<T>(request: NetlinkRequest, read: (message: NetlinkMessage) => T | undefined): T[] {
    for (let attempt = 1; attempt < dumpAttemptsMax; attempt += 1) {
      const { entries, interrupted } = this.#dumpOnce(request, read);
      if (!interrupted) return entries;
    }
    // The list never stood still. The last reading is the best there is.
    return this.#dumpOnce(request, read).entries;
  }

  close(): void {
    this.#socket.close();
  }

  #dumpOnce<T>(request: NetlinkRequest, read: (message: NetlinkMessage) => T | undefined) {
    const sequence = this.#reserve(1);
    this.#socket.send(encode(request, sequence, messageFlag.request | messageFlag.dump));
    const entries: T[] = [];
    let interrupted = false;
    this.#receive(request, (message) => {
      if (message.seq !== sequence) return false;
      if ((message.flags & messageFlag.dumpInterrupted) !== 0) interrupted = true;
      if (message.type === messageType.error) throwRefusal(request, message);
      if (message.type === messageType.done) return true;
      const entry = read(message);
      if (entry !== undefined) entries.push(entry);
      return false;
    });
    return { entries, interrupted };
  }

  #window(requests: readonly NetlinkRequest[]): (TandemError | undefined)[] {
    const last = requests.at(-1);
    if (last === undefined) return [];
    const first = this.#reserve(requests.length);
    this.#socket.send(encodeAll(requests, first));
    const results = requests.map((): TandemError | undefined => undefined);
    this.#receive(last, (message) => {
      const index = message.seq - first;
      const request = requests[index];
      if (request === undefined || message.type !== messageType.error) return false;
      const refusal = readRefusal(message);
      if (refusal.errno !== 0) results[index] = refusalError(request, refusal);
      return index === requests.length - 1;
    });
    return results;
  }

  /** Hands messages to `take` until it says that the last one has come. */
  #receive(request: NetlinkRequest, take: (message: NetlinkMessage) => boolean): void {
    const deadlineUs = nowUs() + answerWaitMaxUs;
    for (;;) {
      const datagram = this.#socket.receiveBefore(deadlineUs);
      if (datagram === undefined || datagram === overrun) {
        throw new TandemError(
          'NETLINK_TIMEOUT',
          `${request.name} (${request.context}): ${
            datagram === overrun
              ? 'answers were lost, the receive buffer was full'
              : `no answer within ${answerWaitMaxUs / 1000} ms`
          }`,
        );
      }
      let done = false;
      for (const message of parseMessages(datagram)) done = take(message) || done;
      if (done) return;
    }
  }

  /** Takes consecutive sequence numbers and returns the first; they start anew before 2^32. */
  #reserve(count: number): number {
    if (this.#sequence + count > sequenceMax) this.#sequence = 0;
    const first = this.#sequence + 1;
    this.#sequence += count;
    return first;
  }
}

/** Messages one after the other, with consecutive numbers; the last one is to be acknowledged. */
function encodeAll(requests: readonly NetlinkRequest[], firstSequence: number): Uint8Array {
  const bytes = new Uint8Array(requests.reduce((sum, each) => sum + messageBytes(each), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, request] of requests.entries()) {
    const acknowledge = index === requests.length - 1 ? messageFlag.acknowledge : 0;
    const flags = messageFlag.request | acknowledge;
    at = writeMessage(bytes, view, at, { request, sequence: firstSequence + index, flags });
  }
  return bytes;
}

/** One message. */
function encode(request: NetlinkRequest, sequence: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(messageBytes(request));
  writeMessage(bytes, new DataView(bytes.buffer), 0, { request, sequence, flags });
  return bytes;
}

/** Writes a message with its header (struct nlmsghdr); returns where the next one begins. */
function writeMessage(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  message: {
    readonly request: NetlinkRequest;
    readonly sequence: number;
    readonly flags: number;
  },
): number {
  const { request, sequence, flags } = message;
  const { offsets, size } = messageHeader;
  view.setUint32(at + offsets.length, size + request.payload.length, hostIsLittleEndian);
  view.setUint16(at + offsets.type, request.type, hostIsLittleEndian);
  view.setUint16(at + offsets.flags, flags | (request.flags ?? 0), hostIsLittleEndian);
  view.setUint32(at + offsets.sequence, sequence, hostIsLittleEndian);
  bytes.set(request.payload, at + size);
  return at + messageBytes(request);
}

/** The length of a message; the next one begins at a multiple of four. */
function messageBytes({ payload }: NetlinkRequest): number {
  return Math.ceil((messageHeader.size + payload.length) / 4) * 4;
}

function throwRefusal(request: NetlinkRequest, message: NetlinkMessage): void {
  const refusal = readRefusal(message);
  if (refusal.errno !== 0) throw refusalError(request, refusal);
}

function refusalError(request: NetlinkRequest, refusal: KernelRefusal): TandemError {
  const context =
    refusal.text === undefined ? request.context : `${request.context}; kernel: ${refusal.text}`;
  return systemCallError(request.name, refusal.errno, { context, capability: 'CAP_NET_ADMIN' });
}

/** Reads NLMSG_ERROR: errno 0 is an acknowledgement. */
function readRefusal(message: NetlinkMessage): KernelRefusal {
  const { errno, header } = parseError(message.data, message.flags);
  let text: string | undefined;
  if ((message.flags & flagAttributes) !== 0) {
    const echoed = (message.flags & flagCapped) === 0 ? header.length : netlinkHeaderBytes;
    const attributesAt = 4 + Math.ceil(echoed / 4) * 4;
    parseAttributes(message.data.subarray(attributesAt), (attribute) => {
      if (attribute.type !== errorTextAttribute) return;
      text = attribute.data.toString('utf8').replace(/\0.*$/s, '');
    });
  }
  return { errno: Math.abs(errno), text };
}
