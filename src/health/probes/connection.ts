/** Opens the connections of all probes that speak TCP: source address, mark and TLS included. */
import { connect, Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { LocalPorts } from '../../kernel/localPorts.js';
import { openProbeSocket } from '../../kernel/probeSocket.js';
import type { ProbeOrigin, TlsSettings } from '../probeSpec.js';
import { notConnectedInTime } from './overStream.js';
import { failed, type ProbeOutcome, type ProbeTarget } from './probe.js';
import { outcomeOfSystemError, outcomeOfThrown } from './systemErrors.js';
import { judgeCertificate, outcomeOfTlsError, tlsOptions } from './tlsSettings.js';

/** What a connection is to be like. */
export interface ConnectionOptions {
  readonly origin?: ProbeOrigin | undefined;
  /** Present: TLS, with everything that is demanded of the certificate. */
  readonly tls?: TlsSettings | undefined;
  /** The protocols that are offered inside TLS (ALPN). */
  readonly protocols?: readonly string[];
}

/** Of this thread, which may be in a network namespace of its own; read when it is first needed. */
let localPorts: LocalPorts | undefined;

/** Who is told of a connection. Exactly one of both is called, unless it is destroyed before. */
export interface ConnectionEvents {
  /** It is established, and its certificate as it must be. */
  readonly ready: (socket: Socket) => void;
  readonly failed: (outcome: ProbeOutcome) => void;
}

/** A connection of a probe. */
export interface ProbeConnection {
  /** How far it has come, for the detail of a timeout; `undefined` once it is ready. */
  progress(): string | undefined;
  /** Ends it at once. */
  destroy(): void;
}

/** Connects. Nothing is thrown; what goes wrong is told as an outcome. */
export function openConnection(
  target: ProbeTarget,
  options: ConnectionOptions,
  events: ConnectionEvents,
): ProbeConnection {
  let stage: 'connecting' | 'securing' | 'ready' = 'connecting';
  let current: Socket | undefined;
  const secured = (socket: Socket): void => {
    stage = 'ready';
    events.ready(socket);
  };
  try {
    const socket = openSocket(target, options.origin);
    current = socket;
    // This listener stays, so that an error after the end is not an uncaught one.
    socket.on('error', (error) => events.failed(outcomeOfSystemError(error)));
    socket.once('connect', () => {
      if (isConnectedToItself(socket, target)) {
        events.failed(failed('connection-refused', 'nothing listens: the socket met itself'));
      } else if (options.tls === undefined) {
        secured(socket);
      } else {
        stage = 'securing';
        const { tls, protocols } = options;
        current = secure(
          socket,
          { target, tls, ...(protocols && { protocols }) },
          {
            ...events,
            ready: secured,
          },
        );
      }
    });
  } catch (error) {
    queueMicrotask(() => events.failed(outcomeOfThrown(error)));
  }
  return {
    progress: () => progressTexts[stage],
    destroy: () => {
      if (current !== undefined) endSocket(current);
    },
  };
}

const progressTexts = {
  connecting: notConnectedInTime,
  securing: 'connected, but the TLS handshake did not end in time',
  ready: undefined,
} as const;

/** Whose TLS is spoken over a connection that is there. */
export interface SecureOptions {
  readonly target: ProbeTarget;
  readonly tls: TlsSettings;
  readonly protocols?: readonly string[];
}

/** Speaks TLS over an established connection; gives the socket that must be ended instead. */
export function secure(
  socket: Socket,
  { target, tls, protocols }: SecureOptions,
  events: ConnectionEvents,
): TLSSocket {
  const secureSocket = connectTls({
    ...tlsOptions(tls, target),
    socket,
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
  });
  let established = false;
  secureSocket.on('error', (error) => events.failed(outcomeOfTlsError(error, established)));
  secureSocket.once('close', () => {
    if (!established) {
      events.failed(failed('truncated', 'the server closed the connection in the TLS handshake'));
    }
  });
  secureSocket.once('secureConnect', () => {
    established = true;
    const fault = judgeCertificate(secureSocket, tls, Date.now());
    if (fault === undefined) events.ready(secureSocket);
    else events.failed(fault);
  });
  return secureSocket;
}

/**
 * Ends a connection. A reset instead of an orderly end leaves no socket in TIME_WAIT on the
 * director, which would hold a local port for a minute for every probe.
 */
function endSocket(socket: Socket): void {
  // Only a plain TCP socket that is its own can be reset.
  if (socket.connecting || socket.destroyed || socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

function openSocket(target: ProbeTarget, origin: ProbeOrigin = {}): Socket {
  const { address: host, port } = target;
  const { source, mark } = origin;
  if (mark === undefined) {
    return connect({ host, port, ...(source === undefined ? {} : { localAddress: source }) });
  }
  const fd = openProbeSocket('stream', { peer: host, mark, ...(source && { source }) });
  // Without `manualStart` Node would read at once from what is not connected.
  const options = { fd, manualStart: true };
  return new Socket(options).connect({ host, port });
}

/**
 * A connection to a local port that nobody listens on succeeds when the kernel happens to pick that
 * very port as the source: TCP's simultaneous open, with itself.
 */
function isConnectedToItself(socket: Socket, { port }: ProbeTarget): boolean {
  localPorts ??= new LocalPorts();
  // Asking the kernel for both ends costs more than the rest of a look at them.
  if (!localPorts.include(port)) return false;
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}
