/** A proxy before a real server that spoils what the server says. */
import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ProbeTarget } from '../../../../src/health/probes/probe.js';
import { serverAddress } from './serverScene.js';

/** What becomes of the bytes of the server. What the probe says always reaches it. */
export type Fault =
  /** Nothing: they come through. */
  | { readonly kind: 'none' }
  /** None comes through. */
  | { readonly kind: 'hang' }
  /** So many come through, then the connection is closed in good order. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** One comes through every second. */
  | { readonly kind: 'drip' }
  /** In place of them 100 MB of something else come. */
  | { readonly kind: 'flood' }
  /** In place of them a few KB that mean nothing come, and the end. */
  | { readonly kind: 'garbage' };

const dripIntervalMs = 1_000;
const floodBytes = 100_000_000;
const floodPiece = Buffer.alloc(65_536, 'x');

/** The same 4 KiB in every run. */
export const garbage: Buffer = Buffer.concat(
  Array.from({ length: 128 }, (_, index) => createHash('sha256').update(`${index}`).digest()),
);

/** A running proxy. */
export interface FaultProxy {
  readonly target: ProbeTarget;
  /** Bytes of the server that have come through to the probe, over all connections. */
  readonly bytesPassed: number;
  close(): Promise<void>;
}

/** Listens on a free port of the server's address. */
export function startFaultProxy(server: ProbeTarget, fault: Fault): Promise<FaultProxy> {
  let bytesPassed = 0;
  const sockets = new Set<Socket>();
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const listener = createServer({ allowHalfOpen: true }, (probe) => {
    const upstream = connect({ host: server.address, port: server.port, allowHalfOpen: true });
    hold(probe);
    hold(upstream);
    probe.on('data', (bytes) => upstream.write(bytes));
    probe.on('end', () => upstream.end());
    probe.on('close', () => upstream.destroy());
    // A server that resets has ended as well; the probe must hear of it.
    upstream.on('close', () => {
      if (fault.kind === 'none') probe.destroy();
    });
    spoil(upstream, probe, fault, (count) => {
      bytesPassed += count;
    });
  });
  return listening(listener).then((port) => ({
    target: { address: serverAddress, port },
    get bytesPassed() {
      return bytesPassed;
    },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  }));
}

function spoil(
  upstream: Socket,
  probe: Socket,
  fault: Fault,
  count: (bytes: number) => void,
): void {
  switch (fault.kind) {
    case 'none':
      upstream.on('data', (bytes) => {
        count(bytes.length);
        probe.write(bytes);
      });
      upstream.on('end', () => probe.end());
      return;
    case 'hang':
      upstream.resume();
      return;
    case 'truncate':
      truncate(upstream, probe, fault.bytes);
      return;
    case 'drip':
      drip(upstream, probe);
      return;
    case 'flood':
      upstream.resume();
      flood(probe);
      return;
    case 'garbage':
      upstream.resume();
      probe.end(garbage);
      return;
  }
}

function truncate(upstream: Socket, probe: Socket, bytesMax: number): void {
  let left = bytesMax;
  if (left === 0) probe.end();
  upstream.on('data', (bytes) => {
    if (left === 0) return;
    const part = bytes.subarray(0, left);
    left -= part.length;
    if (left === 0) probe.end(part);
    else probe.write(part);
  });
  upstream.on('end', () => probe.end());
}

function drip(upstream: Socket, probe: Socket): void {
  let waiting = Buffer.alloc(0);
  upstream.on('data', (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
  });
  const timer = setInterval(() => {
    if (waiting.length === 0) return;
    probe.write(waiting.subarray(0, 1));
    waiting = waiting.subarray(1);
  }, dripIntervalMs);
  probe.on('close', () => clearInterval(timer));
}

function flood(probe: Socket): void {
  let sent = 0;
  const pump = (): void => {
    while (sent < floodBytes && !probe.destroyed) {
      sent += floodPiece.length;
      if (!probe.write(floodPiece)) {
        probe.once('drain', pump);
        return;
      }
    }
    probe.end();
  };
  pump();
}

function listening(listener: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, serverAddress, 1024, () => {
      const address = listener.address();
      if (address === null || typeof address === 'string') return;
      resolve(address.port);
    });
  });
}
