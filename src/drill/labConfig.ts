/** The configuration files of a lab's directors. */
import { stringify } from 'yaml';
import { formatEndpoint, formatIpPrefix } from '../wire/ipAddress.js';
import { directorNames, type Topology, type TopologyService } from './topology.js';

/** Timings of a lab; the promises of the scenarios are computed from them. */
export const labTimings = {
  advertIntervalMs: 1_000,
  checkIntervalMs: 500,
  checkTimeoutMs: 400,
  checkRise: 2,
  checkFall: 2,
} as const;

/** Timings that a lab can have instead. */
export type LabTimings = { readonly [Name in keyof typeof labTimings]: number };

/** Writes the configuration of one director as YAML. */
export function labConfig(
  topology: Topology,
  socketPath: string,
  timings: LabTimings = labTimings,
): string {
  const directors = directorNames(topology);
  const addressOf = (node: string, interfaceName: string): string =>
    topology.nodes
      .find(({ name }) => name === node)
      ?.interfaces.find(({ name }) => name === interfaceName)?.addresses[0]?.address ?? '';
  return stringify({
    cluster: `lab-${topology.name}`,
    nodes: Object.fromEntries(
      directors.map((name) => [name, { address: addressOf(name, 'eth0'), interface: 'eth0' }]),
    ),
    virtualRouters: topology.virtualRouters.map((router) => ({
      name: router.name,
      vrid: router.vrid,
      interface: router.interface,
      priority: topology.priorities,
      advertInterval: `${timings.advertIntervalMs}ms`,
      addresses: router.addresses.map(formatIpPrefix),
    })),
    syncGroups: [{ name: 'edge', members: topology.virtualRouters.map(({ name }) => name) }],
    services: topology.services.map((service) => serviceConfig(topology, service, timings)),
    connectionSync: { mode: 'kernel', interface: topology.syncInterface },
    api: { socket: socketPath },
    // Labs share a file system, and this machine may have an agent of its own.
    overrides: {
      stateFile: `${socketPath}.overrides.json`,
      maintenanceFolder: `${socketPath}.maintenance`,
    },
    log: { level: 'debug' },
  });
}

function serviceConfig(topology: Topology, service: TopologyService, timings: LabTimings): unknown {
  const [{ port }] = service.listeners;
  return {
    name: service.name,
    ...listenConfig(service),
    scheduler: 'wrr',
    forward: topology.forward,
    ...(service.persistence === undefined ? {} : { persistence: { timeout: service.persistence } }),
    check: {
      type: 'http',
      path: '/healthz',
      ...(service.mark === undefined ? {} : { port }),
      expect: { status: '200-299' },
      interval: `${timings.checkIntervalMs}ms`,
      timeout: `${timings.checkTimeoutMs}ms`,
      rise: timings.checkRise,
      fall: timings.checkFall,
    },
    servers: topology.servers.map((server) => ({
      // Behind a mark every packet keeps its port.
      address: service.mark === undefined ? formatEndpoint(server.address, port) : server.address,
      weight: server.weight,
    })),
  };
}

function listenConfig({ mark, listeners }: TopologyService): object {
  const urls = listeners.map(({ address, port }) => `tcp://${formatEndpoint(address, port)}`);
  return mark === undefined ? { listen: urls } : { fwmark: mark, marks: urls };
}
