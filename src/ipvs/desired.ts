/** The table that the kernel shall have, from configuration, checks and what was there. Pure. */
import type { WeightReason } from '../api/statusModel.js';
import type { ServerConfig, ServiceConfig } from '../config/model.js';
import type { CheckReport } from '../health/protocol.js';
import { formatEndpoint } from '../wire/ipAddress.js';
import type { IpvsServer, ServerIdentity, ServiceIdentity } from '../wire/ipvsModel.js';
import { isTakenOut, type ServerOverride } from './overrides.js';
import type { TableService } from './table.js';

/** Names a server of a service, and its check: `service/address:port`. */
export type ServerId = string;

/** What of a check's report the weights depend on. */
export type ServerHealth = Pick<CheckReport, 'state' | 'sinceUnixMs'>;

/** The weight that a server shall have, and why. */
export interface WeightDecision {
  /** `null`: the server is not to be in the table. */
  readonly weight: number | null;
  readonly reason: WeightReason;
}

/** What the decisions are made from. */
export interface DesiredInput {
  readonly services: readonly ServiceConfig[];
  readonly health: ReadonlyMap<ServerId, ServerHealth>;
  /** Weights that the kernel had when a service became ours. */
  readonly adoptedWeights: ReadonlyMap<ServerId, number>;
  /** The decisions of before: they tell who was in service, and what stays until a verdict. */
  readonly previous: ReadonlyMap<ServerId, WeightDecision>;
  /** What operators have set for servers; it counts before the configuration and the checks. */
  readonly overrides: ReadonlyMap<ServerId, ServerOverride>;
}

/** The desired table, and for every configured server why it has its weight. */
export interface DesiredTable {
  readonly services: readonly TableService[];
  readonly decisions: ReadonlyMap<ServerId, WeightDecision>;
}

/** The id of a server and its check. */
export function serverId(serviceName: string, server: ServerIdentity): ServerId {
  return `${serviceName}/${formatEndpoint(server.address, server.port)}`;
}

/** Makes the desired table. */
export function desiredTable(input: DesiredInput): DesiredTable {
  const decisions = new Map<ServerId, WeightDecision>();
  const services: TableService[] = [];
  for (const config of input.services) {
    for (const [id, decision] of decideService(config, input)) decisions.set(id, decision);
    for (const identity of config.listeners) {
      services.push({
        service: { identity, ...config.settings },
        servers: config.servers.flatMap((server) => {
          const weight = decisions.get(serverId(config.name, server))?.weight ?? null;
          return weight === null ? [] : [tableServer(identity, server, weight)];
        }),
      });
    }
  }
  return { services, decisions };
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

function tableServer(listener: ServiceIdentity, server: ServerConfig, weight: number): IpvsServer {
  return {
    ...listenerServerIdentity(listener, server),
    forwarding: server.forwarding,
    weight,
    upperThreshold: server.upperThreshold,
    lowerThreshold: server.lowerThreshold,
  };
}

function decideService(
  config: ServiceConfig,
  input: DesiredInput,
): ReadonlyMap<ServerId, WeightDecision> {
  const decisions = new Map(
    config.servers.map((server) => {
      const id = serverId(config.name, server);
      return [id, decideServer(config, server, id, input)] as const;
    }),
  );
  const serving = [...decisions.values()].some(({ weight }) => weight !== null && weight > 0);
  if (serving || config.whenAllDown !== 'keep-last') return decisions;
  const kept = lastServerUp(config, decisions, input);
  if (kept !== undefined) {
    decisions.set(serverId(config.name, kept), {
      weight: weightMeant(config, kept, input),
      reason: 'last-server-kept',
    });
  }
  return decisions;
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
  const configured: WeightDecision = {
    weight: override?.weight ?? server.weight,
    reason: override === undefined ? 'configured' : 'weight-set',
  };
  const outOfService: WeightDecision = {
    weight: config.whenDown === 'remove' ? null : 0,
    reason: 'check-failed',
  };
  if (config.check === undefined) return configured;
  switch (input.health.get(id)?.state ?? 'unknown') {
    case 'up':
      return configured;
    case 'down':
      return outOfService;
    case 'unknown':
      return decideUnknown(id, input, configured, outOfService);
  }
}

/** The weight of a server that is up: the operator's, or the configured one. */
function weightMeant(config: ServiceConfig, server: ServerConfig, input: DesiredInput): number {
  return input.overrides.get(serverId(config.name, server))?.weight ?? server.weight;
}

/** No verdict yet, after a start or because the check was changed: nothing moves until there is. */
function decideUnknown(
  id: ServerId,
  input: DesiredInput,
  configured: WeightDecision,
  outOfService: WeightDecision,
): WeightDecision {
  const before = input.previous.get(id);
  if (before !== undefined) {
    switch (before.reason) {
      case 'check-failed':
        return outOfService;
      case 'configured':
      case 'last-server-kept':
      case 'drained':
      case 'maintenance':
      case 'weight-set':
        return configured;
      case 'adopted':
        break;
    }
  }
  const adopted = input.adoptedWeights.get(id);
  // A server that the operator has taken out by weight 0 stays out, whatever the kernel had.
  if (adopted === undefined || configured.weight === 0) return configured;
  return { weight: adopted, reason: 'adopted' };
}

/**
 * The server that went down last, of those that are meant to take traffic. One that was in service
 * until now comes before one that has been down for longer, whatever the clocks say.
 */
function lastServerUp(
  config: ServiceConfig,
  decisions: ReadonlyMap<ServerId, WeightDecision>,
  input: DesiredInput,
): ServerConfig | undefined {
  let best: ServerConfig | undefined;
  let bestRank: readonly [number, number] = [0, 0];
  for (const server of config.servers) {
    const id = serverId(config.name, server);
    if (weightMeant(config, server, input) === 0 || decisions.get(id)?.reason !== 'check-failed')
      continue;
    const before = input.previous.get(id);
    const wasInService = before !== undefined && before.reason !== 'check-failed';
    const rank = [wasInService ? 1 : 0, input.health.get(id)?.sinceUnixMs ?? 0] as const;
    const better = rank[0] > bestRank[0] || (rank[0] === bestRank[0] && rank[1] > bestRank[1]);
    if (best === undefined || better) {
      best = server;
      bestRank = rank;
    }
  }
  return best;
}
