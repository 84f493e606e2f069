/** One connection to the peer: moves bytes and time into the session, and does what it says. */
import type { TLSSocket } from 'node:tls';
import { formatEndpoint, ipAddress } from '../wire/ipAddress.js';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerHello,
  type PeerMessage,
} from '../wire/peerMessage.js';
import { encodePeerFrame, PeerFrameReader } from '../wire/peerMessageFrame.js';
import { syncFrame } from '../wire/syncChannel.js';
import { WireError } from '../wire/wireError.js';
import type { PeerDisconnectReason } from './reasons.js';
import {
  lagMs,
  nextTickMs,
  openSession,
  type PeerContent,
  type SessionAction,
  type SessionEvent,
  type SessionState,
  stateAgeMs,
  stepSession,
} from './session.js';
import { errorCode } from './tls.js';

/** What may wait for a slow peer, in bytes; what does not fit is dropped and counted. */
export const sendQueueBytesMax = 8 * 1024 * 1024;

/** How long a closed connection may take to deliver its last words, in milliseconds. */
const lastWordsTimeoutMs = 1_000;

/** What the owner of a connection wants to hear. */
export interface ConnectionEvents {
  readonly onOpened: (connection: PeerConnection, hello: PeerHello) => void;
  readonly onMessage: (connection: PeerConnection, message: PeerContent) => void;
  /** A message for the sync thread. */
  readonly onData: (connection: PeerConnection, bytes: Uint8Array) => void;
  readonly onRefused: (
    connection: PeerConnection,
    refusal: Extract<SessionAction, { type: 'refused' }>,
  ) => void;
  /** Called once. */
  readonly onClosed: (
    connection: PeerConnection,
    reason: PeerDisconnectReason,
    detail: string,
  ) => void;
  readonly onSkipped: () => void;
  readonly onDropped: () => void;
}

/** What a connection is made from. */
export interface ConnectionOptions {
  /** Its TLS handshake has succeeded. */
  readonly socket: TLSSocket;
  readonly keyId: string;
  readonly own: PeerHello;
  readonly peer: string;
  /** How long our main thread has told nothing of the election. */
  readonly stateAgeMs: () => number;
  readonly events: ConnectionEvents;
}

/** A connection, from its TLS handshake to its end. */
export class PeerConnection {
  readonly keyId: string;
  /** The peer's end, as `address:port`. */
  readonly address: string;
  readonly #options: ConnectionOptions;
  readonly #reader = new PeerFrameReader();
  #state: SessionState;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #ended = false;

  constructor(options: ConnectionOptions) {
    const { socket, keyId, own, peer } = options;
    this.#options = options;
    this.keyId = keyId;
    this.address = endpointText(socket);
    const { state, actions } = openSession(own, peer, performance.now());
    this.#state = state;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', (error) => this.#end('connection-lost', errorCode(error)));
    socket.on('end', () => this.#end('closed-by-peer', ''));
    socket.on('close', () => this.#end('connection-lost', ''));
    this.#run(actions);
    this.#armTimer();
  }

  /** Time from a heartbeat to its answer. */
  get lagMs(): number | null {
    const value = lagMs(this.#state, performance.now());
    return value === null ? null : Math.round(value * 10) / 10;
  }

  /** How long the peer's main thread has told nothing of its election. */
  get peerStateAgeMs(): number | null {
    const value = stateAgeMs(this.#state, performance.now());
    return value === null ? null : Math.round(value);
  }

  /** Sends a message, or drops it when too much is waiting already. */
  send(message: PeerMessage): void {
    const { socket, events } = this.#options;
    if (this.#ended) return;
    let bytes: Uint8Array;
    try {
      bytes = encodePeerMessage(message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      events.onDropped();
      return;
    }
    if (socket.writableLength + bytes.length > sendQueueBytesMax) events.onDropped();
    else socket.write(bytes);
  }

  /** Sends a message of the sync thread; false when it was dropped. */
  sendData(payload: Uint8Array): boolean {
    const { socket, events } = this.#options;
    if (this.#ended || this.#state.phase !== 'open') return false;
    if (socket.writableLength + payload.length > sendQueueBytesMax) {
      events.onDropped();
      return false;
    }
    socket.write(encodePeerFrame({ ...syncFrame, payload }));
    return true;
  }

  /** Closes it; what was sent before may still arrive. */
  close(reason: PeerDisconnectReason): void {
    this.#end(reason, '');
  }

  #receive(bytes: Buffer): void {
    if (this.#ended) return;
    try {
      const messages: PeerMessage[] = [];
      const data: Uint8Array[] = [];
      for (const frame of this.#reader.push(bytes)) {
        if (frame.type === syncFrame.type && frame.version === syncFrame.version) {
          data.push(frame.payload);
          continue;
        }
        const message = decodePeerMessage(frame);
        if (message === undefined) this.#options.events.onSkipped();
        else messages.push(message);
      }
      this.#step({ type: 'received', messages });
      this.#passOn(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#end('protocol-error', error.message);
    }
  }

  /** Nobody who has not introduced itself is listened to. */
  #passOn(data: readonly Uint8Array[]): void {
    if (data.length === 0 || this.#ended) return;
    if (this.#state.phase !== 'open') {
      this.#end('protocol-error', 'data before the introduction');
      return;
    }
    for (const payload of data) this.#options.events.onData(this, payload);
  }

  #step(event: SessionEvent): void {
    const { state, actions } = stepSession(this.#state, event, performance.now());
    this.#state = state;
    this.#run(actions);
    this.#armTimer();
  }

  #run(actions: readonly SessionAction[]): void {
    const { events } = this.#options;
    for (const action of actions) {
      switch (action.type) {
        case 'send':
          this.send(action.message);
          break;
        case 'opened':
          events.onOpened(this, action.hello);
          break;
        case 'deliver':
          events.onMessage(this, action.message);
          break;
        case 'refused':
          events.onRefused(this, action);
          break;
        case 'close':
          this.#end(action.reason, '');
          break;
      }
    }
  }

  /**
   * The tick runs after the sockets of this turn of the event loop were read: Node runs timers
   * first, so a stall of this thread would otherwise look like a silent peer.
   */
  #armTimer(): void {
    clearTimeout(this.#timer);
    if (this.#ended) return;
    const delayMs = Math.max(1, Math.ceil(nextTickMs(this.#state) - performance.now()));
    this.#timer = setTimeout(() => {
      this.#immediate = setImmediate(() => {
        if (this.#ended) return;
        this.#step({ type: 'tick', stateAgeMs: Math.round(this.#options.stateAgeMs()) });
      });
    }, delayMs);
  }

  #end(reason: PeerDisconnectReason, detail: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    const { socket, events } = this.#options;
    // What the peer still sends is read and thrown away, or its kernel would answer with a reset
    // and might throw our last words away.
    socket.resume();
    socket.end();
    const insist = setTimeout(() => socket.destroy(), lastWordsTimeoutMs);
    socket.once('close', () => clearTimeout(insist));
    events.onClosed(this, reason, detail);
  }
}

/** `address:port` of the other end. */
export function endpointText(socket: TLSSocket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return 'unknown';
  return formatEndpoint(ipAddress(remoteAddress.replace(/%.*$/, '')), remotePort);
}
