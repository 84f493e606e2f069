/** The labs behind a router, in which the servers answer the clients themselves. */
import { ipAddress } from '../wire/ipAddress.js';
import { addressRange, directorPriorities, directorSysctls, weightedServers } from './labParts.js';
import { clientAddressesMax, prefix, type Topology, type TopologyNode } from './topology.js';

const routerAddress = ipAddress('192.168.0.100');
const serviceAddress = ipAddress('192.168.0.220');
/** The second address of the firewall mark. */
const secondAddress = ipAddress('192.168.0.221');

const clients = {
  probers: addressRange('172.25.254.', 120, 8),
  persistent: addressRange('172.25.254.', 140, clientAddressesMax),
};

const client: TopologyNode = {
  name: 'client',
  role: 'client',
  interfaces: [
    {
      name: 'eth0',
      network: 'outside',
      addresses: [
        prefix('172.25.254.111/24'),
        ...Object.values(clients)
          .flat()
          .map((address) => prefix(`${address}/24`)),
      ],
    },
  ],
  gateway: ipAddress('172.25.254.100'),
  sysctls: {},
};

/** The direct routing laboratory of the LVS notes, doubled to two directors. */
export const drTopology: Topology = {
  name: 'dr',
  title: 'direct routing: the servers answer themselves, with the virtual address on lo',
  networks: ['outside', 'inside'],
  serviceNetwork: 'inside',
  serverNetwork: 'inside',
  nodes: [
    client,
    router([]),
    director('lb1', '192.168.0.200/24'),
    director('lb2', '192.168.0.201/24'),
    ...realServers('inside', '192.168.0', routerAddress),
  ],
  clients,
  virtualRouters: [
    { name: 'web', vrid: 61, interface: 'eth0', addresses: [prefix('192.168.0.220/24')] },
  ],
  serviceAddress,
  services: [
    { name: 'web', listeners: [{ address: serviceAddress, port: 80 }] },
    { name: 'shop', listeners: [{ address: serviceAddress, port: 8080 }], persistence: '6m' },
  ],
  forward: 'dr',
  servers: weightedServers('192.168.0.'),
  priorities: directorPriorities,
  syncInterface: 'eth0',
};

/** Servers in another network than the directors, reached through IP-in-IP tunnels. */
export const tunnelTopology: Topology = {
  ...drTopology,
  name: 'tunnel',
  title: 'tunnels: the servers are in another network and answer themselves',
  networks: ['outside', 'inside', 'far'],
  serverNetwork: 'far',
  nodes: [
    client,
    router([{ name: 'eth2', network: 'far', addresses: [prefix('192.168.1.100/24')] }]),
    director('lb1', '192.168.0.200/24'),
    director('lb2', '192.168.0.201/24'),
    ...realServers('far', '192.168.1', ipAddress('192.168.1.100')),
  ],
  virtualRouters: [
    { name: 'web', vrid: 71, interface: 'eth0', addresses: [prefix('192.168.0.220/24')] },
  ],
  forward: 'tunnel',
  servers: weightedServers('192.168.1.'),
};

/** Direct routing of several ports and addresses as one service, by a firewall mark. */
export const fwmarkTopology: Topology = {
  ...drTopology,
  name: 'fwmark',
  title: 'firewall marks: several ports and addresses are one service',
  virtualRouters: [
    {
      name: 'web',
      vrid: 81,
      interface: 'eth0',
      addresses: [prefix('192.168.0.220/24'), prefix('192.168.0.221/24')],
    },
  ],
  services: [
    {
      name: 'web',
      mark: 66,
      listeners: [
        { address: serviceAddress, port: 80 },
        { address: serviceAddress, port: 443, tls: true },
        { address: secondAddress, port: 80 },
      ],
    },
    {
      name: 'shop',
      mark: 6666,
      listeners: [
        { address: serviceAddress, port: 8080 },
        { address: serviceAddress, port: 8443, tls: true },
      ],
      persistence: '50m',
    },
  ],
};

function router(more: TopologyNode['interfaces']): TopologyNode {
  return {
    name: 'router',
    role: 'router',
    interfaces: [
      { name: 'eth0', network: 'outside', addresses: [prefix('172.25.254.100/24')] },
      { name: 'eth1', network: 'inside', addresses: [prefix('192.168.0.100/24')] },
      ...more,
    ],
    sysctls: {
      'net.ipv4.ip_forward': '1',
      // Answers from the virtual address may come from another side than the director's.
      'net.ipv4.conf.all.rp_filter': '0',
      'net.ipv4.conf.default.rp_filter': '0',
    },
  };
}

function director(name: string, address: string): TopologyNode {
  return {
    name,
    role: 'director',
    interfaces: [{ name: 'eth0', network: 'inside', addresses: [prefix(address)] }],
    gateway: routerAddress,
    sysctls: {
      ...directorSysctls,
      // A client that uses a port again would go to the server it had, even one of weight 0.
      'net.ipv4.vs.conn_reuse_mode': '3',
    },
  };
}

/** Prepared by `tandem realserver apply` when the lab starts. */
function realServers(
  network: string,
  subnet: string,
  gateway: typeof routerAddress,
): readonly TopologyNode[] {
  return weightedServers(`${subnet}.`).map(({ node, address }) => ({
    name: node,
    role: 'real-server',
    interfaces: [{ name: 'eth0', network, addresses: [prefix(`${address}/24`)] }],
    gateway,
    sysctls: {},
  }));
}
