/**
 * Asynchronous generic netlink: family lookup, requests, dumps, and windows of many requests.
 *
 * The kernel handles generic netlink inside the send call, in order, so every answer is queued
 * when it returns. That makes a window of many requests in one send the fastest form, and it
 * bounds the window: answers that do not fit the socket's receive buffer are lost (ENOBUFS). The
 * caller learns of each lost answer and must look at the kernel's state to know what happened.
 */
import {
  Flags,
  FlagsGet,
  formatGenlHeader,
  formatMessage,
  MessageType,
  Protocol,
  parseGenlHeader,
  parseMessages,
  RawNetlinkSocket,
} from 'netlink';
import { TandemError } from '../errors.js';
import {
  controlAttributes,
  controlCommands,
  controlFamilyId,
} from '../wire/genericNetlinkControl.js';
import { decodeAttributes, encodeAttributes, hostU32Of } from '../wire/netlinkAttributes.js';
import { errnoName } from './errnoName.js';

/** Most requests that are sent before their answers are read. */
export const windowRequestsMax = 100;

/** Most exchanges that wait for the one before them; more are refused. */
export const waitingExchangesMax = 256;

/** Most answers that one dump may have; a longer one is refused as broken. */
export const dumpMessagesMax = 1_000_000;

/** One request to a family. */
export interface GenericRequest {
  readonly command: number;
  /** The attributes. */
  readonly payload: Uint8Array;
  /** Ask for every entry; such a request travels alone. */
  readonly dump: boolean;
}

/** What became of one request. */
export type ExchangeOutcome =
  /** The kernel did it; `answers` are the payloads behind the generic netlink headers. */
  | { readonly kind: 'done'; readonly answers: readonly Uint8Array[] }
  /** The kernel refused it. `errnoName` is for example `EEXIST`. */
  | { readonly kind: 'refused'; readonly errnoName: string }
  /** It was sent and the answer is missing: it may have been done or not. */
  | { readonly kind: 'lost'; readonly cause: 'overrun' | 'timeout' };

/** Settings of a {@link GenericNetlink}. */
export interface GenericNetlinkOptions {
  /** Longest wait for all answers of one window or dump. */
  readonly timeoutMs?: number;
  /** Requests in a window, at most {@link windowRequestsMax}. */
  readonly windowRequests?: number;
  /** Receive buffer of the socket in bytes; the kernel bounds and doubles it. */
  readonly receiveBufferBytes?: number;
}

const defaultTimeoutMs = 10_000;
const defaultReceiveBufferBytes = 1 << 20;
const sendBufferBytes = 1 << 18;
const controlVersion = 1;

/** A slot is one request under way. */
interface Slot {
  readonly sequence: number;
  readonly answers: Uint8Array[];
  outcome: ExchangeOutcome | undefined;
}

/** A window under way. */
interface Window {
  readonly slots: ReadonlyMap<number, Slot>;
  open: number;
  readonly finish: (error?: TandemError) => void;
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
  readonly #socket: RawNetlinkSocket;
  readonly #timeoutMs: number;
  readonly #windowRequests: number;
  readonly #localPort: number;
  #sequence = 0;
  #window: Window | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #broken: TandemError | undefined;

  constructor(options: GenericNetlinkOptions) {
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#windowRequests = Math.min(options.windowRequests ?? windowRequestsMax, windowRequestsMax);
    try {
      this.#socket = new RawNetlinkSocket(Protocol.GENERIC, {
        // Peeking costs a call for each message, and spares the binding a full-sized buffer for
        // each acknowledgement: 2000 changes took 0.6 s instead of 1.9 s in the embedded kernel.
        messagePeeking: true,
        recvBufferSize: options.receiveBufferBytes ?? defaultReceiveBufferBytes,
        sendBufferSize: sendBufferBytes,
      });
    } catch (error) {
      throw socketError('socket(AF_NETLINK, NETLINK_GENERIC)', error);
    }
    this.#localPort = this.#socket.address().port;
    this.#socket.on('message', (bytes) => this.#receive(bytes));
    this.#socket.on('truncatedMessage', () => this.#loseOpenSlots('overrun'));
    this.#socket.on('error', (error) => this.#socketFailed(error));
    // Only an exchange under way keeps the process alive.
    this.#socket.unref();
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
   * those after it. Throws {@link TandemError} only when the socket itself fails.
   */
  async exchange(
    familyId: number,
    version: number,
    requests: readonly GenericRequest[],
    options: { readonly timeoutMs?: number } = {},
  ): Promise<readonly ExchangeOutcome[]> {
    if (this.#waiting >= waitingExchangesMax) {
      throw new TandemError('NETLINK_TIMEOUT', `more than ${this.#waiting} requests wait`);
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
    if (this.#broken === undefined) {
      // The binding crashes when it is closed from inside one of its own callbacks.
      setImmediate(() => this.#socket.close());
    }
    this.#breakDown(new TandemError('SYSTEM_CALL', 'the netlink socket is closed'));
  }

  #exchangeWindow(
    familyId: number,
    version: number,
    requests: readonly GenericRequest[],
    timeoutMs: number,
  ): Promise<readonly ExchangeOutcome[]> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) {
        reject(this.#broken);
        return;
      }
      const slots = new Map<number, Slot>();
      const parts: Uint8Array[] = [];
      for (const request of requests) {
        const slot: Slot = { sequence: this.#nextSequence(), answers: [], outcome: undefined };
        slots.set(slot.sequence, slot);
        parts.push(...this.#format(familyId, version, slot.sequence, request));
      }
      const timer = setTimeout(() => this.#timedOut(), timeoutMs);
      this.#socket.ref();
      const finish = (error?: TandemError): void => {
        clearTimeout(timer);
        this.#window = undefined;
        if (this.#broken === undefined) this.#socket.unref();
        if (error !== undefined) reject(error);
        else resolve([...slots.values()].map(outcomeOf));
      };
      this.#window = { slots, open: slots.size, finish };
      this.#socket.send(Buffer.concat(parts), undefined, (error) => {
        if (error !== undefined && this.#window?.slots === slots)
          finish(socketError('sendmsg', error));
      });
    });
  }

  #format(
    familyId: number,
    version: number,
    sequence: number,
    request: GenericRequest,
  ): Uint8Array[] {
    const flags = Flags.REQUEST | (request.dump ? FlagsGet.DUMP : Flags.ACK);
    return formatMessage({
      type: familyId,
      flags,
      seq: sequence,
      port: this.#localPort,
      data: [formatGenlHeader({ cmd: request.command, version }), request.payload],
    });
  }

  #nextSequence(): number {
    this.#sequence = this.#sequence === 0xffff_ffff ? 1 : this.#sequence + 1;
    return this.#sequence;
  }

  /** Runs inside a callback of the binding, where a thrown error would end the process. */
  #receive(bytes: Buffer): void {
    try {
      for (const message of parseMessages(bytes)) {
        const slot = this.#window?.slots.get(message.seq);
        // Answers to a window that has timed out come under old numbers and are not for anyone.
        if (slot === undefined || slot.outcome !== undefined) continue;
        if (message.type === MessageType.ERROR || message.type === MessageType.DONE) {
          this.#settle(slot, endOutcome(slot, message.data));
        } else if (slot.answers.length >= dumpMessagesMax) {
          this.#settle(slot, { kind: 'lost', cause: 'overrun' });
        } else {
          const { consumed } = parseGenlHeader(message.data);
          slot.answers.push(message.data.subarray(consumed));
        }
      }
    } catch (error) {
      this.#window?.finish(
        new TandemError('SYSTEM_CALL', 'the kernel sent a netlink message that cannot be read', {
          cause: error,
        }),
      );
    }
  }

  #settle(slot: Slot, outcome: ExchangeOutcome): void {
    slot.outcome = outcome;
    if (this.#window === undefined) return;
    this.#window.open -= 1;
    if (this.#window.open === 0) this.#window.finish();
  }

  #loseOpenSlots(cause: 'overrun' | 'timeout'): void {
    for (const slot of this.#window?.slots.values() ?? []) {
      if (slot.outcome === undefined) this.#settle(slot, { kind: 'lost', cause });
    }
  }

  /** After a stall of this process the answer is queued and the timer is due: read first. */
  #timedOut(): void {
    const window = this.#window;
    setImmediate(() => {
      if (window !== undefined && this.#window === window) this.#loseOpenSlots('timeout');
    });
  }

  #socketFailed(error: Error & { readonly code?: string }): void {
    if (error.code === 'ENOBUFS') {
      // What was queued before the overrun is still read, then the rest is given up.
      const window = this.#window;
      setImmediate(() => {
        if (window !== undefined && this.#window === window) this.#loseOpenSlots('overrun');
      });
      return;
    }
    this.#breakDown(socketError('recvmsg', error));
  }

  #breakDown(error: TandemError): void {
    this.#broken ??= error;
    this.#window?.finish(error);
  }
}

function* splitIntoWindows(
  requests: readonly GenericRequest[],
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
function endOutcome(slot: Slot, data: Buffer): ExchangeOutcome {
  const errno = data.length < 4 ? 0 : -(hostU32Of(data) | 0);
  if (errno === 0) return { kind: 'done', answers: slot.answers };
  return { kind: 'refused', errnoName: errnoName(errno) };
}

function outcomeOf(slot: Slot): ExchangeOutcome {
  return slot.outcome ?? { kind: 'lost', cause: 'timeout' };
}

/** An error of the binding, which carries the name of the errno as its code. */
function socketError(call: string, error: unknown): TandemError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return new TandemError('SYSTEM_CALL', `${call}: ${message}`, {
    cause: error,
    ...(code === undefined ? {} : { errnoName: code }),
  });
}

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
