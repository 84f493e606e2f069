/** Servers of the chaos benchmark: each is alive, or dead in one of several ways. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { DeathKind } from './chaosModel.js';

/** One server on an address of its own. */
export class ChaosServer {
  readonly address: string;
  readonly #port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #dead: DeathKind | undefined;

  constructor(address: string, port: number) {
    this.address = address;
    this.#port = port;
    this.#server = createServer((_request, response) => {
      if (this.#dead === 'hang') return;
      response.writeHead(this.#dead === 'error' ? 500 : 200, { connection: 'close' }).end('ok');
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get alive(): boolean {
    return this.#dead === undefined;
  }

  /** Listens, alive. */
  async start(): Promise<void> {
    this.#server.listen(this.#port, this.address);
    await once(this.#server, 'listening');
  }

  /** Dies. */
  async die(kind: DeathKind): Promise<void> {
    this.#dead = kind;
    if (kind !== 'refuse') return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Ends, whatever it does. */
  async stop(): Promise<void> {
    if (this.#dead !== 'refuse') await this.die('refuse');
  }

  /** Comes back. */
  async live(): Promise<void> {
    const was = this.#dead;
    this.#dead = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (was === 'refuse') await this.start();
  }
}
