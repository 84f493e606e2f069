import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diagnoseDirector, diagnoseRealServer } from '../../../src/doctor/diagnose.js';
import type { DirectorFacts, RealServerFacts } from '../../../src/doctor/facts.js';
import { type Finding, findingTable } from '../../../src/doctor/findings.js';
import { realServerPlan } from '../../../src/host/realServerPlan.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { busy, filterRules, healthyDirector, healthyServer, prefix } from './support.js';

const names = fc.constantFrom('lo', 'eth0', 'eth1', 'tunl0', 'wan.100');
const addresses = fc
  .constantFrom('172.25.254.100', '192.168.0.10', '192.168.0.20', '203.0.113.7', '2001:db8::1')
  .map(ipAddress);
const prefixes = fc
  .constantFrom('0.0.0.0/0', '192.168.0.0/24', '172.25.254.100/32', '::/0')
  .map(prefix);
const outcomes = fc.constantFrom(
  'answered' as const,
  'silent' as const,
  'refused' as const,
  undefined,
);
const encapsulations = fc.constantFrom(
  { type: 'gue', port: 6080, checksum: 'remote' } as const,
  { type: 'gre', checksum: 'full' } as const,
);
const big = fc.bigInt({ min: 0n, max: 9n });
const mac = fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:01:00', '02:00:00:00:00:99');
const port = fc.constantFrom(0, 80, 8080);

const settings = fc.dictionary(
  fc.constantFrom(
    'net.ipv4.ip_forward',
    'net.ipv6.conf.all.forwarding',
    'net.ipv4.vs.conntrack',
    'net.ipv4.vs.expire_quiescent_template',
    'net.ipv4.vs.backup_only',
    'net.ipv4.vs.sync_version',
    'net.ipv4.conf.all.rp_filter',
    'net.ipv4.conf.eth0.arp_ignore',
  ),
  fc.constantFrom('0', '1', '2', 'x'),
);

const machine = {
  settings,
  links: fc.array(
    fc.record({
      name: names,
      index: fc.nat(9),
      up: fc.boolean(),
      running: fc.boolean(),
      mtu: fc.nat(9_000),
      macAddress: mac,
    }),
    { maxLength: 4 },
  ),
  addresses: fc.array(fc.record({ interface: names, prefix: prefixes }), { maxLength: 4 }),
  routes: fc.array(
    fc.record(
      { destination: prefixes, gateway: addresses, interface: names },
      { requiredKeys: ['destination'] },
    ),
    { maxLength: 4 },
  ),
  chains: fc.constantFrom(
    filterRules(),
    filterRules('-A FORWARD -j DROP'),
    filterRules('-A INPUT -m set --match-set x src -j DROP', '-A OUTPUT -p tcp -j REJECT'),
  ),
  reversePathDrops: fc.record({ total: fc.nat(9), now: fc.nat(9) }),
  notLookedAt: fc.constant([]),
};

const identity = fc.oneof(
  fc.record({
    kind: fc.constant('address' as const),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
    address: addresses,
    port,
  }),
  fc.record({
    kind: fc.constant('fwmark' as const),
    family: fc.constantFrom(4 as const, 6 as const),
    fwmark: fc.nat(9),
  }),
);

const servers = fc.array(
  fc.record({
    server: fc.record({
      address: addresses,
      port,
      forwarding: fc.constantFrom(
        'nat' as const,
        'dr' as const,
        'tunnel' as const,
        'local' as const,
      ),
      weight: fc.nat(2),
      upperThreshold: fc.constant(0),
      lowerThreshold: fc.constant(0),
      activeConnections: fc.nat(9),
      inactiveConnections: fc.nat(9),
      persistentConnections: fc.nat(9),
      statistics: fc.constant(busy),
    }),
    incomingNow: big,
    outgoingNow: big,
  }),
  { maxLength: 3 },
);

const table = fc.oneof(
  fc.record({
    kind: fc.constant('unreadable' as const),
    reason: fc.constantFrom('permission' as const, 'absent' as const, 'other' as const),
    message: fc.string(),
  }),
  fc.record({
    kind: fc.constant('read' as const),
    services: fc.array(
      fc.record({
        service: fc.record({
          identity,
          scheduler: fc.constantFrom('rr', 'wrr'),
          onePacket: fc.boolean(),
          schedulerFlags: fc.constant(0),
          statistics: fc.constant(busy),
        }),
        servers,
      }),
      { maxLength: 3 },
    ),
    waiting: fc.array(
      fc.record({
        client: addresses,
        clientPort: port,
        virtual: addresses,
        virtualPort: port,
        server: addresses,
        serverPort: port,
        asksAgain: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
    templates: fc.array(fc.record({ client: addresses, virtual: addresses, server: addresses }), {
      maxLength: 3,
    }),
    daemons: fc.constant([]),
  }),
);

const director = fc.record({
  ...machine,
  role: fc.constant('director' as const),
  configuration: fc.constant(healthyDirector().configuration),
  agent: fc.constant(healthyDirector().agent),
  table,
  arp: fc.array(
    fc.record({ address: addresses, interface: names, answers: fc.array(mac, { maxLength: 3 }) }),
    { maxLength: 3 },
  ),
  servers: fc.array(
    fc.record({
      address: addresses,
      onLink: fc.boolean(),
      own: outcomes,
      foreign: outcomes,
      direct: fc.dictionary(addresses, outcomes),
      tunnelled: fc.array(
        fc.record(
          { virtual: addresses, encapsulation: encapsulations, outcome: outcomes },
          { requiredKeys: ['virtual', 'outcome'] },
        ),
        { maxLength: 3 },
      ),
      large: fc.constant(undefined),
    }),
    { maxLength: 3 },
  ),
  connects: fc.constant([]),
  tracking: fc.constant(undefined),
  windowMs: fc.constant(1),
});

const realServer = fc.record({
  ...machine,
  role: fc.constant('real-server' as const),
  mode: fc.constantFrom('nat' as const, 'dr' as const, 'tunnel' as const),
  virtualAddresses: fc.array(addresses, { maxLength: 2 }),
  directors: fc.array(addresses, { maxLength: 2 }),
  ports: fc.array(fc.record({ protocol: fc.constant('tcp' as const), port }), { maxLength: 2 }),
  listeners: fc.constant(healthyServer('dr').listeners),
  encapsulations: fc.array(fc.option(encapsulations, { nil: undefined }), {
    minLength: 1,
    maxLength: 2,
  }),
  tunnels: fc.constantFrom(
    [],
    healthyServer('tunnel').tunnels,
    realServerPlan('tunnel', [ipAddress('2001:db8::1')], { server: ipAddress('2001:db8::9') })
      .tunnels,
  ),
  guePorts: fc.array(
    fc.record({
      family: fc.constantFrom(4 as const, 6 as const),
      port: fc.constant(6080),
      open: fc.boolean(),
    }),
    { maxLength: 1 },
  ),
});

function assertSound(findings: readonly Finding[]): void {
  const ids = Object.keys(findingTable);
  let faultsEnded = false;
  for (const { id, severity, what, seen, todo } of findings) {
    assert.ok(ids.includes(id));
    assert.ok(what !== '' && seen.length > 0 && todo.length > 0, id);
    assert.ok(![what, ...seen, ...todo].join('\n').includes('undefined'), JSON.stringify(seen));
    assert.ok(severity === 'risk' || !faultsEnded, 'faults come first');
    faultsEnded ||= severity === 'risk';
  }
}

test('whatever the facts of a director are, every finding has evidence and advice', () => {
  fc.assert(
    fc.property(director, (facts) => assertSound(diagnoseDirector(facts as DirectorFacts))),
  );
});

test('whatever the facts of a real server are, every finding has evidence and advice', () => {
  fc.assert(
    fc.property(realServer, (facts) => assertSound(diagnoseRealServer(facts as RealServerFacts))),
  );
});
