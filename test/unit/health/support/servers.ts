/** Real servers on loopback that behave, or misbehave, as a test wants. */
import { createServer, type RequestListener, Server } from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { ProbeSpec } from '../../../../src/health/probeSpec.js';
import type { ProbeOutcome, ProbeTarget } from '../../../../src/health/probes/probe.js';
import { runProbe } from '../../../../src/health/probes/runProbe.js';
import { ipAddress } from '../../../../src/wire/ipAddress.js';

export const loopback = ipAddress('127.0.0.1');

/** A server of a test; it is closed, with all its connections, when the test ends. */
export interface TestServer {
  readonly target: ProbeTarget;
  /** Stops listening and cuts every connection. A second call does nothing. */
  close(): Promise<void>;
}

/** Listens with a handler for raw connections. `port` 0 is any free one. */
export function tcpServer(
  t: TestContext,
  onConnection: (socket: Socket) => void,
  port = 0,
): Promise<TestServer> {
  return listen(t, createTcpServer(onConnection), port);
}

/** Listens with a handler for HTTP requests. */
export function httpServer(t: TestContext, onRequest: RequestListener, port = 0) {
  return listen(t, createServer(onRequest), port);
}

/** Waits for the end of a request's header, then writes these bytes and ends the connection. */
export function answerWith(t: TestContext, bytes: string | Buffer): Promise<TestServer> {
  return tcpServer(t, (socket) => {
    onRequestHeader(socket, () => socket.end(bytes));
  });
}

/** Calls back once, when the blank line that ends a request's header is in. */
export function onRequestHeader(socket: Socket, callback: (header: string) => void): void {
  let header = '';
  socket.on('data', (chunk) => {
    const wasComplete = header.includes('\r\n\r\n');
    header += chunk.toString('latin1');
    if (!wasComplete && header.includes('\r\n\r\n')) callback(header);
  });
}

/** A port of loopback that was free a moment ago, so that a connection to it is refused. */
export async function closedPort(t: TestContext): Promise<ProbeTarget> {
  const server = await tcpServer(t, () => undefined);
  await server.close();
  return server.target;
}

/** Probes once, with a deadline that a healthy exchange on loopback never reaches. */
export function probeOnce(
  target: ProbeTarget,
  spec: ProbeSpec,
  timeoutMs = 20_000,
): Promise<ProbeOutcome> {
  return runProbe(target, spec, AbortSignal.timeout(timeoutMs));
}

/** An HTTP probe that expects 200 to 299 of `GET /`, but for what is given. */
export function httpSpec(
  changes: Partial<Extract<ProbeSpec, { type: 'http' }>> = {},
): Extract<ProbeSpec, { type: 'http' }> {
  return {
    type: 'http',
    method: 'GET',
    path: '/',
    expectStatus: [{ from: 200, to: 299 }],
    ...changes,
  };
}

function listen(t: TestContext, server: TcpServer, port: number): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A probe resets its connection when it has seen enough.
    socket.on('error', () => socket.destroy());
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
      if (server instanceof Server) server.closeAllConnections();
    });
    return closing;
  };
  t.after(close);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, loopback, 4096, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return;
      resolve({ target: { address: loopback, port: address.port }, close });
    });
  });
}
