/**
 * The side that connects: goes over the paths to the peer until one works, and starts again when
 * the connection was lost.
 */
import type { TLSSocket } from 'node:tls';
import type { PeerKey, PeerSettings } from './protocol.js';
import type { PeerDisconnectReason } from './reasons.js';
import { reconnectDelayMs } from './reconnect.js';
import { connectWithKey, errorCode, handshakeFailure } from './tls.js';

/** How long one path may take until its handshake is over, in milliseconds. */
const attemptTimeoutMs = 2_000;

/** What the connector needs from around it. */
export interface ConnectorOptions {
  readonly settings: PeerSettings;
  /** The key to connect with, asked at every attempt. */
  readonly key: () => PeerKey | undefined;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** A handshake succeeded; the socket is handed over. */
  readonly onSocket: (socket: TLSSocket, keyId: string) => void;
  /** The peer has not this key. */
  readonly onWrongKey: (detail: string) => void;
  /** An attempt failed otherwise. */
  readonly onFailure: (reason: PeerDisconnectReason, detail: string) => void;
}

/** Connects, one attempt at a time. */
export class Connector {
  readonly #options: ConnectorOptions;
  #pathIndex = 0;
  /** Paths that failed since a connection was last open. */
  #failures = 0;
  #refused = false;
  #socket: TLSSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#attempt();
  }

  /** The introduction succeeded: the next loss begins anew with short delays. */
  succeeded(): void {
    this.#failures = 0;
    this.#refused = false;
  }

  /** The connection that was handed over has ended. */
  lost(reason: PeerDisconnectReason): void {
    // A peer that restarts is back on the same path; a silent path is left.
    if (reason !== 'closed-by-peer') this.#pathIndex += 1;
    this.#refused = reason === 'refused';
    this.#failures += 1;
    this.#retryLater();
  }

  /** Ends it; an attempt that is under way is given up. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #attempt(): void {
    const { settings, key: keyNow } = this.#options;
    const path = settings.paths[this.#pathIndex % settings.paths.length];
    const key = keyNow();
    if (path === undefined || key === undefined) return;
    const socket = connectWithKey({ ...path, port: settings.port }, key);
    this.#socket = socket;
    const timer = setTimeout(() => fail(new Error('no answer')), attemptTimeoutMs);
    const onClose = (): void => fail(new Error('closed'));
    const settle = (): void => {
      clearTimeout(timer);
      socket.removeListener('error', fail);
      socket.removeListener('close', onClose);
      this.#socket = undefined;
    };
    const fail = (error: Error): void => {
      settle();
      // A destroyed socket may have one more error to tell, which nobody needs.
      socket.on('error', () => undefined);
      socket.destroy();
      this.#failed(error, path.peer, key);
    };
    socket.once('error', fail);
    socket.once('close', onClose);
    socket.once('secureConnect', () => {
      settle();
      this.#options.onSocket(socket, key.id);
    });
  }

  #failed(error: Error, address: string, key: PeerKey): void {
    if (this.#stopped) return;
    const { onWrongKey, onFailure } = this.#options;
    const failure = handshakeFailure(error);
    this.#refused = failure === 'wrong-key';
    this.#pathIndex += 1;
    this.#failures += 1;
    if (failure === 'wrong-key') {
      onWrongKey(`${address} does not accept the key ${key.id}`);
    } else if (failure === 'not-tls') {
      onFailure('protocol-error', `${address} does not speak this protocol`);
    } else {
      onFailure('unreachable', `${address}: ${errorCode(error)}`);
    }
    this.#retryLater();
  }

  /** The other paths are tried at once; only a whole round of failures is worth a pause. */
  #retryLater(): void {
    if (this.#stopped) return;
    const { settings, random } = this.#options;
    const pathCount = settings.paths.length;
    const isRoundOver = this.#failures % pathCount === 0;
    const rounds = Math.max(1, Math.floor(this.#failures / pathCount));
    const delayMs =
      isRoundOver || this.#refused ? reconnectDelayMs(rounds, this.#refused, random()) : 0;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#attempt(), delayMs);
  }
}
