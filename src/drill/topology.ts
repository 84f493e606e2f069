/** What a lab is made of, as data: networks, nodes, and how they are joined. */
import { type IpAddress, type IpPrefix, parseIpPrefix } from '../wire/ipAddress.js';

/** Names of the topologies that a lab can have. */
export const topologyNames = ['nat', 'dr', 'tunnel', 'fwmark', 'nat6'] as const;

/** A name of {@link topologyNames}. */
export type TopologyName = (typeof topologyNames)[number];

/** What a node of the lab is there for. */
export type NodeRole = 'client' | 'router' | 'director' | 'real-server';

/** One network interface of a node. */
export interface NodeInterface {
  readonly name: string;
  /** The network that it is plugged into. */
  readonly network: string;
  /** With an IPv6 address the last one is link-local; the kernel adds none itself. */
  readonly addresses: readonly IpPrefix[];
}

/** One machine of the lab: a network namespace. */
export interface TopologyNode {
  readonly name: string;
  readonly role: NodeRole;
  readonly interfaces: readonly NodeInterface[];
  /** The default route. */
  readonly gateway?: IpAddress;
  /** Kernel settings, as `sysctl` names them. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** A virtual router that both directors take part in. */
export interface TopologyVirtualRouter {
  readonly name: string;
  readonly vrid: number;
  readonly interface: string;
  /** All of one family; of IPv6 the first is link-local (RFC 9568, 5.2.9). */
  readonly addresses: readonly [IpPrefix, ...IpPrefix[]];
}

/** Where clients reach a service. */
export interface TopologyListener {
  readonly address: IpAddress;
  readonly port: number;
  /** Whether the servers speak HTTPS there. */
  readonly tls?: true;
}

/** A virtual service that both directors offer. */
export interface TopologyService {
  readonly name: string;
  /** With a firewall mark all are one service; without, there is one. */
  readonly listeners: readonly [TopologyListener, ...TopologyListener[]];
  /** The firewall mark that the agent's rules give to what comes to the listeners. */
  readonly mark?: number;
  /** Persistence timeout as the configuration writes it; absent: not persistent. */
  readonly persistence?: string;
}

/** A real server behind every service of the lab. */
export interface TopologyServer {
  readonly node: string;
  readonly address: IpAddress;
  readonly weight: number;
}

/** The addresses that the client node plays clients with. */
export interface TopologyClients {
  /** Plain requests come from these by turns, so that ports do not run out. */
  readonly probers: readonly IpAddress[];
  /** One for each persistent client; clients are told apart by their address. */
  readonly persistent: readonly IpAddress[];
}

/** A whole lab on paper. */
export interface Topology {
  readonly name: TopologyName;
  /** One line, for lists. */
  readonly title: string;
  /** One Ethernet each. */
  readonly networks: readonly string[];
  /** The network of the service addresses; adverts and announcements are captured here. */
  readonly serviceNetwork: string;
  /** The network of the real servers. */
  readonly serverNetwork: string;
  readonly nodes: readonly TopologyNode[];
  readonly clients: TopologyClients;
  readonly virtualRouters: readonly TopologyVirtualRouter[];
  /** The virtual IP address of the services. */
  readonly serviceAddress: IpAddress;
  readonly services: readonly TopologyService[];
  /** How packets reach the servers. */
  readonly forward: 'nat' | 'dr' | 'tunnel';
  readonly servers: readonly TopologyServer[];
  /** Priority of each director. */
  readonly priorities: Readonly<Record<string, number>>;
  /** The interface of the directors that the kernel's sync daemons talk at. */
  readonly syncInterface: string;
}

/** How many clients with an address of their own the client node can play. */
export const clientAddressesMax = 32;

/** The names of a topology's directors. */
export function directorNames(topology: Topology): readonly string[] {
  return topology.nodes.filter((node) => node.role === 'director').map((node) => node.name);
}

/** The service that is persistent, or the one that is not. Every topology has one of each. */
export function serviceOfKind(topology: Topology, persistent: boolean): TopologyService {
  const found = topology.services.find(
    ({ persistence }) => (persistence !== undefined) === persistent,
  );
  if (found === undefined) throw new RangeError(`${topology.name} has no such service`);
  return found;
}

/** The URL of a listener. */
export function listenerUrl({ address, port, tls }: TopologyListener): string {
  const scheme = tls === true ? 'https' : 'http';
  const host = address.includes(':') ? `[${address}]` : address;
  return `${scheme}://${host}${port === (tls === true ? 443 : 80) ? '' : `:${port}`}/`;
}

/** A prefix that is written in the program. Throws `RangeError` for a mistake. */
export function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new RangeError(`not a prefix: ${text}`);
  return parsed;
}
