/** Facts of a healthy director and of healthy servers, for tests to break. */
import type {
  DirectorFacts,
  RealServerFacts,
  ServerFact,
  ServiceFact,
} from '../../../src/doctor/facts.js';
import { parseIptables } from '../../../src/doctor/firewall/iptablesText.js';
import type { ChainFact } from '../../../src/doctor/firewall/model.js';
import { ipAddress, parseIpPrefix } from '../../../src/wire/ipAddress.js';
import type { ForwardingMethod, IpvsStatistics } from '../../../src/wire/ipvsModel.js';

const virtual = ipAddress('172.25.254.100');

/** An agent with nothing to complain of. */
export const runningAgent = {
  kind: 'running',
  socket: '/run/tandem/tandem.sock',
  active: ['outside'],
  splitBrain: [],
  troubles: [],
} as const;

/** The file of an agent, with the virtual address and without a service. */
export const configurationRead = {
  kind: 'read',
  path: 'tandem.yaml',
  marks: [],
  services: [],
  virtualAddresses: [virtual],
  advertisements: [],
  peers: [],
  masquerades: false,
  connectionSync: 'off',
  syncRequirements: [],
} as const;

/** A prefix that a test has written. */
export function prefix(text: string) {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

/** Counters that say that packets went both ways. */
export const busy: IpvsStatistics = {
  connections: 5n,
  incomingPackets: 50n,
  outgoingPackets: 40n,
  incomingBytes: 5_000n,
  outgoingBytes: 40_000n,
  connectionsPerSecond: 0n,
  incomingPacketsPerSecond: 0n,
  outgoingPacketsPerSecond: 0n,
  incomingBytesPerSecond: 0n,
  outgoingBytesPerSecond: 0n,
};

/** A server of weight 1. */
export function server(address: string, forwarding: ForwardingMethod, weight = 1): ServerFact {
  return {
    server: {
      address: ipAddress(address),
      port: 80,
      forwarding,
      weight,
      upperThreshold: 0,
      lowerThreshold: 0,
      activeConnections: 0,
      inactiveConnections: 0,
      persistentConnections: 0,
      statistics: busy,
    },
    incomingNow: 3n,
    outgoingNow: 0n,
  };
}

/** A service at the virtual address. */
export function service(...servers: readonly ServerFact[]): ServiceFact {
  return {
    service: {
      identity: { kind: 'address', protocol: 'tcp', address: virtual, port: 80 },
      scheduler: 'rr',
      onePacket: false,
      schedulerFlags: 0,
      statistics: busy,
    },
    servers,
  };
}

/** The filter table of iptables with rules of a test. */
export function filterRules(...lines: readonly string[]): readonly ChainFact[] {
  const policies = ['INPUT', 'FORWARD', 'OUTPUT'].map((name) => `:${name} ACCEPT [0:0]`);
  return parseIptables('iptables', 4, ['*filter', ...policies, ...lines, 'COMMIT'].join('\n'));
}

const links = ['lo', 'eth0', 'eth1'].map((name, at) => ({
  name,
  index: at + 1,
  up: true,
  running: true,
  mtu: name === 'lo' ? 65_536 : 1_500,
  macAddress: `02:00:00:00:00:0${at}`,
}));

/** A director of the NAT lab with everything in order. */
export function healthyDirector(change: Partial<DirectorFacts> = {}): DirectorFacts {
  const servers = ['192.168.0.10', '192.168.0.20'];
  return {
    role: 'director',
    settings: {
      'net.ipv4.ip_forward': '1',
      'net.ipv4.vs.expire_quiescent_template': '1',
      'net.ipv4.vs.conntrack': '0',
      'net.ipv4.vs.backup_only': '0',
      'net.ipv4.vs.sync_version': '1',
    },
    links,
    addresses: [
      { interface: 'lo', prefix: prefix('127.0.0.1/8') },
      { interface: 'eth0', prefix: prefix('172.25.254.101/24') },
      { interface: 'eth0', prefix: prefix('172.25.254.100/24') },
      { interface: 'eth1', prefix: prefix('192.168.0.101/24') },
    ],
    routes: [
      { destination: prefix('172.25.254.0/24'), interface: 'eth0' },
      { destination: prefix('192.168.0.0/24'), interface: 'eth1' },
    ],
    chains: filterRules(),
    reversePathDrops: { total: 0, now: 0 },
    notLookedAt: [],
    configuration: { kind: 'none' },
    agent: { kind: 'absent', socket: '/run/tandem/tandem.sock', message: 'nobody there' },
    table: {
      kind: 'read',
      services: [service(...servers.map((address) => server(address, 'nat')))],
      waiting: [],
      templates: [],
      daemons: [],
    },
    arp: [{ address: virtual, interface: 'eth0', answers: [] }],
    servers: servers.map((address, at) => ({
      address: ipAddress(address),
      macAddress: `02:00:00:00:01:0${at}`,
      onLink: true,
      interface: 'eth1',
      own: 'answered',
      foreign: 'answered',
      foreignSource: ipAddress('192.0.2.1'),
      direct: {},
      tunnelled: [],
      large: undefined,
    })),
    connects: [],
    tracking: undefined,
    windowMs: 1_500,
    ...change,
  };
}

/** The same director with a table of a test. */
export function withTable(
  change: Partial<DirectorFacts['table'] & { readonly kind: 'read' }>,
): DirectorFacts['table'] {
  const { table } = healthyDirector();
  return { ...table, ...change } as DirectorFacts['table'];
}

const placeOf = { dr: 'lo', tunnel: 'tunl0' } as const;

/** A server for a mode with everything in order. */
export function healthyServer(
  mode: RealServerFacts['mode'],
  change: Partial<RealServerFacts> = {},
): RealServerFacts {
  const tunnel = { ...links[0], name: 'tunl0', index: 9, macAddress: '00:00:00:00' };
  return {
    role: 'real-server',
    mode,
    virtualAddresses: [virtual],
    directors: [ipAddress('192.168.0.100')],
    ports: [{ protocol: 'tcp', port: 80 }],
    listeners: [{ protocol: 'tcp', address: ipAddress('0.0.0.0'), port: 80 }],
    encapsulations: mode === 'tunnel' ? [undefined] : [],
    tunnels: mode === 'tunnel' ? [{ name: 'tunl0', kind: 'ipip', module: 'ipip' }] : [],
    guePorts: [],
    settings: {
      'net.ipv4.conf.all.arp_ignore': '1',
      'net.ipv4.conf.all.arp_announce': '2',
      'net.ipv4.conf.all.rp_filter': '0',
      'net.ipv4.conf.tunl0.rp_filter': '2',
    },
    links: [
      ...links.slice(0, 2),
      ...(mode === 'tunnel' ? [{ ...tunnel, up: true, running: true, mtu: 1_480 }] : []),
    ],
    addresses: [
      { interface: 'lo', prefix: prefix('127.0.0.1/8') },
      ...(mode === 'nat'
        ? []
        : [{ interface: placeOf[mode], prefix: prefix('172.25.254.100/32') }]),
      { interface: 'eth0', prefix: prefix('192.168.0.10/24') },
    ],
    routes: [
      { destination: prefix('192.168.0.0/24'), interface: 'eth0' },
      {
        destination: prefix('0.0.0.0/0'),
        interface: 'eth0',
        gateway: ipAddress(mode === 'nat' ? '192.168.0.100' : '192.168.0.1'),
      },
    ],
    chains: filterRules(),
    reversePathDrops: { total: 0, now: 0 },
    notLookedAt: [],
    ...change,
  };
}

/** The table of a service by the firewall mark 66 with one server. */
export function markedTable(incomingPackets = 0n, incomingNow = 0n): DirectorFacts['table'] {
  const entry = service({ ...server('192.168.0.10', 'nat'), incomingNow });
  const identity = { kind: 'fwmark', family: 4, fwmark: 66 } as const;
  const statistics = { ...entry.service.statistics, incomingPackets };
  return withTable({
    services: [{ ...entry, service: { ...entry.service, identity, statistics } }],
  });
}
