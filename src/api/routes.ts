/** What the agent's HTTP interface answers: its routes, and the words of what goes wrong. */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { TandemError } from '../errors.js';
import { type FailoverRequest, failoverMaxMs } from './failoverModel.js';
import { addOperatingRoutes } from './operatingRoutes.js';
import type { ApiActions, ApiErrorBody, ReadingActions } from './server.js';

/** Largest request body, in bytes; no action needs more than a few words. */
const requestBytesMax = 16 * 1024;

/** What answers the requests of a server that was made, and listens, without it. */
export interface Routes {
  /** Answers a request. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Takes no more requests. */
  close(): Promise<void>;
}

/** Everything, for those who may use the socket. */
export async function allRoutes(server: Server, actions: ApiActions): Promise<Routes> {
  const routes = new FastifyRoutes(server);
  offerReading(routes.fastify, actions);
  offerActions(routes.fastify, actions);
  await routes.fastify.ready();
  return routes;
}

/** What changes nothing, for everybody. */
export async function readingRoutes(server: Server, actions: ReadingActions): Promise<Routes> {
  const routes = new FastifyRoutes(server);
  offerReading(routes.fastify, actions);
  await routes.fastify.ready();
  return routes;
}

class FastifyRoutes implements Routes {
  readonly fastify: FastifyInstance;
  #answer: RequestListener | undefined;

  constructor(server: Server) {
    this.fastify = Fastify({
      logger: false,
      bodyLimit: requestBytesMax,
      serverFactory: (handler) => {
        this.#answer = handler;
        return server;
      },
    });
    addErrorAnswers(this.fastify);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    this.#answer?.(request, response);
  }

  async close(): Promise<void> {
    await this.fastify.close();
  }
}

function addErrorAnswers(server: FastifyInstance): void {
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
}

/** What changes nothing. */
function offerReading(server: FastifyInstance, actions: ReadingActions): void {
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

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
