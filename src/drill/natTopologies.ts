/** The labs with address translation: answers come back through the director. */
import { type IpAddress, ipAddress } from '../wire/ipAddress.js';
import { addressRange, directorPriorities, directorSysctls, weightedServers } from './labParts.js';
import { clientAddressesMax, prefix, type Topology, type TopologyNode } from './topology.js';

const clients = {
  probers: addressRange('172.25.254.', 120, 8),
  persistent: addressRange('172.25.254.', 140, clientAddressesMax),
};

/** The NAT laboratory of the LVS notes, doubled to two directors. */
export const natTopology: Topology = {
  name: 'nat',
  title: 'address translation: answers come back through the director',
  networks: ['outside', 'inside'],
  serviceNetwork: 'outside',
  serverNetwork: 'inside',
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
            ...Object.values(clients)
              .flat()
              .map((address) => prefix(`${address}/24`)),
          ],
        },
      ],
      sysctls: {},
    },
    director('lb1', '172.25.254.101/24', '192.168.0.101/24'),
    director('lb2', '172.25.254.102/24', '192.168.0.102/24'),
    realServer('rs1', '192.168.0.10/24'),
    realServer('rs2', '192.168.0.20/24'),
    realServer('rs3', '192.168.0.30/24'),
  ],
  clients,
  virtualRouters: [
    { name: 'outside', vrid: 51, interface: 'eth0', addresses: [prefix('172.25.254.100/24')] },
    { name: 'inside', vrid: 52, interface: 'eth1', addresses: [prefix('192.168.0.100/24')] },
  ],
  serviceAddress: ipAddress('172.25.254.100'),
  services: [
    { name: 'web', listeners: [{ address: ipAddress('172.25.254.100'), port: 80 }] },
    {
      name: 'shop',
      listeners: [{ address: ipAddress('172.25.254.100'), port: 8080 }],
      persistence: '6m',
    },
  ],
  forward: 'nat',
  servers: weightedServers('192.168.0.'),
  priorities: directorPriorities,
  // The connection table is not for the clients' network.
  syncInterface: 'eth1',
};

const clients6 = {
  probers: addressRange('2001:db8:254::', 120, 8),
  persistent: addressRange('2001:db8:254::', 140, clientAddressesMax),
};

/** The same for clients and servers of IPv6. The directors know each other by IPv4. */
export const nat6Topology: Topology = {
  name: 'nat6',
  title: 'address translation with IPv6',
  networks: ['outside', 'inside'],
  serviceNetwork: 'outside',
  serverNetwork: 'inside',
  nodes: [
    {
      name: 'client',
      role: 'client',
      interfaces: [
        {
          name: 'eth0',
          network: 'outside',
          addresses: [
            prefix('2001:db8:254::111/64'),
            ...Object.values(clients6)
              .flat()
              .map((address) => prefix(`${address}/64`)),
            prefix('fe80::111/64'),
          ],
        },
      ],
      sysctls: {},
    },
    director6('lb1', 101),
    director6('lb2', 102),
    realServer6('rs1', 10),
    realServer6('rs2', 20),
    realServer6('rs3', 30),
  ],
  clients: clients6,
  virtualRouters: [
    {
      name: 'outside',
      vrid: 51,
      interface: 'eth0',
      addresses: [prefix('fe80::100/64'), prefix('2001:db8:254::100/64')],
    },
    {
      name: 'inside',
      vrid: 52,
      interface: 'eth1',
      addresses: [prefix('fe80::200/64'), prefix('fd00:192:168::100/64')],
    },
  ],
  serviceAddress: ipAddress('2001:db8:254::100'),
  services: [
    { name: 'web', listeners: [{ address: ipAddress('2001:db8:254::100'), port: 80 }] },
    {
      name: 'shop',
      listeners: [{ address: ipAddress('2001:db8:254::100'), port: 8080 }],
      persistence: '6m',
    },
  ],
  forward: 'nat',
  servers: weightedServers('fd00:192:168::'),
  priorities: directorPriorities,
  syncInterface: 'eth1',
};

function director(name: string, outside: string, inside: string): TopologyNode {
  return {
    name,
    role: 'director',
    interfaces: [
      { name: 'eth0', network: 'outside', addresses: [prefix(outside)] },
      { name: 'eth1', network: 'inside', addresses: [prefix(inside)] },
    ],
    sysctls: { ...directorSysctls, 'net.ipv4.ip_forward': '1' },
  };
}

function director6(name: string, host: number): TopologyNode {
  return {
    name,
    role: 'director',
    interfaces: [
      {
        name: 'eth0',
        network: 'outside',
        addresses: [`172.25.254.${host}/24`, `2001:db8:254::${host}/64`, `fe80::${host}/64`].map(
          prefix,
        ),
      },
      {
        name: 'eth1',
        network: 'inside',
        addresses: [`192.168.0.${host}/24`, `fd00:192:168::${host}/64`, `fe80::2:${host}/64`].map(
          prefix,
        ),
      },
    ],
    sysctls: { ...directorSysctls, 'net.ipv6.conf.all.forwarding': '1' },
  };
}

/** Answers must come back through the director that holds the inside address. */
function realServer(name: string, address: string): TopologyNode {
  return server(name, [address], ipAddress('192.168.0.100'));
}

function realServer6(name: string, host: number): TopologyNode {
  const addresses = [`fd00:192:168::${host}/64`, `fe80::${host}/64`];
  return server(name, addresses, ipAddress('fd00:192:168::100'));
}

function server(name: string, addresses: readonly string[], gateway: IpAddress): TopologyNode {
  return {
    name,
    role: 'real-server',
    interfaces: [{ name: 'eth0', network: 'inside', addresses: addresses.map(prefix) }],
    gateway,
    sysctls: {},
  };
}
