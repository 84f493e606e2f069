/** The side that listens: takes connections on every own address, and turns away too many. */
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { IpAddress } from '../wire/ipAddress.js';
import type { PeerKey, PeerSettings } from './protocol.js';
import { createKeyServer, errorCode, handshakeFailure, type KeyServer } from './tls.js';

/**
 * Connections from the peer's addresses that have not finished their handshake. The peer has one
 * attempt under way; a few more are left over when a path was cut.
 */
export const pendingFromPeerMax = 8;

/** The same from any other address, counted apart so that strangers cannot keep the peer out. */
export const pendingFromOthersMax = 8;

/** How long to wait before listening is tried again, in milliseconds. */
const listenRetryMs = 1_000;

/** What the listener needs from around it. */
export interface ListenerOptions {
  readonly settings: PeerSettings;
  /** The accepted keys, asked at every handshake. */
  readonly keys: () => readonly PeerKey[];
  /** A handshake succeeded; the socket is handed over. */
  readonly onSocket: (socket: TLSSocket, keyId: string) => void;
  /** Somebody at an address of the peer has not the key. */
  readonly onWrongKey: (detail: string) => void;
  /** Somebody else was turned away, or failed. */
  readonly onStranger: (address: string, detail: string) => void;
  /** An own address cannot be listened on, or (undefined) can be again. */
  readonly onListening: (address: IpAddress, problem: string | undefined) => void;
}

/** Listens until it is stopped. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #peerAddresses: ReadonlySet<string>;
  readonly #tls: KeyServer;
  readonly #servers: readonly Server[];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #pending = { peer: new Set<Socket>(), others: new Set<Socket>() };
  #stopped = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#peerAddresses = new Set(options.settings.paths.map((path) => path.peer));
    this.#tls = createKeyServer(options.keys);
    this.#tls.server.on('secureConnection', (socket) => this.#take(socket));
    this.#tls.server.on('tlsClientError', (error, socket) => this.#handshakeFailed(error, socket));
    const addresses = new Set(options.settings.paths.map((path) => path.own));
    this.#servers = [...addresses].map((address) => this.#listen(address));
  }

  /** Stops listening; handshakes that are under way are given up. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const server of this.#servers) server.close();
    for (const socket of [...this.#pending.peer, ...this.#pending.others]) socket.destroy();
  }

  /** The address may be missing for a while, as after a boot; listening is tried until it works. */
  #listen(address: IpAddress): Server {
    const { settings, onListening } = this.#options;
    const server = createServer((socket) => this.#admit(socket));
    const listen = (): void => {
      server.listen({ host: address, port: settings.port });
    };
    server.on('listening', () => onListening(address, undefined));
    server.on('error', (error) => {
      if (this.#stopped) return;
      onListening(address, errorCode(error));
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        listen();
      }, listenRetryMs);
      this.#timers.add(timer);
    });
    listen();
    return server;
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unknown';
    const isPeer = this.#peerAddresses.has(address);
    const pending = isPeer ? this.#pending.peer : this.#pending.others;
    if (pending.size >= (isPeer ? pendingFromPeerMax : pendingFromOthersMax)) {
      socket.destroy();
      this.#options.onStranger(address, 'too many connections at once');
      return;
    }
    pending.add(socket);
    socket.once('close', () => pending.delete(socket));
    socket.on('error', () => undefined);
    this.#tls.server.emit('connection', socket);
  }

  #take(socket: TLSSocket): void {
    const keyId = this.#tls.keyIdOf(socket);
    if (keyId === undefined) {
      socket.destroy();
      return;
    }
    // The handshake is over, so it does not count as pending any more.
    for (const pending of [this.#pending.peer, this.#pending.others]) {
      for (const raw of pending) {
        if (raw.remotePort === socket.remotePort && raw.remoteAddress === socket.remoteAddress) {
          pending.delete(raw);
        }
      }
    }
    this.#options.onSocket(socket, keyId);
  }

  #handshakeFailed(error: Error, socket: TLSSocket): void {
    const address = socket.remoteAddress ?? 'unknown';
    const isWrongKey = handshakeFailure(error) === 'wrong-key';
    socket.destroy();
    if (isWrongKey && this.#peerAddresses.has(address)) {
      this.#options.onWrongKey(`${address} has not the key, or names another one`);
    } else {
      this.#options.onStranger(address, isWrongKey ? 'wrong key' : errorCode(error));
    }
  }
}
