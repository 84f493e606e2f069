/** What a lab is made of, as data: networks, nodes, and how they are joined. */
import { type IpAddress, type IpPrefix, ipAddress, parseIpPrefix } from '../wire/ipAddress.js';

/** Names of the topologies that a lab can have. */
export const topologyNames = ['nat'] as const;

/** A name of {@link topologyNames}. */
export type TopologyName = (typeof topologyNames)[number];

/** What a node of the lab is there for. */
export type NodeRole = 'client' | 'director' | 'real-server';

/** One network interface of a node. */
export interface NodeInterface {
  readonly name: string;
  /** The network that it is plugged into. */
  readonly network: string;
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
  readonly address: IpPrefix;
}

/** A virtual service that both directors offer. */
export interface TopologyService {
  readonly name: string;
  readonly port: number;
  /** Persistence timeout as the configuration writes it; absent: not persistent. */
  readonly persistence?: string;
}

/** A real server behind every service of the lab. */
export interface TopologyServer {
  readonly node: string;
  readonly address: IpAddress;
  readonly weight: number;
}

/** A whole lab on paper. */
export interface Topology {
  readonly name: TopologyName;
  /** One Ethernet each. */
  readonly networks: readonly string[];
  /** The network that the clients are in; adverts and ARP are captured here. */
  readonly clientNetwork: string;
  readonly nodes: readonly TopologyNode[];
  readonly virtualRouters: readonly TopologyVirtualRouter[];
  /** The virtual IP address of the services. */
  readonly serviceAddress: IpAddress;
  readonly services: readonly TopologyService[];
  readonly servers: readonly TopologyServer[];
  /** Priority of each director. */
  readonly priorities: Readonly<Record<string, number>>;
}

/** How many clients with an address of their own the client node can play. */
export const clientAddressesMax = 32;

const proberAddressCount = 8;

/** The addresses that plain requests come from; several, so that ports do not run out. */
export const proberAddresses: readonly IpAddress[] = clientAddresses(120, proberAddressCount);

/** The address of the n-th persistent client; clients are told apart by their address. */
export function persistentClientAddress(index: number): IpAddress {
  return ipAddress(`172.25.254.${140 + (index % clientAddressesMax)}`);
}

/** The NAT laboratory of the LVS notes, doubled to two directors. */
export const natTopology: Topology = {
  name: 'nat',
  networks: ['outside', 'inside'],
  clientNetwork: 'outside',
  nodes: [
    {
      name: 'client',
      role: 'client',
      interfaces: [
        {
          name: 'eth0',
          network: 'outside',
          addresses: [
            prefix('172.25.254.111/24'),
            ...[...proberAddresses, ...clientAddresses(140, clientAddressesMax)].map((address) =>
              prefix(`${address}/24`),
            ),
          ],
        },
      ],
      sysctls: {},
    },
    director('lb1', '172.25.254.101/24', '192.168.0.101/24'),
    director('lb2', '172.25.254.102/24', '192.168.0.102/24'),
    realServer('rs1', '192.168.0.10/24'),
    realServer('rs2', '192.168.0.20/24'),
  ],
  virtualRouters: [
    { name: 'outside', vrid: 51, interface: 'eth0', address: prefix('172.25.254.100/24') },
    { name: 'inside', vrid: 52, interface: 'eth1', address: prefix('192.168.0.100/24') },
  ],
  serviceAddress: ipAddress('172.25.254.100'),
  services: [
    { name: 'web', port: 80 },
    { name: 'shop', port: 8080, persistence: '6m' },
  ],
  servers: [
    { node: 'rs1', address: ipAddress('192.168.0.10'), weight: 2 },
    { node: 'rs2', address: ipAddress('192.168.0.20'), weight: 1 },
  ],
  priorities: { lb1: 150, lb2: 100 },
};

/** Every topology by its name. */
export const topologies: Readonly<Record<TopologyName, Topology>> = { nat: natTopology };

/** The names of a topology's directors. */
export function directorNames(topology: Topology): readonly string[] {
  return topology.nodes.filter((node) => node.role === 'director').map((node) => node.name);
}

function director(name: string, outside: string, inside: string): TopologyNode {
  return {
    name,
    role: 'director',
    interfaces: [
      { name: 'eth0', network: 'outside', addresses: [prefix(outside)] },
      { name: 'eth1', network: 'inside', addresses: [prefix(inside)] },
    ],
    sysctls: {
      'net.ipv4.ip_forward': '1',
      // Without it a persistent client goes on to its server although that has weight 0.
      'net.ipv4.vs.expire_quiescent_template': '1',
    },
  };
}

/** In NAT mode answers must come back through the director that holds the inside address. */
function realServer(name: string, address: string): TopologyNode {
  return {
    name,
    role: 'real-server',
    interfaces: [{ name: 'eth0', network: 'inside', addresses: [prefix(address)] }],
    gateway: ipAddress('192.168.0.100'),
    sysctls: {},
  };
}

function clientAddresses(first: number, count: number): IpAddress[] {
  return Array.from({ length: count }, (_, index) => ipAddress(`172.25.254.${first + index}`));
}

function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new RangeError(`not a prefix: ${text}`);
  return parsed;
}
