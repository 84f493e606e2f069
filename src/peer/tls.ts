/**
 * TLS of the peer channel: version 1.3 with a pre-shared key and a fresh Diffie-Hellman exchange,
 * no certificates. Who has no key cannot finish the handshake, on either side.
 */
import {
  type ConnectionOptions,
  connect,
  createServer,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { TandemError } from '../errors.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { PeerKey } from './protocol.js';

/** OpenSSL ties a key of the older interface, which Node has, to the suites with SHA-256. */
const cipherSuite = 'TLS_AES_128_GCM_SHA256';

/** How long a handshake may take, in milliseconds. */
export const handshakeTimeoutMs = 5_000;

const versions = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: cipherSuite } as const;

/** Where to connect from and to. */
export interface PeerPath {
  readonly own: IpAddress;
  readonly peer: IpAddress;
  readonly port: number;
}

/** Starts a connection; `secureConnect` says that the other side has the key. */
export function connectWithKey(path: PeerPath, key: PeerKey): TLSSocket {
  const options: ConnectionOptions & { readonly localAddress: string } = {
    ...versions,
    host: path.peer,
    port: path.port,
    // A path is two addresses: leaving by another one would only look like a second path.
    localAddress: path.own,
    rejectUnauthorized: true,
    // It is asked only when a certificate was shown in place of the key, whoever has signed it.
    checkServerIdentity: () =>
      new TandemError('INTERNAL', 'the other side showed a certificate instead of the key'),
    pskCallback: () => ({ identity: key.id, psk: Buffer.from(key.hex, 'hex') }),
  };
  return connect(options);
}

/** A TLS server that listens nowhere by itself: connections are handed to it as they come. */
export interface KeyServer {
  readonly server: Server;
  /** The key with which a connection was made; `undefined` when it was made without one. */
  keyIdOf(socket: TLSSocket): string | undefined;
}

/** Makes the server. `keys` is asked at every handshake. */
export function createKeyServer(keys: () => readonly PeerKey[]): KeyServer {
  const used = new WeakMap<TLSSocket, string>();
  const server = createServer({
    ...versions,
    handshakeTimeout: handshakeTimeoutMs,
    // Node wants one as soon as keys are used; TLS 1.3 does not send it.
    pskIdentityHint: 'tandem',
    pskCallback: (socket, id) => {
      const key = keys().find((candidate) => candidate.id === id);
      if (key === undefined) return null;
      used.set(socket, key.id);
      return Buffer.from(key.hex, 'hex');
    },
  });
  // A session that is resumed by a ticket has not asked for a key, and the key may be gone by now.
  return { server, keyIdOf: (socket) => used.get(socket) };
}

/** What a failed handshake tells. */
export type HandshakeFailure = 'wrong-key' | 'not-tls';

/** Alerts and errors with which OpenSSL says that the two sides do not have the same key. */
const wrongKeyCodes: ReadonlySet<string> = new Set([
  // The server found the key by its name, and the proof does not fit it.
  'ERR_SSL_BINDER_DOES_NOT_VERIFY',
  'ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER',
  'ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR',
  // The server has no key of this name, and no certificate to go on with.
  'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  // The server showed a certificate.
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INTERNAL',
]);

/** Judges the error of a handshake by its code; `undefined` when TLS is not at fault. */
export function handshakeFailure(error: Error): HandshakeFailure | undefined {
  const code = errorCode(error);
  if (wrongKeyCodes.has(code)) return 'wrong-key';
  return code.startsWith('ERR_SSL_') || code === 'EPROTO' ? 'not-tls' : undefined;
}

/** The code of an error of Node, or its message when it has none. */
export function errorCode(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
