/** The table that the kernel shall have, from configuration, checks and what was there. Pure. */
import type { WeightReason } from '../api/statusModel.js';
import type { ServerConfig, ServiceConfig } from '../config/model.js';
import { checksOf } from '../config/serviceChecks.js';
import type { ServerHealth } from '../health/healthBoard.js';
import type { QuorumVerdict } from '../health/quorum.js';
import { formatEndpoint } from '../wire/ipAddress.js';
import type { IpvsServer, ServerIdentity, ServiceIdentity } from '../wire/ipvsModel.js';
import { isTakenOut, type ServerOverride } from './overrides.js';
import { applyPoolRules, isOutByChecks } from './poolRules.js';
import type { TableService } from './table.js';

/** Names a server of a service, and its check: `service/address:port`. */
export type ServerId = string;

/** What of the health of a server the weights depend on. */
export type WeighedHealth = Pick<
  ServerHealth,
  'state' | 'sinceUnixMs' | 'operation' | 'excused' | 'connectionsMax'
>;

/** The weight that a server shall have, and why. */
export interface WeightDecision {
  /** `null`: the server is not to be in the table. */
  readonly weight: number | null;
  readonly reason: WeightReason;
}

/** What the decisions are made from. */
export interface DesiredInput {
  readonly services: readonly ServiceConfig[];
  readonly health: ReadonlyMap<ServerId, WeighedHealth>;
  /** Weights that the kernel had when a service became ours. */
  readonly adoptedWeights: ReadonlyMap<ServerId, number>;
  /** The decisions of before: they tell who was in service, and what stays until a verdict. */
  readonly previous: ReadonlyMap<ServerId, WeightDecision>;
  /** What operators have set for servers; it counts before the configuration and the checks. */
  readonly overrides: ReadonlyMap<ServerId, ServerOverride>;
  /** Services that have a quorum, by name; absent ones are held to meet it. */
  readonly quorums?: ReadonlyMap<string, QuorumVerdict>;
}

/** The desired table, and for every configured server why it has its weight. */
export interface DesiredTable {
  readonly services: readonly TableService[];
  readonly decisions: ReadonlyMap<ServerId, WeightDecision>;
  /** Names of the services whose sorry server takes the traffic. */
  readonly sorry: ReadonlySet<string>;
}

/** The id of a server and its check. */
export function serverId(serviceName: string, server: ServerIdentity): ServerId {
  return `${serviceName}/${formatEndpoint(server.address, server.port)}`;
}

/** The name of the service that a server with such an id is in. */
export function serviceNameOf(id: ServerId): string {
  return id.slice(0, id.lastIndexOf('/'));
}

/** Makes the desired table. */
export function desiredTable(input: DesiredInput): DesiredTable {
  const decisions = new Map<ServerId, WeightDecision>();
  const sorry = new Set<string>();
  const services: TableService[] = [];
  for (const config of input.services) {
    const pool = decideService(config, input);
    for (const [id, decision] of pool.decisions) decisions.set(id, decision);
    if (pool.sorry) sorry.add(config.name);
    for (const identity of config.listeners) {
      const servers = config.servers.flatMap((server) => {
        const id = serverId(config.name, server);
        const weight = decisions.get(id)?.weight ?? null;
        if (weight === null) return [];
        const limited = withLimit(server, input.health.get(id)?.connectionsMax);
        return [tableServer(identity, limited, weight)];
      });
      const stand = sorryServer(config, identity, pool.sorry);
      services.push({ service: { identity, ...config.settings }, servers: [...servers, ...stand] });
    }
  }
  return { services, decisions, sorry };
}

/** Schedulers that hand a part of the clients to every server, whatever its weight. */
const weightlessSchedulers: readonly string[] = ['sh', 'dh'];

/**
 * The sorry server stays in the table with weight 0 while it is not needed, so that its connections
 * end in peace when the servers are back, unless the scheduler would send clients to it even then.
 */
function sorryServer(
  config: ServiceConfig,
  listener: ServiceIdentity,
  inUse: boolean,
): readonly IpvsServer[] {
  const { sorryServer: server, settings } = config;
  if (server === undefined) return [];
  if (inUse) return [tableServer(listener, server, Math.max(1, server.weight))];
  if (weightlessSchedulers.includes(settings.scheduler)) return [];
  return [tableServer(listener, server, 0)];
}

/**
 * A server as a listener's service has it. Routed and tunnelled packets keep their port, so there
 * the server's port is the listener's, as ipvsadm and keepalived write it too.
 */
export function listenerServerIdentity(
  listener: ServiceIdentity,
  server: Pick<ServerConfig, 'address' | 'port' | 'forwarding'>,
): ServerIdentity {
  const keepsPort = server.forwarding !== 'nat' && listener.kind === 'address';
  return { address: server.address, port: keepsPort ? listener.port : server.port };
}

/** A server may ask for fewer connections than are configured for it, and never for more. */
function withLimit(server: ServerConfig, connectionsMax: number | undefined): ServerConfig {
  const { upperThreshold, lowerThreshold } = server;
  if (connectionsMax === undefined) return server;
  if (upperThreshold > 0 && upperThreshold <= connectionsMax) return server;
  return {
    ...server,
    upperThreshold: connectionsMax,
    // The kernel needs the lower one below the upper one; 0 lets it choose.
    lowerThreshold: lowerThreshold < connectionsMax ? lowerThreshold : 0,
  };
}

/** Written out, since a large table is made of ten thousand of them at every change. */
function tableServer(listener: ServiceIdentity, server: ServerConfig, weight: number): IpvsServer {
  const { address, port } = listenerServerIdentity(listener, server);
  const { forwarding, encapsulation, upperThreshold, lowerThreshold } = server;
  const plain = { address, port, forwarding, weight, upperThreshold, lowerThreshold };
  return encapsulation === undefined ? plain : { ...plain, encapsulation };
}

function decideService(
  config: ServiceConfig,
  input: DesiredInput,
): { readonly decisions: ReadonlyMap<ServerId, WeightDecision>; readonly sorry: boolean } {
  const members = config.servers.map((server) => {
    const id = serverId(config.name, server);
    const before = input.previous.get(id);
    return {
      id,
      weightMeant: weightMeant(server, input.overrides.get(id)),
      decision: decideServer(config, server, id, input),
      sinceUnixMs: input.health.get(id)?.sinceUnixMs ?? 0,
      wasInService: before !== undefined && !isOutByChecks(before),
    };
  });
  const quorum = input.quorums?.get(config.name)?.state ?? 'met';
  const { changed, sorry } = applyPoolRules(config, members, quorum);
  const decisions = new Map(
    members.map(({ id, decision }) => [id, changed.get(id) ?? decision] as const),
  );
  return { decisions, sorry: sorry && config.sorryServer !== undefined };
}

function decideServer(
  config: ServiceConfig,
  server: ServerConfig,
  id: ServerId,
  input: DesiredInput,
): WeightDecision {
  const override = input.overrides.get(id);
  if (isTakenOut(override)) {
    return { weight: 0, reason: override?.kind === 'drain' ? 'drained' : 'maintenance' };
  }
  const weight = weightMeant(server, override);
  const configured: WeightDecision = {
    weight,
    reason: override === undefined ? 'configured' : 'weight-set',
  };
  if (checksOf(config).length === 0) return configured;
  const health = input.health.get(id);
  if (health?.excused === true) return { ...configured, reason: 'network-lost' };
  const { percent = 100, reason } = health?.operation ?? {};
  const outOfService: WeightDecision = {
    weight: config.whenDown === 'remove' ? null : 0,
    reason: reason ?? 'check-failed',
  };
  switch (health?.state ?? 'unknown') {
    case 'up':
      if (percent >= 100 || reason === undefined) return configured;
      return { weight: shareOf(weight, percent), reason };
    case 'down':
      return outOfService;
    case 'unknown': {
      const starting = config.health?.startDown === true;
      const unproven: WeightDecision = starting
        ? { ...outOfService, reason: 'not-checked-yet' }
        : configured;
      return decideUnknown(id, input, unproven, outOfService);
    }
  }
}

/** The weight of a server that is well: the operator's, or the configured one. */
function weightMeant(server: ServerConfig, override: ServerOverride | undefined): number {
  return override?.weight ?? server.weight;
}

/** A share of a weight, but never 0 while it is meant to take anything. */
function shareOf(weight: number, percent: number): number {
  if (weight === 0 || percent <= 0) return 0;
  return Math.min(weight, Math.max(1, Math.round((weight * percent) / 100)));
}

/** No verdict yet, after a start or because the check was changed: nothing moves until there is. */
function decideUnknown(
  id: ServerId,
  input: DesiredInput,
  unproven: WeightDecision,
  outOfService: WeightDecision,
): WeightDecision {
  const before = input.previous.get(id);
  if (before?.reason === 'not-checked-yet') return unproven;
  if (before !== undefined && isOutByChecks(before)) return outOfService;
  if (before !== undefined && before.reason !== 'adopted') return unproven;
  const adopted = input.adoptedWeights.get(id);
  // A server that the operator has taken out by weight 0 stays out, whatever the kernel had.
  if (adopted === undefined || unproven.weight === 0) return unproven;
  return { weight: adopted, reason: 'adopted' };
}
