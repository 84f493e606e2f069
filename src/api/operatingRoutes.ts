/** The routes by which an operator takes servers out, and looks at a reload before it is made. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import {
  type OverrideRequest,
  type OverrideResult,
  readOverrideRequest,
  readServersRequest,
  type ServersRequest,
  type ServersResult,
} from './overrideModel.js';
import { type PlanDocument, type PlanRequest, planBytesMax, readPlanRequest } from './planModel.js';

/** What the agent does for these routes. */
export interface OperatingActions {
  /**
   * Sets something for servers. `descriptor` is that of the caller's connection, and tells who it
   * is. Throws the {@link TandemError} that says why that cannot be.
   */
  override(request: OverrideRequest, descriptor: number | undefined): Promise<OverrideResult>;
  /** The servers that a text means. Throws `USAGE`. */
  servers(request: ServersRequest): Promise<ServersResult>;
  /** What loading a file would do. Throws what is wrong with the file. */
  plan(request: PlanRequest): Promise<PlanDocument>;
}

/** Adds the routes. */
export function addOperatingRoutes(server: FastifyInstance, actions: OperatingActions): void {
  server.post('/v1/overrides', async (request) =>
    actions.override(readOverrideRequest(request.body), descriptorOf(request.raw.socket)),
  );
  server.post('/v1/servers', async (request) => actions.servers(readServersRequest(request.body)));
  server.post('/v1/plan', { bodyLimit: planBytesMax }, async (request) =>
    actions.plan(readPlanRequest(request.body)),
  );
}

/** Node has no public way to the descriptor of a connection; without it the caller is unknown. */
function descriptorOf(socket: Socket): number | undefined {
  const handle = (socket as unknown as { _handle?: { fd?: unknown } | null })._handle;
  const descriptor = handle?.fd;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}
