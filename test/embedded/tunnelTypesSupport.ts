/** A lab of both families behind a router, and what packets in each kind of tunnel look like. */
import assert from 'node:assert/strict';
import { tunnelTopology } from '../../src/drill/routedTopologies.js';
import { prefix, type Topology, type TopologyNode } from '../../src/drill/topology.js';
import { internetChecksum, onesComplementSum } from '../../src/wire/checksum.js';
import { type IpAddress, ipAddress, ipToBytes } from '../../src/wire/ipAddress.js';
import { decodeIpPacket, type IpPacket } from '../../src/wire/ipPacket.js';

/** The virtual addresses. */
export const virtual = {
  4: ipAddress('192.168.0.220'),
  6: ipAddress('2001:db8:10::220'),
} as const;

/** One of the two servers. */
export function serverAddress(family: 4 | 6, number: 1 | 2): IpAddress {
  return ipAddress(`${family === 4 ? '192.168.1.' : '2001:db8:11::'}${number}0`);
}

/** How a service wraps its packets, and what is on the wire. */
export interface Way {
  readonly port: number;
  /** The families of the virtual address and of the server. */
  readonly inner: 4 | 6;
  readonly outer: 4 | 6;
  /** The one server of the service. One server takes GRE either with checksums or without. */
  readonly server: 1 | 2;
  /** As the file says it. */
  readonly tunnel: string;
  /** Looks at what follows the outer header, and gives the packet inside. */
  readonly open: (outer: IpPacket, way: Way) => Uint8Array;
}

const guePort = 6080;
const protocols = { ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47 } as const;
const etherTypes = { 4: 0x0800, 6: 0x86dd } as const;

const ipip = { tunnel: '{ type: ipip }', open: openIpip };
const gue = (checksum: 'none' | 'full' | 'remote') => ({
  tunnel: `{ type: gue, port: ${guePort}, checksum: ${checksum} }`,
  open: (outer: IpPacket, way: Way) => openGue(outer, way, checksum),
});
const gre = (checksum: 'none' | 'full') =>
  ({
    tunnel: `{ type: gre, checksum: ${checksum} }`,
    server: checksum === 'none' ? 1 : 2,
    open: (outer: IpPacket, way: Way) => openGre(outer, way, checksum),
  }) as const;

const kinds = [ipip, gue('none'), gue('full'), gue('remote'), gre('none'), gre('full')];

/** Every kind of tunnel between every two families. */
export const ways: readonly Way[] = ([4, 6] as const).flatMap((inner) =>
  ([4, 6] as const).flatMap((outer) =>
    kinds.map((kind, index) => ({
      server: 1 as const,
      ...kind,
      inner,
      outer,
      port: 8000 + 100 * inner + 10 * outer + index,
    })),
  ),
);

/** A name for one of them. */
export function wayName({ inner, outer, tunnel }: Way): string {
  return `IPv${inner} in IPv${outer}, ${tunnel}`;
}

function openIpip({ protocol, payload }: IpPacket, { inner }: Way): Uint8Array {
  assert.equal(protocol, inner === 4 ? protocols.ipip : protocols.ipv6);
  return payload;
}

/** RFC 2784: the flags, the EtherType, and the checksum when its flag is there. */
function openGre({ protocol, payload }: IpPacket, way: Way, checksum: 'none' | 'full'): Uint8Array {
  assert.equal(protocol, protocols.gre);
  const bytes = Buffer.from(payload);
  assert.equal(bytes.readUInt16BE(0), checksum === 'full' ? 0x8000 : 0);
  assert.equal(bytes.readUInt16BE(2), etherTypes[way.inner]);
  if (checksum === 'none') return payload.subarray(4);
  assert.equal(bytes.readUInt16BE(6), 0);
  const inner = payload.subarray(8);
  assert.equal(onesComplementSum([payload.subarray(0, 8), withChecksum(inner)]), 0xffff);
  return inner;
}

/** draft-ietf-intarea-gue-09 and `net/gue.h`: UDP, four bytes, and the private flags of Linux. */
function openGue(outer: IpPacket, way: Way, checksum: 'none' | 'full' | 'remote'): Uint8Array {
  const { protocol, payload } = outer;
  assert.equal(protocol, protocols.udp);
  const bytes = Buffer.from(payload);
  assert.equal(bytes.readUInt16BE(2), guePort);
  assert.equal(bytes.readUInt16BE(4), payload.length);
  assert.equal(bytes.readUInt16BE(6) !== 0, checksum !== 'none', 'a UDP checksum');
  // Variant 0, no control message; the extensions in words.
  assert.equal(bytes.readUInt8(8), checksum === 'remote' ? 2 : 0);
  assert.equal(bytes.readUInt8(9), way.inner === 4 ? protocols.ipip : protocols.ipv6);
  assert.equal(bytes.readUInt16BE(10), checksum === 'remote' ? 1 : 0);
  if (checksum === 'none') return payload.subarray(12);
  if (checksum === 'full') {
    const inner = payload.subarray(12);
    const covered = [pseudoHeaderOf(outer, protocols.udp), payload.subarray(0, 12)];
    assert.equal(onesComplementSum([...covered, withChecksum(inner)]), 0xffff);
    return inner;
  }
  // Where the inner checksum begins and where it is to be put, from the packet inside on.
  assert.equal(bytes.readUInt32BE(12), 0x8000_0000);
  const header = way.inner === 4 ? 20 : 40;
  assert.deepEqual([bytes.readUInt16BE(16), bytes.readUInt16BE(18)], [header, header + 16]);
  return payload.subarray(20);
}

function pseudoHeaderOf(packet: Omit<IpPacket, 'timeToLive'>, protocol: number): Uint8Array {
  const { source, destination, payload } = packet;
  const rest = Buffer.from([0, protocol, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([ipToBytes(source), ipToBytes(destination), rest]);
}

/**
 * A TCP packet with its checksum worked out, as a network card would have sent it: virtual links
 * leave it undone, and the outer checksum is made for the finished packet.
 */
function withChecksum(packet: Uint8Array): Uint8Array {
  const { protocol, payload, ...ends } = decodeIpPacket(packet);
  assert.equal(protocol, protocols.tcp);
  const done = Buffer.from(packet);
  const at = packet.length - payload.length;
  done.writeUInt16BE(0, at + 16);
  const header = pseudoHeaderOf({ ...ends, protocol, payload }, protocol);
  done.writeUInt16BE(internetChecksum([header, done.subarray(at)]), at + 16);
  return done;
}

function node(
  name: string,
  role: TopologyNode['role'],
  links: readonly (readonly [network: string, number: number])[],
): TopologyNode {
  const networks = {
    outside: ['172.25.254', 12],
    inside: ['192.168.0', 10],
    far: ['192.168.1', 11],
  };
  return {
    name,
    role,
    interfaces: links.map(([network, number], index) => {
      const [ipv4, ipv6] = networks[network as keyof typeof networks];
      const addresses = [`${ipv4}.${number}/24`, `2001:db8:${ipv6}::${number}/64`];
      return {
        name: `eth${index}`,
        network,
        addresses: [...addresses, `fe80::${number}/64`].map(prefix),
      };
    }),
    sysctls:
      role === 'router'
        ? {
            'net.ipv4.ip_forward': '1',
            'net.ipv6.conf.all.forwarding': '1',
            'net.ipv4.conf.all.rp_filter': '0',
            'net.ipv4.conf.default.rp_filter': '0',
          }
        : {},
  };
}

const router = 100;

/** Default routes of both families, as `ip route` takes them: the node, and its network. */
export const routes: readonly (readonly string[])[] = (
  [
    ['client', '172.25.254', 12],
    ['lb1', '192.168.0', 10],
    ['rs1', '192.168.1', 11],
    ['rs2', '192.168.1', 11],
  ] as const
).flatMap(([name, ipv4, ipv6]) => [
  [name, `ip route add default via ${ipv4}.${router}`],
  [name, `ip -6 route add default via 2001:db8:${ipv6}::${router}`],
]);

/** The lab `tunnel` with both families everywhere. The test prepares the servers itself. */
export const tunnelTypesTopology: Topology = {
  ...tunnelTopology,
  nodes: [
    node('client', 'client', [['outside', 111]]),
    node('router', 'router', [
      ['outside', router],
      ['inside', router],
      ['far', router],
    ]),
    node('lb1', 'director', [['inside', 200]]),
    node('lb2', 'director', [['inside', 201]]),
    node('rs1', 'real-server', [['far', 10]]),
    node('rs2', 'real-server', [['far', 20]]),
  ],
  services: [
    {
      name: 'all',
      listeners: [
        { address: virtual[4], port: 80 },
        ...ways.map(({ port }) => ({ address: virtual[4], port })),
      ],
    },
  ],
  forward: 'nat',
  // At an IPv6 address servers listen for both families.
  servers: ([1, 2] as const).map((number) => ({
    node: `rs${number}`,
    address: serverAddress(6, number),
    weight: 1,
  })),
};

function addressText(address: IpAddress): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** The configuration of the directors. */
export function tunnelTypesConfig(socket: string): string {
  const routers = [
    ['four', 71, '192.168.0.220/24'],
    ['six', 72, 'fe80::220/64, 2001:db8:10::220/64'],
  ] as const;
  const services = ways.map(
    ({ port, inner, outer, server, tunnel }) => `
  - name: on-${port}
    listen: tcp://${addressText(virtual[inner])}:${port}
    forward: tunnel
    tunnel: ${tunnel}
    servers: [{ address: '${addressText(serverAddress(outer, server))}' }]`,
  );
  return `
cluster: tunnels
nodes:
  lb1: { address: 192.168.0.200, interface: eth0 }
  lb2: { address: 192.168.0.201, interface: eth0 }
virtualRouters:
${routers
  .map(
    ([name, vrid, addresses]) =>
      `  - { name: ${name}, vrid: ${vrid}, priority: { lb1: 150, lb2: 100 }, ` +
      `advertInterval: 100ms, addresses: [${addresses.replace(/[^ ,]+/g, "'$&'")}] }`,
  )
  .join('\n')}
services:${services.join('')}
connectionSync: { mode: off }
api: { socket: ${socket} }
overrides: { stateFile: ${socket}.overrides.json, maintenanceFolder: ${socket}.maintenance }
`;
}
