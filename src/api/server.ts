/**
 * The agent's HTTP interface on a unix socket.
 *
 * The socket is the lock of the agent too: whoever holds it runs this node. It is taken before
 * anything else is touched, so that a second agent ends with one clear error and no side effect.
 * What answers there is loaded later, because a director that starts has a table to fill first.
 */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type ListenOptions } from 'node:net';
import { dirname } from 'node:path';
import { errorTable, TandemError } from '../errors.js';
import { formatEndpoint, type IpAddress } from '../wire/ipAddress.js';
import type { FailoverRequest, FailoverResult } from './failoverModel.js';
import type { OperatingActions } from './operatingRoutes.js';
import type { Routes } from './routes.js';
import type { StatusDocument } from './statusModel.js';

/** What the agent does for those who only read. */
export interface ReadingActions {
  /** The present status. */
  status(): Promise<StatusDocument>;
}

/** What the agent does for its callers. */
export interface ApiActions extends ReadingActions, OperatingActions {
  /**
   * Loads the configuration file again; `force` also where it would remove a lot. Throws the
   * {@link TandemError} that refused it.
   */
  reload(force: boolean): Promise<ReloadResult>;
  /** Steps down. Throws the {@link TandemError} that says why that cannot be. */
  failover(request: FailoverRequest): Promise<FailoverResult>;
  /** Lets both directors send all their connections. Throws `AGENT_REFUSED` without a peer. */
  resync(): ResyncResult;
}

/** What came of a request for the whole table. */
export interface ResyncResult {
  /** Comparisons after this tell whether both agree. */
  readonly requestedUnixMs: number;
}

/** What a reload did. */
export interface ReloadResult {
  /** One line for a person. */
  readonly message: string;
  readonly warnings: readonly string[];
}

/** The body of every answer that is not a success. */
export interface ApiErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

/** Owner and group may speak with the agent; the socket can reload and stop a director. */
const socketMode = 0o660;

/** How long a request may take before the connection is closed, in milliseconds. */
const requestTimeoutMs = 10_000;

/** How long a connection may stay open between requests, in milliseconds. */
const keepAliveTimeoutMs = 72_000;

/** A listening interface. */
export interface ApiServer {
  /** Loads what answers requests, which the first of them would have to wait for. */
  prepare(): Promise<void>;
  /** Stops listening, ends open connections and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens on `socketPath`.
 *
 * A socket that a dead agent left behind is replaced. Throws `API_SOCKET_IN_USE` when an agent
 * answers there, `API_SOCKET_UNUSABLE` when the path cannot be used.
 */
export async function startApiServer(socketPath: string, actions: ApiActions): Promise<ApiServer> {
  await clearStaleSocket(socketPath);
  const server = new LateServer(async (http) => (await loadRoutes()).allRoutes(http, actions));
  try {
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o750 });
    await server.listen({ path: socketPath });
    chmodSync(socketPath, socketMode);
  } catch (cause) {
    await server.close();
    if (errorCode(cause) === 'EADDRINUSE') throw socketInUse(socketPath);
    throw new TandemError('API_SOCKET_UNUSABLE', `${socketPath}: ${errorText(cause)}`, { cause });
  }
  return server;
}

/**
 * Listens on a TCP port for those who only read: `GET /metrics` and `GET /v1/status`.
 *
 * Throws `API_SOCKET_UNUSABLE` when the address or port cannot be had.
 */
export async function startReadingServer(
  { address, port }: { readonly address: IpAddress; readonly port: number },
  actions: ReadingActions,
): Promise<ApiServer> {
  const server = new LateServer(async (http) => (await loadRoutes()).readingRoutes(http, actions));
  try {
    await server.listen({ host: address, port });
  } catch (cause) {
    await server.close();
    const where = `api.listen ${formatEndpoint(address, port)}`;
    throw new TandemError('API_SOCKET_UNUSABLE', `${where}: ${errorText(cause)}`, {
      hint: 'Give `api.listen` an address of this machine and a port that is free.',
      cause,
    });
  }
  return server;
}

/** An HTTP server that listens before what answers there is loaded; early requests wait for it. */
class LateServer implements ApiServer {
  readonly #server = createServer({
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
  });
  readonly #load: (server: Server) => Promise<Routes>;
  #routes: Promise<Routes> | undefined;

  constructor(load: (server: Server) => Promise<Routes>) {
    this.#load = load;
    this.#server.on('request', (request, response) => {
      this.#loaded().then(
        (routes) => routes.answer(request, response),
        () => response.destroy(),
      );
    });
  }

  listen(where: ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async prepare(): Promise<void> {
    await this.#loaded();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
    await (await this.#routes)?.close();
  }

  #loaded(): Promise<Routes> {
    this.#routes ??= this.#load(this.#server);
    return this.#routes;
  }
}

/** Half of what an agent loads, most of it Fastify. */
function loadRoutes(): Promise<typeof import('./routes.js')> {
  return import('./routes.js');
}

/** Removes a socket file that nobody listens on; leaves a live one and anything else alone. */
async function clearStaleSocket(socketPath: string): Promise<void> {
  const existing = lstatSync(socketPath, { throwIfNoEntry: false });
  if (existing === undefined) return;
  // Connecting to an ordinary file is refused too, so the kind of the file must be looked at.
  if (!existing.isSocket()) {
    throw new TandemError('API_SOCKET_UNUSABLE', `${socketPath} exists and is not a socket`);
  }
  const answer = await new Promise<string>((resolve) => {
    const probe = connect({ path: socketPath });
    probe.once('connect', () => {
      probe.destroy();
      resolve('CONNECTED');
    });
    probe.once('error', (error) => resolve(errorCode(error)));
  });
  if (answer === 'CONNECTED') throw socketInUse(socketPath);
  // Only a refused connection proves that nobody listens; anything else fails when we listen.
  if (answer === 'ECONNREFUSED') unlinkSync(socketPath);
}

function socketInUse(socketPath: string): TandemError {
  return new TandemError(
    'API_SOCKET_IN_USE',
    `${socketPath}: ${errorTable.API_SOCKET_IN_USE.summary}`,
  );
}

function errorCode(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
