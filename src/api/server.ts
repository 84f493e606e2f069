/**
 * The agent's HTTP interface on a unix socket.
 *
 * The socket is the lock of the agent too: whoever holds it runs this node. It is taken before
 * anything else is touched, so that a second agent ends with one clear error and no side effect.
 */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { errorTable, TandemError } from '../errors.js';
import { formatEndpoint, type IpAddress } from '../wire/ipAddress.js';
import { type FailoverRequest, type FailoverResult, failoverMaxMs } from './failoverModel.js';
import { addOperatingRoutes, type OperatingActions } from './operatingRoutes.js';
import type { StatusDocument } from './statusModel.js';

/** What the agent does for its callers. */
export interface ApiActions extends OperatingActions {
  /** The present status. */
  status(): Promise<StatusDocument>;
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

/** Largest request body, in bytes; no action needs more than a few words. */
const requestBytesMax = 16 * 1024;

/** A listening interface. */
export interface ApiServer {
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
  const server = buildServer();
  offerReading(server, actions);
  offerActions(server, actions);
  try {
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o750 });
    await server.listen({ path: socketPath });
    chmodSync(socketPath, socketMode);
  } catch (cause) {
    await server.close();
    if (errorCode(cause) === 'EADDRINUSE') throw socketInUse(socketPath);
    throw new TandemError('API_SOCKET_UNUSABLE', `${socketPath}: ${errorText(cause)}`, { cause });
  }
  return { close: () => server.close() };
}

/**
 * Listens on a TCP port for those who only read: `GET /metrics` and `GET /v1/status`.
 *
 * Throws `API_SOCKET_UNUSABLE` when the address or port cannot be had.
 */
export async function startReadingServer(
  { address, port }: { readonly address: IpAddress; readonly port: number },
  actions: Pick<ApiActions, 'status'>,
): Promise<ApiServer> {
  const server = buildServer();
  offerReading(server, actions);
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
  return { close: () => server.close() };
}

function buildServer(): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit: requestBytesMax,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
  });
  server.setErrorHandler(async (error, _request, reply) => {
    if (error instanceof TandemError) {
      reply.code(error.exitCode === 2 ? 422 : 409);
      return errorBody(error);
    }
    const status = (error as { statusCode?: unknown }).statusCode;
    reply.code(typeof status === 'number' ? status : 500);
    return errorBody(new TandemError('INTERNAL', errorText(error)));
  });
  server.setNotFoundHandler(async (request, reply) => {
    reply.code(404);
    return errorBody(
      new TandemError('USAGE', `${request.method} ${request.url} is not part of this interface`, {
        hint: 'GET /v1/status and GET /metrics; on the socket POST /v1/reload and the like too',
      }),
    );
  });
  return server;
}

/** What changes nothing. */
function offerReading(server: FastifyInstance, actions: Pick<ApiActions, 'status'>): void {
  server.get('/v1/status', async () => actions.status());
  server.get('/metrics', async (_request, reply) => {
    // Its library is loaded for the first who asks; an agent that starts has no use for it.
    const { metricsContentType, metricsText } = await import('./metrics.js');
    reply.type(metricsContentType);
    return metricsText(await actions.status());
  });
}

/** What changes something, for those who may use the socket. */
function offerActions(server: FastifyInstance, actions: ApiActions): void {
  server.post('/v1/reload', async (request) => actions.reload(readForce(request.body)));
  server.post('/v1/failover', async (request) => actions.failover(readFailover(request.body)));
  server.post('/v1/sync/resync', async () => actions.resync());
  addOperatingRoutes(server, actions);
}

/** Reads the body of a reload request, which may be empty. Throws `USAGE`. */
function readForce(body: unknown): boolean {
  const { force = false } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof force === 'boolean') return force;
  throw new TandemError('USAGE', 'force must be true or false');
}

/** Reads the body of a failover request. Throws `USAGE` that says what is wrong with it. */
function readFailover(body: unknown): FailoverRequest {
  const fields = typeof body === 'object' && body !== null ? body : {};
  const { router, forMs, force = false } = fields as Readonly<Record<string, unknown>>;
  const isTime =
    typeof forMs === 'number' && Number.isInteger(forMs) && forMs >= 0 && forMs <= failoverMaxMs;
  if (!isTime) throw new TandemError('USAGE', `forMs must be 0 to ${failoverMaxMs}`);
  if (typeof force !== 'boolean') throw new TandemError('USAGE', 'force must be true or false');
  if (router === undefined) return { forMs, force };
  if (typeof router !== 'string') throw new TandemError('USAGE', 'router must be a name');
  return { router, forMs, force };
}

function errorBody(error: TandemError): ApiErrorBody {
  return { error: { code: error.code, message: error.message, hint: error.hint } };
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
