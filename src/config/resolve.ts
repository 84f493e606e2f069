/** From a file without errors to the configuration as one node uses it. */

import type { VirtualRouterSpec } from '../vrrp/protocol.js';
import { bitsOf, familyOf, type IpFamily, ipAddress } from '../wire/ipAddress.js';
import type { ServiceIdentity } from '../wire/ipvsModel.js';
import { familyOfMark } from './checks/marks.js';
import { commonPort } from './checks/servers.js';
import type {
  ConnectionSyncConfig,
  NodeConfig,
  PeeringConfig,
  ServerConfig,
  ServiceConfig,
  SystemConfig,
  TandemConfig,
} from './model.js';
import { rememberedByObject } from './remembered.js';
import { resolveAdvertisements } from './resolveAdvertisements.js';
import { resolveBfd } from './resolveBfd.js';
import { resolveHealth, resolveServiceHealth } from './resolveHealth.js';
import { resolveMoving } from './resolveMoving.js';
import { resolveHooks, resolveTrackers } from './resolveTrackers.js';
import { onNode, type PerNode } from './schema/containerTypes.js';
import type { RootComplete } from './schema/rootDefinition.js';
import { schedulerFlags } from './schema/serviceDefinition.js';

type RouterComplete = RootComplete['virtualRouters'][number];
type ServiceComplete = RootComplete['services'][number];

/** The configuration of every node, in the order of the file. */
export function resolveNodes(root: RootComplete): readonly TandemConfig[] {
  const nodes = [...root.nodes].map(([name, node]): NodeConfig => ({ name, ...node }));
  const services = root.services.map(resolveService);
  return nodes.map((node) => ({
    cluster: root.cluster,
    node,
    nodes,
    virtualRouters: root.virtualRouters.map((router) => resolveRouter(router, node, nodes)),
    syncGroups: root.syncGroups.map(({ name, members }) => ({ name, members })),
    trackers: resolveTrackers(root, node),
    hooks: resolveHooks(root),
    bfd: resolveBfd(root, node, nodes),
    services,
    health: resolveHealth(root.health),
    ipvs: { onStop: root.ipvs.onStop, auditIntervalMs: root.ipvs.auditInterval },
    system: resolveSystem(root.system),
    overrides: root.overrides,
    reload: { maxRemovedShare: root.reload.maxRemovedShare / 100 },
    ...resolvePeering(root.peering, node, nodes),
    connectionSync: resolveConnectionSync(root.connectionSync, node),
    guard: root.guard,
    realtime: { ...root.realtime, cpus: root.realtime.cpus ?? null },
    api: { socket: root.api.socket, ...(root.api.listen && { listen: root.api.listen }) },
    log: root.log,
  }));
}

function resolveRouter(
  router: RouterComplete,
  node: NodeConfig,
  nodes: readonly NodeConfig[],
): VirtualRouterSpec {
  const routerInterface = interfaceOn(router.interface, node, node.interface);
  return {
    name: router.name,
    vrid: router.vrid,
    interface: routerInterface,
    // The cross checks saw to it that every node has a priority.
    priority: onNode(router.priority, node.name) ?? 1,
    peerPriorities: nodes
      .filter((other) => other !== node)
      .map((other) => onNode(router.priority, other.name) ?? 1),
    ...(nodes.length === 2 ? { onlyBackup: true } : {}),
    advertIntervalCs: router.advertInterval / 10,
    preempt: { enabled: router.preempt.enabled, delayMs: router.preempt.delay },
    startupDelayMs: router.startupDelay,
    ...resolveAdvertisements(router, node, nodes),
    ...resolveMoving(router, node.name, routerInterface),
    checksum: router.checksum,
    ...(router.bfd === undefined ? {} : { bfd: router.bfd }),
    announcements: {
      repeat: router.announcements.repeat,
      delayMs: router.announcements.delay,
      refreshMs: router.announcements.refresh,
    },
  };
}

function interfaceOn(
  value: PerNode<string> | undefined,
  node: NodeConfig,
  otherwise: string,
): string {
  return (value === undefined ? undefined : onNode(value, node.name)) ?? otherwise;
}

/** A service that a reload leaves as it is stays the same object, which others need not compare. */
const resolveService = rememberedByObject((service: ServiceComplete): ServiceConfig => {
  const { persistence } = service;
  const listeners = listenersOf(service);
  const [first] = listeners;
  const family = first?.kind === 'address' ? familyOf(first.address) : (first?.family ?? 4);
  const port = commonPort(service) ?? 0;
  const server = (each: ServiceComplete['servers'][number]): ServerConfig => ({
    address: each.address.address,
    port: each.address.port ?? port,
    weight: each.weight,
    forwarding: each.forward ?? service.forward,
    ...encapsulationOf(each.forward ?? service.forward, each.tunnel ?? service.tunnel),
    upperThreshold: each.upperThreshold,
    lowerThreshold: each.lowerThreshold,
  });
  return {
    name: service.name,
    listeners,
    settings: {
      scheduler: service.scheduler,
      onePacket: service.onePacket,
      schedulerFlags: service.schedulerFlags.reduce(
        (mask, flag) => mask | schedulerFlags[flag].bit,
        0,
      ),
      ...(persistence === undefined
        ? {}
        : { persistence: resolvePersistence(persistence, family) }),
      ...(persistence?.engine === undefined ? {} : { persistenceEngine: persistence.engine }),
    },
    ...(service.marks === undefined ? {} : { marks: service.marks }),
    whenDown: service.whenDown,
    ...resolveServiceHealth(service),
    whenAllDown: service.whenAllDown,
    ...(service.sorryServer === undefined ? {} : { sorryServer: server(service.sorryServer) }),
    servers: service.servers.map(server),
  };
});

function listenersOf(service: ServiceComplete): readonly ServiceIdentity[] {
  if (service.fwmark === undefined) {
    return (service.listen ?? []).map((listen) => ({ kind: 'address', ...listen }));
  }
  const family = familyOfMark(service);
  return [{ kind: 'fwmark', family, fwmark: service.fwmark }];
}

function resolveSystem({ masquerade, ...rest }: RootComplete['system']): SystemConfig {
  const rules = masquerade.map(({ from, interface: name }) => ({
    source: from,
    ...(name === undefined ? {} : { interface: name }),
  }));
  return { ...rest, masquerade: rules };
}

/** IP in IP, which every kernel knows, is the absence of anything else. */
function encapsulationOf(
  forwarding: ServerConfig['forwarding'],
  tunnel: ServiceComplete['tunnel'],
): Pick<ServerConfig, 'encapsulation'> {
  if (forwarding !== 'tunnel' || tunnel === undefined || tunnel.type === 'ipip') return {};
  return { encapsulation: tunnel };
}

function resolvePersistence(
  persistence: NonNullable<ServiceComplete['persistence']>,
  family: IpFamily,
) {
  return {
    timeoutSeconds: persistence.timeout / 1000,
    prefixLength: persistence.prefixLength ?? persistence.netmask ?? bitsOf(family),
  };
}

function resolvePeering(
  peering: RootComplete['peering'],
  node: NodeConfig,
  nodes: readonly NodeConfig[],
): { readonly peering?: PeeringConfig } {
  const peer = nodes.find((other) => other !== node);
  if (peering === undefined || peer === undefined) return {};
  const addressesOf = ({ name, address }: NodeConfig) => peering.addresses?.get(name) ?? [address];
  const peerAddresses = addressesOf(peer);
  // The cross checks saw to it that both nodes have the same number of addresses.
  const paths = addressesOf(node).map((own, index) => ({
    own,
    peer: peerAddresses[index] ?? peer.address,
  }));
  return { peering: { peer: peer.name, port: peering.port, keyFile: peering.key.file, paths } };
}

/** The kernel's own defaults. */
const syncGroup = ipAddress('224.0.0.81');
const syncPort = 8848;

function resolveConnectionSync(
  sync: RootComplete['connectionSync'],
  node: NodeConfig,
): ConnectionSyncConfig {
  if (sync.mode === 'off') return { mode: 'off' };
  if (sync.mode === 'relay') {
    return {
      mode: 'relay',
      syncId: sync.syncId,
      group: sync.group ?? syncGroup,
      port: sync.port ?? syncPort,
      portCount: sync.ports,
      entriesMax: sync.maxEntries,
      joinWaitMs: sync.joinWait,
    };
  }
  return {
    mode: 'kernel',
    interface: interfaceOn(sync.interface, node, node.interface),
    syncId: sync.syncId,
    ...(sync.group === undefined ? {} : { group: sync.group }),
    ...(sync.port === undefined ? {} : { port: sync.port }),
    ...(sync.ttl === undefined ? {} : { ttl: sync.ttl }),
    ...(sync.maxLength === undefined ? {} : { maxLengthBytes: sync.maxLength }),
  };
}
