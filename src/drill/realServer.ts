/** A real HTTP server that can be made to fail. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { nowUs } from '../kernel/monotonicClock.js';
import {
  downloadChunkBytes,
  downloadChunkIntervalMs,
  downloadPath,
  healthPath,
  type RealServerReply,
  type RealServerSettings,
  type ServerBehaviour,
  serverNameHeader,
} from './realServerProtocol.js';

/** Listens on all of its ports in the calling thread's namespace. */
export class RealServer {
  readonly #settings: RealServerSettings;
  readonly #sockets = new Set<Socket>();
  #servers: readonly Server[] = [];
  #behaviour: ServerBehaviour = 'killed';
  #requestsAnswered = 0;

  constructor(settings: RealServerSettings) {
    this.#settings = settings;
  }

  /** Changes the behaviour; resolves when the change is visible from outside. */
  async behave(behaviour: ServerBehaviour): Promise<RealServerReply> {
    this.#behaviour = behaviour;
    const atUs = nowUs();
    if (behaviour === 'killed') this.#kill();
    else if (this.#servers.length === 0) await this.#listen();
    return { atUs, requestsAnswered: this.#requestsAnswered };
  }

  async #listen(): Promise<void> {
    const { ports, family, certificate } = this.#settings;
    const answer: RequestListener = (request, response) => this.#answer(request, response);
    this.#servers = ports.map(({ tls }) =>
      tls ? createTlsServer({ ...certificate }, answer) : createServer(answer),
    );
    // With direct routing and tunnels requests come to the virtual address, checks to its own.
    const host = family === 6 ? '::' : '0.0.0.0';
    await Promise.all(
      this.#servers.map((server, index) => {
        server.on('connection', (socket) => {
          this.#sockets.add(socket);
          socket.once('close', () => this.#sockets.delete(socket));
        });
        return new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen({ host, port: ports[index]?.port, backlog: 1024 }, resolve);
        });
      }),
    );
  }

  #kill(): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#behaviour === 'hanging') return;
    this.#requestsAnswered += 1;
    const path = request.url ?? '/';
    const failing =
      this.#behaviour === 'error' || (this.#behaviour === 'unwell' && path === healthPath);
    const headers = { [serverNameHeader]: this.#settings.name, connection: 'close' };
    response.on('error', () => {
      // The client has gone; there is nobody left to tell.
    });
    if (failing) {
      response.writeHead(500, headers).end('broken on purpose\n');
    } else if (path.startsWith(downloadPath)) {
      response.writeHead(200, headers);
      this.#download(response);
    } else if (path === healthPath) {
      response.writeHead(200, headers).end('ok\n');
    } else {
      response.writeHead(200, headers).end(`${this.#settings.name}\n`);
    }
  }

  #download(response: ServerResponse): void {
    const chunk = Buffer.alloc(downloadChunkBytes, `${this.#settings.name} `);
    const timer = setInterval(() => {
      // A client that does not take its data is not sent more: memory stays bounded.
      if (response.writableNeedDrain) return;
      response.write(chunk);
    }, downloadChunkIntervalMs);
    response.once('close', () => clearInterval(timer));
  }
}
