/**
 * Generic netlink: family lookup, requests, dumps, and windows of many requests.
 *
 * The kernel handles generic netlink inside the send call, in order, so every answer is queued
 * when it returns. Only the last request of a window asks for an acknowledgement; refusals come
 * unasked. Answers that do not fit the socket's receive buffer are lost (ENOBUFS); the caller
 * learns of each lost answer and must look at the kernel's state to know what happened.
 *
 * The `netlink` package is not used here: an overrun makes its native part end the process (version
 * 0.3.0), libuv would only add a turn of the event loop to answers that are there already, and its
 * message format makes several objects of each of ten thousand messages.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { TandemError } from '../errors.js';
import {
  controlAttributes,
  controlCommands,
  controlFamilyId,
} from '../wire/genericNetlinkControl.js';
import { decodeAttributes, encodeAttributes, hostU32Of } from '../wire/netlinkAttributes.js';
import { errnoName } from './errnoName.js';
import { nowUs } from './monotonicClock.js';
import { messageFlag } from './netlinkRequest.js';
import { NetlinkSocket, overrun } from './netlinkSocket.js';
import { setSocketOption, socketOption } from './socketOptions.js';
import { hostIsLittleEndian, structLayout } from './structLayout.js';

/** Most requests that are sent before their answers are read. */
export const windowRequestsMax = 100;

/** Most exchanges that wait for the one before them; more are refused. */
export const waitingExchangesMax = 256;

/** Most answers that one dump may have; a longer one is given up as lost. */
export const dumpMessagesMax = 1_000_000;

/** One request to a family. */
export interface GenericRequest {
  readonly command: number;
  /** The attributes. */
  readonly payload: Uint8Array;
  /** Writes what is different from the payload over the copy of it that is sent, at an offset. */
  overwrite?(target: Uint8Array, at: number): void;
  /** Ask for every entry; such a request travels alone. */
  readonly dump: boolean;
  /**
   * Takes each answer at once, in place of the list of them. The bytes lie in memory that the next
   * receive overwrites. What it throws ends the exchange.
   */
  readonly onAnswer?: (payload: Uint8Array) => void;
}

/** What became of one request. */
export type ExchangeOutcome =
  /** The kernel did it; `answers` are the payloads behind the generic netlink headers. */
  | { readonly kind: 'done'; readonly answers: readonly Uint8Array[] }
  /** The kernel refused it. `errnoName` is for example `EEXIST`. */
  | { readonly kind: 'refused'; readonly errnoName: string }
  /** It was sent and the answer is missing: it may have been done or not. */
  | { readonly kind: 'lost'; readonly cause: LossCause };

/** Why an answer is missing: the receive buffer was full, or the kernel never answered. */
export type LossCause = 'overrun' | 'timeout';

/** Settings of a {@link GenericNetlink}. */
export interface GenericNetlinkOptions {
  /** Longest wait for all answers of one window or dump. */
  readonly timeoutMs?: number;
  /** Requests in a window, at most {@link windowRequestsMax}. */
  readonly windowRequests?: number;
  /** Receive buffer in bytes, which the kernel doubles. Absent: large enough for any window. */
  readonly receiveBufferBytes?: number;
}

const defaultTimeoutMs = 10_000;
const controlVersion = 1;
/** An answer that is not there after the send is looked for this often. */
const answerPollMs = 2;
/** Datagrams that are read before the event loop gets its turn. */
const datagramsPerTurn = 32;
const sequenceMax = 0xffff_ffff;
/** Messages of the netlink protocol itself (netlink.h). */
const messageType = { error: 2, done: 3 } as const;

/** A request under way of which something was heard. */
interface Slot {
  readonly answers: Uint8Array[];
  answerCount: number;
  outcome: ExchangeOutcome | undefined;
}

/** The requests of one send, in order. The last one ends the window. */
interface Window {
  readonly requests: readonly GenericRequest[];
  readonly firstSequence: number;
  /** One for each request that was heard of; of most there is nothing to hear. */
  readonly slots: (Slot | undefined)[];
}

/**
 * Opens a generic netlink socket in the network namespace of the calling thread, in which it
 * stays. Throws {@link TandemError} SYSTEM_CALL when there is no socket to be had.
 */
export function createGenericNetlink(options: GenericNetlinkOptions = {}): GenericNetlink {
  return new GenericNetlink(options);
}

/** A generic netlink socket. Exchanges run one after the other, in the order of the calls. */
export class GenericNetlink {
  readonly #socket = new NetlinkSocket('generic');
  readonly #timeoutMs: number;
  readonly #windowRequests: number;
  readonly #messages = new MessageWriter();
  #sequence = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  /** Use {@link createGenericNetlink}. */
  constructor(options: GenericNetlinkOptions) {
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#windowRequests = Math.min(options.windowRequests ?? windowRequestsMax, windowRequestsMax);
    if (options.receiveBufferBytes !== undefined) {
      setSocketOption(this.#socket.fd, socketOption.receiveBuffer, options.receiveBufferBytes);
    }
  }

  /**
   * The number of a family, `undefined` when the kernel has none of that name. The lookup makes
   * the kernel load the family's module, and needs no privilege.
   */
  async resolveFamily(name: string): Promise<number | undefined> {
    const payload = encodeAttributes(controlAttributes, { familyName: name });
    const [outcome] = await this.exchange(controlFamilyId, controlVersion, [
      { command: controlCommands.getFamily, payload, dump: false },
    ]);
    if (outcome?.kind === 'refused' && outcome.errnoName === 'ENOENT') return undefined;
    if (outcome?.kind !== 'done') throw lookupError(name, outcome);
    const [answer] = outcome.answers;
    return answer === undefined ? undefined : decodeAttributes(controlAttributes, answer).familyId;
  }

  /**
   * Sends requests in windows and gives the outcome of each, in order. A refused one does not stop
   * those after it. Those of a window are asked for when the one before it is over. Throws
   * {@link TandemError}: SYSTEM_CALL when the socket itself fails or is closed, NETLINK_TIMEOUT
   * when too many callers wait for it.
   */
  async exchange(
    familyId: number,
    version: number,
    requests: Iterable<GenericRequest>,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<readonly ExchangeOutcome[]> {
    if (this.#waiting >= waitingExchangesMax) {
      throw new TandemError('NETLINK_TIMEOUT', `more than ${waitingExchangesMax} requests wait`);
    }
    this.#waiting += 1;
    const turn = this.#tail.then(async () => {
      const outcomes: ExchangeOutcome[] = [];
      for (const window of splitIntoWindows(requests, this.#windowRequests)) {
        const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
        outcomes.push(...(await this.#exchangeWindow(familyId, version, window, timeoutMs)));
      }
      return outcomes;
    });
    this.#tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Closes the socket; an exchange under way fails. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  async #exchangeWindow(
    familyId: number,
    version: number,
    requests: readonly GenericRequest[],
    timeoutMs: number,
  ): Promise<readonly ExchangeOutcome[]> {
    this.#checkOpen();
    const firstSequence = this.#reserveSequences(requests.length);
    const window: Window = { requests, firstSequence, slots: requests.map(() => undefined) };
    const deadlineUs = nowUs() + timeoutMs * 1000;
    this.#socket.send(this.#messages.write(familyId, version, firstSequence, requests));
    const loss = await this.#receiveAnswers(window, deadlineUs);
    return window.slots.map((slot) => outcomeOf(slot, loss));
  }

  /** Reads until the window has ended. Gives why answers are missing, if any may be. */
  async #receiveAnswers(window: Window, deadlineUs: number): Promise<LossCause | undefined> {
    let overran = false;
    for (let datagrams = 1; ; datagrams += 1) {
      this.#checkOpen();
      const datagram = this.#socket.receive();
      if (datagram === overrun) {
        overran = true;
      } else if (datagram !== undefined) {
        const ended = takeAnswers(window, datagram);
        if (ended) return overran ? 'overrun' : undefined;
        if (datagrams % datagramsPerTurn === 0) await nextTurn();
      } else if (overran) {
        return 'overrun';
      } else if (nowUs() >= deadlineUs) {
        // Looked at after the socket, so that a stall of this process is not taken for a loss.
        return 'timeout';
      } else {
        await pause(answerPollMs);
      }
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new TandemError('SYSTEM_CALL', 'the netlink socket is closed');
  }

  /** Takes consecutive sequence numbers and gives the first; they start anew before 2^32. */
  #reserveSequences(count: number): number {
    if (this.#sequence + count > sequenceMax) this.#sequence = 0;
    const first = this.#sequence + 1;
    this.#sequence += count;
    return first;
  }
}

/** struct nlmsghdr (netlink.h), and struct genlmsghdr behind it (genetlink.h). */
const headerLayout = structLayout({
  length: 'u32',
  type: 'u16',
  flags: 'u16',
  sequence: 'u32',
  port: 'u32',
  command: 'u8',
  version: 'u8',
  reserved: 'u16',
});
const { offsets: headerAt, size: headerBytes } = headerLayout;
/** Where the payload of a message of the netlink protocol itself begins. */
const plainHeaderBytes = headerAt.command;

/** Writes messages into memory that each send uses anew. */
class MessageWriter {
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);

  /** Messages one behind the other, the last one to be acknowledged; gone with the next call. */
  write(
    familyId: number,
    version: number,
    firstSequence: number,
    requests: readonly GenericRequest[],
  ): Uint8Array {
    const room = requests.reduce((sum, { payload }) => sum + messageRoom(payload), 0);
    this.#reserve(room);
    const last = requests.at(-1);
    let at = 0;
    let sequence = firstSequence;
    for (const request of requests) {
      const { command, payload, dump } = request;
      const wish = dump ? messageFlag.dump : request === last ? messageFlag.acknowledge : 0;
      this.#view.setUint32(at + headerAt.length, headerBytes + payload.length, hostIsLittleEndian);
      this.#view.setUint16(at + headerAt.type, familyId, hostIsLittleEndian);
      this.#view.setUint16(at + headerAt.flags, messageFlag.request | wish, hostIsLittleEndian);
      this.#view.setUint32(at + headerAt.sequence, sequence, hostIsLittleEndian);
      this.#view.setUint32(at + headerAt.port, 0);
      this.#view.setUint32(at + headerAt.command, 0);
      this.#view.setUint8(at + headerAt.command, command);
      this.#view.setUint8(at + headerAt.version, version);
      const end = at + headerBytes + payload.length;
      this.#bytes.set(payload, at + headerBytes);
      request.overwrite?.(this.#bytes, at + headerBytes);
      at += messageRoom(payload);
      this.#bytes.fill(0, end, at);
      sequence += 1;
    }
    return this.#bytes.subarray(0, room);
  }

  #reserve(room: number): void {
    if (this.#bytes.length >= room) return;
    this.#bytes = new Uint8Array(room * 2);
    this.#view = new DataView(this.#bytes.buffer);
  }
}

/** What a message takes; the next one begins at a multiple of four. */
function messageRoom(payload: Uint8Array): number {
  return (headerBytes + payload.length + 3) & ~3;
}

/** Gives the messages of a datagram to their requests; true when the last request has ended. */
function takeAnswers(window: Window, datagram: Uint8Array): boolean {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  let ended = false;
  for (let at = 0; at < datagram.length; ) {
    const length = checkedLength(view, at);
    const type = view.getUint16(at + headerAt.type, hostIsLittleEndian);
    const sequence = view.getUint32(at + headerAt.sequence, hostIsLittleEndian);
    const index = sequence - window.firstSequence;
    const request = window.requests[index];
    const [from, to] = [at, at + length];
    at += (length + 3) & ~3;
    // Answers to a window that was given up come under old numbers and are not for anyone.
    if (request === undefined) continue;
    const slot = window.slots[index] ?? { answers: [], answerCount: 0, outcome: undefined };
    window.slots[index] = slot;
    if (slot.outcome !== undefined) continue;
    if (type === messageType.error || type === messageType.done) {
      slot.outcome = endOutcome(slot, datagram.subarray(from + plainHeaderBytes, to));
    } else if (slot.answerCount >= dumpMessagesMax) {
      slot.outcome = { kind: 'lost', cause: 'overrun' };
    } else {
      slot.answerCount += 1;
      const payload = datagram.subarray(from + headerBytes, to);
      if (request.onAnswer !== undefined) request.onAnswer(payload);
      // The datagram lies in memory that the next receive overwrites.
      else slot.answers.push(Uint8Array.from(payload));
    }
    if (index === window.slots.length - 1 && slot.outcome !== undefined) ended = true;
  }
  return ended;
}

/** The length that the message at an offset claims, its header included. */
function checkedLength(view: DataView, at: number): number {
  const left = view.byteLength - at;
  const length = left < plainHeaderBytes ? 0 : view.getUint32(at, hostIsLittleEndian);
  if (length >= plainHeaderBytes && length <= left) return length;
  throw new TandemError('SYSTEM_CALL', 'the kernel sent a netlink message that cannot be read');
}

function* splitIntoWindows(
  requests: Iterable<GenericRequest>,
  windowRequests: number,
): Generator<readonly GenericRequest[]> {
  let window: GenericRequest[] = [];
  for (const request of requests) {
    if (request.dump || window.length >= windowRequests) {
      if (window.length > 0) yield window;
      window = [];
    }
    window.push(request);
    if (request.dump) {
      yield window;
      window = [];
    }
  }
  if (window.length > 0) yield window;
}

/** Reads the end of a request: NLMSG_ERROR and NLMSG_DONE both begin with a negative errno or 0. */
function endOutcome(slot: Slot, data: Uint8Array): ExchangeOutcome {
  const errno = data.length < 4 ? 0 : -(hostU32Of(data) | 0);
  if (errno === 0) return { kind: 'done', answers: slot.answers };
  return { kind: 'refused', errnoName: errnoName(errno) };
}

/**
 * A request that was not refused was done, if nothing is missing: the kernel works in order and
 * reports every refusal, and the acknowledgement of the last request has come after them.
 */
function outcomeOf(slot: Slot | undefined, loss: LossCause | undefined): ExchangeOutcome {
  if (slot?.outcome !== undefined) return slot.outcome;
  if (loss !== undefined) return { kind: 'lost', cause: loss };
  return slot === undefined ? doneWithoutAnswer : { kind: 'done', answers: slot.answers };
}

const doneWithoutAnswer: ExchangeOutcome = { kind: 'done', answers: [] };

function lookupError(name: string, outcome: ExchangeOutcome | undefined): TandemError {
  if (outcome?.kind === 'refused') {
    return new TandemError(
      'SYSTEM_CALL',
      `looking up netlink family ${name}: ${outcome.errnoName}`,
      {
        errnoName: outcome.errnoName,
      },
    );
  }
  return new TandemError('NETLINK_TIMEOUT', `looking up netlink family ${name}: no answer`);
}
