/** What the status document says of services and servers. Pure. */
import type { AdminState, ServerStatus, ServiceStatus } from '../api/statusModel.js';
import type { ServerConfig, ServiceConfig } from '../config/model.js';
import { checksOf } from '../config/serviceChecks.js';
import type { ServerHealth } from '../health/healthBoard.js';
import type { QuorumVerdict } from '../health/quorum.js';
import type { HealthState } from '../health/reasons.js';
import type { ListedServer, ListedService, ServiceSettings } from '../wire/ipvsModel.js';
import { formatServerIdentity, formatServiceIdentity } from '../wire/ipvsText.js';
import { schedulerFlagList } from './command/schedulerFlagNames.js';
import { listenerServerIdentity, type ServerId, serverId, type WeightDecision } from './desired.js';
import { isTakenOut, type ServerOverride } from './overrides.js';
import {
  type IndexedService,
  indexTable,
  type ListedTableService,
  type ServiceKey,
} from './table.js';

/** What the statuses are made from. */
export interface ServiceStatusInput {
  readonly services: readonly ServiceConfig[];
  readonly decisions: ReadonlyMap<ServerId, WeightDecision>;
  /** The kernel's table as last read, with what was changed since. */
  readonly actual: readonly ListedTableService[];
  readonly checks: ReadonlyMap<ServerId, ServerHealth>;
  readonly quorums: ReadonlyMap<string, QuorumVerdict>;
  /** Services whose sorry server takes the traffic. */
  readonly sorry: ReadonlySet<string>;
  readonly overrides: ReadonlyMap<ServerId, ServerOverride>;
}

type ListedIndex = ReadonlyMap<ServiceKey, IndexedService<ListedService, ListedServer>>;

/** One status for every configured service, in the order of the configuration. */
export function serviceStatuses(input: ServiceStatusInput): readonly ServiceStatus[] {
  const index = indexTable(input.actual);
  return input.services.map((config) => ({
    name: config.name,
    listeners: config.listeners.map(formatServiceIdentity),
    ...schedulingStatus(config.settings),
    state: serviceState(config, input.checks),
    ...poolStatus(config, input),
    servers: config.servers.map((server) => serverStatus(config, server, input, index)),
  }));
}

function schedulingStatus({
  scheduler,
  schedulerFlags,
  persistence,
  persistenceEngine: engine,
  onePacket,
}: ServiceSettings): Pick<
  ServiceStatus,
  'scheduler' | 'schedulerFlags' | 'persistence' | 'onePacket'
> {
  const flags = schedulerFlagList(scheduler, schedulerFlags);
  return {
    scheduler,
    ...(flags.length === 0 ? {} : { schedulerFlags: flags }),
    ...(persistence === undefined
      ? {}
      : {
          persistence: {
            timeoutSeconds: persistence.timeoutSeconds,
            prefixLength: persistence.prefixLength,
            ...(engine === undefined ? {} : { engine }),
          },
        }),
    ...(onePacket ? { onePacket } : {}),
  };
}

function poolStatus(
  { name, health, servers, sorryServer }: ServiceConfig,
  { quorums, sorry, decisions }: ServiceStatusInput,
): Pick<ServiceStatus, 'quorum' | 'panic' | 'sorryServer'> {
  const ids = servers.map((server) => serverId(name, server));
  const verdict = quorums.get(name);
  return {
    ...(health?.quorum === undefined || verdict === undefined
      ? {}
      : { quorum: { ...verdict, of: health.quorum.of, min: health.quorum.min } }),
    ...(health?.panic === undefined
      ? {}
      : { panic: ids.some((id) => decisions.get(id)?.reason === 'panic') }),
    ...(sorryServer === undefined
      ? {}
      : {
          sorryServer: {
            address: sorryServer.address,
            port: sorryServer.port,
            ...forwardingStatus(sorryServer),
            inUse: sorry.has(name),
          },
        }),
  };
}

function serverStatus(
  config: ServiceConfig,
  server: ServerConfig,
  input: ServiceStatusInput,
  index: ListedIndex,
): ServerStatus {
  const id = serverId(config.name, server);
  const decision = input.decisions.get(id) ?? { weight: server.weight, reason: 'configured' };
  const check = input.checks.get(id);
  const override = input.overrides.get(id);
  const listed = listedServers(config, server, index);
  return {
    address: server.address,
    port: server.port,
    ...forwardingStatus(server),
    ...thresholdStatus(server),
    admin: adminState(server, override),
    operational: check?.state ?? 'unchecked',
    weight: {
      configured: server.weight,
      desired: decision.weight,
      kernel: listed[0]?.weight ?? null,
      reason: decision.reason,
    },
    ...(override === undefined ? {} : { override }),
    ...(check === undefined ? {} : { check }),
    connections: listed.length === 0 ? null : sumConnections(listed),
  };
}

function forwardingStatus({
  forwarding,
  encapsulation,
}: ServerConfig): Pick<ServerStatus, 'forwarding' | 'encapsulation'> {
  return { forwarding, ...(encapsulation === undefined ? {} : { encapsulation }) };
}

function thresholdStatus({
  upperThreshold: upper,
  lowerThreshold: lower,
}: ServerConfig): Pick<ServerStatus, 'thresholds'> {
  return upper === 0 ? {} : { thresholds: { upper, lower } };
}

function adminState(server: ServerConfig, override: ServerOverride | undefined): AdminState {
  if (override?.kind === 'drain') return 'drained';
  if (isTakenOut(override)) return 'maintenance';
  return (override?.weight ?? server.weight) === 0 ? 'disabled' : 'enabled';
}

/** The server's entries in the kernel, one for each listener of its service that has it. */
function listedServers(
  config: ServiceConfig,
  server: ServerConfig,
  index: ListedIndex,
): readonly ListedServer[] {
  return config.listeners.flatMap((listener) => {
    const key = formatServerIdentity(listenerServerIdentity(listener, server));
    const found = index.get(formatServiceIdentity(listener))?.servers.get(key);
    return found === undefined ? [] : [found];
  });
}

function sumConnections(servers: readonly ListedServer[]): ServerStatus['connections'] {
  const sum = (read: (server: ListedServer) => number): number =>
    servers.reduce((total, server) => total + read(server), 0);
  return {
    active: sum((server) => server.activeConnections),
    inactive: sum((server) => server.inactiveConnections),
    persistent: sum((server) => server.persistentConnections),
    total: sum((server) => Number(server.statistics.connections)),
  };
}

/** A service is up while one of its servers is; it is down when every one is known to be down. */
function serviceState(
  config: ServiceConfig,
  checks: ReadonlyMap<ServerId, ServerHealth>,
): HealthState {
  if (checksOf(config).length === 0) return 'up';
  const states = config.servers.map(
    (server) => checks.get(serverId(config.name, server))?.state ?? 'unknown',
  );
  if (states.includes('up')) return 'up';
  return states.includes('unknown') ? 'unknown' : 'down';
}
