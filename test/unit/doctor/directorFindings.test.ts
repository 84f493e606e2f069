import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnoseDirector } from '../../../src/doctor/diagnose.js';
import type { DirectorFacts, ServerProbeFact } from '../../../src/doctor/facts.js';
import type { FindingId } from '../../../src/doctor/findings.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import {
  configurationRead,
  filterRules,
  healthyDirector,
  markedTable,
  prefix,
  runningAgent,
  server,
  service,
  withTable,
} from './support.js';

const virtual = ipAddress('172.25.254.100');
const first = ipAddress('192.168.0.10');
const client = ipAddress('203.0.113.7');
const configured = {
  ...configurationRead,
  services: [
    {
      name: 'web',
      listeners: ['tcp://172.25.254.100:80'],
      scheduler: 'rr',
      schedulerAvailable: true,
    },
  ],
  advertisements: [{ interface: 'eth0', family: 4 }],
  peers: [ipAddress('172.25.254.102')],
} as const;

/** With the relay, which needs idle connections to be told. */
const relaying = {
  ...configured,
  connectionSync: 'relay',
  syncRequirements: [
    {
      setting: 'net.ipv4.vs.sync_threshold',
      accepted: ['0\t0'],
      wanted: '0\t0',
      reason: 'sync-coverage',
      level: 'required',
    },
  ],
} as const;
const relayDaemons = [
  { role: 'master', interface: 'lo', syncId: 0 },
  { role: 'backup', interface: 'lo', syncId: 0 },
] as const;

function waiting(from = client, asksAgain = true) {
  const ports = { clientPort: 40_000, virtualPort: 80, serverPort: 80 };
  return { client: from, virtual, server: first, ...ports, asksAgain };
}

function probes(change: Partial<ServerProbeFact>): readonly ServerProbeFact[] {
  return healthyDirector().servers.map((probe) =>
    probe.address === first ? { ...probe, ...change } : probe,
  );
}

function settings(change: Readonly<Record<string, string>>) {
  return { settings: { ...healthyDirector().settings, ...change } };
}

test('a healthy director has no finding, with and without a configuration and an agent', () => {
  assert.deepEqual(diagnoseDirector(healthyDirector()), []);
  const both = { configuration: configured, agent: runningAgent };
  assert.deepEqual(diagnoseDirector(healthyDirector(both)), []);
});

test('a director whose relay has what it needs has no finding', () => {
  const facts = healthyDirector({
    ...settings({ 'net.ipv4.vs.sync_threshold': '0\t0' }),
    configuration: relaying,
    agent: runningAgent,
    table: withTable({ daemons: relayDaemons }),
  });
  assert.deepEqual(diagnoseDirector(facts), []);
});

test('a healthy standby has no finding: another machine has the virtual address', () => {
  const facts = healthyDirector({
    configuration: configured,
    agent: { ...runningAgent, active: [] },
    addresses: healthyDirector().addresses.filter(({ prefix: { address } }) => address !== virtual),
    arp: [{ address: virtual, interface: 'eth0', answers: ['02:00:00:00:00:99'] }],
    // The gateway of the servers is the other director.
    servers: probes({ foreign: 'silent' }),
  });
  assert.deepEqual(diagnoseDirector(facts), []);
});

test('handshakes that nobody repeats, as after a flood or a mended fault, are no finding', () => {
  const table = withTable({ waiting: [waiting(client, false)] });
  assert.deepEqual(diagnoseDirector(healthyDirector({ table })), []);
});

/** Each with the first finding, and words of it. */
const cases: readonly (readonly [FindingId, string, Partial<DirectorFacts>])[] = [
  [
    'permission-missing',
    'needs CAP_NET_ADMIN',
    { table: { kind: 'unreadable', reason: 'permission', message: 'needs CAP_NET_ADMIN' } },
  ],
  [
    'ipvs-missing',
    'modprobe ip_vs',
    { table: { kind: 'unreadable', reason: 'absent', message: 'x' } },
  ],
  [
    'configuration-bad',
    'tandem.yaml:2:1 nodez',
    { configuration: { kind: 'bad', path: 'tandem.yaml', problems: ['tandem.yaml:2:1 nodez'] } },
  ],
  [
    'link-down',
    'eth1 is up and has no carrier',
    {
      links: healthyDirector().links.map((link) =>
        link.name === 'eth1' ? { ...link, running: false } : link,
      ),
    },
  ],
  ['forwarding-off', 'net.ipv4.ip_forward is 0', settings({ 'net.ipv4.ip_forward': '0' })],
  [
    'firewall-drops-requests',
    'drops requests for tcp://172.25.254.100:80 on eth0',
    { chains: filterRules('-A INPUT -p tcp -m tcp --dport 80 -j DROP') },
  ],
  [
    'firewall-drops-answers',
    'answers 192.168.0.10:80 -> clients',
    { chains: filterRules('-A FORWARD -i eth1 -j REJECT') },
  ],
  [
    'gateway-elsewhere',
    'ip route replace default via 192.168.0.101',
    { servers: probes({ foreign: 'silent' }), table: withTable({ waiting: [waiting()] }) },
  ],
  [
    'client-beside-server',
    '192.168.0.7:40000',
    { table: withTable({ waiting: [waiting(ipAddress('192.168.0.7'))] }) },
  ],
  [
    'virtual-address-missing',
    'tandem realserver apply --vip 172.25.254.100 --mode dr',
    {
      table: withTable({ services: [service(server('192.168.0.10', 'dr'))] }),
      servers: probes({ foreign: undefined, direct: { [virtual]: 'silent' } }),
    },
  ],
  [
    'tunnel-missing',
    '--mode tunnel --server 192.168.0.10 --persist',
    {
      table: withTable({ services: [service(server('192.168.0.10', 'tunnel'))] }),
      servers: probes({ foreign: undefined, tunnelled: [{ virtual, outcome: 'silent' }] }),
    },
  ],
  [
    'tunnel-mtu',
    'a ping of 1500 bytes to 192.168.0.10',
    {
      table: withTable({ services: [service(server('192.168.0.10', 'tunnel'))] }),
      servers: probes({
        tunnelled: [{ virtual, outcome: 'answered' }],
        large: { bytes: 1_500, outcome: 'silent' },
      }),
    },
  ],
  [
    'server-answers-arp',
    '02:00:00:00:01:00, which is 192.168.0.10',
    { arp: [{ address: virtual, interface: 'eth0', answers: ['02:00:00:00:01:00'] }] },
  ],
  [
    'second-machine-answers',
    '02:00:00:00:00:99 answered',
    { arp: [{ address: virtual, interface: 'eth0', answers: ['02:00:00:00:00:99'] }] },
  ],
  [
    'virtual-address-nowhere',
    'nobody answered an ARP request',
    {
      addresses: healthyDirector().addresses.filter(
        ({ prefix: { address } }) => address !== virtual,
      ),
    },
  ],
  [
    'split-brain',
    'Both directors are Active for outside',
    { agent: { ...runningAgent, splitBrain: ['outside'] } },
  ],
  [
    'firewall-drops-advertisements',
    'drops VRRP on eth0',
    {
      configuration: configured,
      agent: runningAgent,
      chains: filterRules('-A INPUT -p 112 -j DROP'),
    },
  ],
  [
    'reverse-path-filter',
    'it has dropped 7 packets, 2 of them',
    {
      reversePathDrops: { total: 7, now: 2 },
      ...settings({ 'net.ipv4.conf.all.rp_filter': '1' }),
    },
  ],
  ['server-unreachable', 'nobody answers ARP for 192.168.0.10', { servers: noAnswer() }],
  [
    'server-unreachable',
    'there is no route to 192.168.0.10',
    { routes: [{ destination: prefix('172.25.254.0/24'), interface: 'eth0' }], servers: [] },
  ],
  [
    'server-refuses',
    'Nothing listens at 192.168.0.10:80',
    { connects: [{ address: first, port: 80, outcome: 'refused', detail: 'ECONNREFUSED' }] },
  ],
  [
    'server-unreachable',
    'ended with: EHOSTUNREACH',
    { connects: [{ address: first, port: 80, outcome: 'prohibited', detail: 'EHOSTUNREACH' }] },
  ],
  ['agent-missing', 'No agent carries out tandem.yaml', { configuration: configured }],
  [
    'agent-trouble',
    'the firewall: nft refused',
    { agent: { ...runningAgent, troubles: ['the firewall: nft refused'] } },
  ],
  [
    'service-missing',
    'does not have tcp://172.25.254.100:80',
    { configuration: configured, agent: runningAgent, table: withTable({ services: [] }) },
  ],
  [
    'scheduler-missing',
    'no scheduler mh, which the service web wants',
    {
      agent: runningAgent,
      configuration: {
        ...configured,
        services: [{ ...configured.services[0], scheduler: 'mh', schedulerAvailable: false }],
      },
    },
  ],
  [
    'scheduler-differs',
    'tcp://172.25.254.100:80 has rr',
    {
      agent: runningAgent,
      configuration: {
        ...configured,
        services: [{ ...configured.services[0], scheduler: 'wrr' }],
      },
    },
  ],
  ['mark-missing', 'no firewall rule sets the mark 66 (0x42)', { table: markedTable() }],
  [
    'service-empty',
    'every server has weight 0: 192.168.0.10:80',
    { table: withTable({ services: [service(server('192.168.0.10', 'nat', 0))] }) },
  ],
  [
    'backup-only',
    'net.ipv4.vs.backup_only is 1',
    {
      ...settings({ 'net.ipv4.vs.backup_only': '1' }),
      table: withTable({ daemons: [{ role: 'backup', interface: 'eth1', syncId: 1 }] }),
    },
  ],
  [
    'persistent-clients-stay',
    'the kernel remembers 1 for it: 203.0.113.7',
    { ...settings({ 'net.ipv4.vs.expire_quiescent_template': '0' }), table: stayingTable() },
  ],
  [
    'sync-settings',
    'sync_version is 0',
    {
      ...settings({ 'net.ipv4.vs.sync_version': '0' }),
      table: withTable({ daemons: [{ role: 'master', interface: 'eth1', syncId: 1 }] }),
    },
  ],
  [
    'sync-settings',
    'sync_threshold is 3 50: idle connections',
    {
      ...settings({ 'net.ipv4.vs.sync_threshold': '3\t50', 'net.ipv4.vs.sync_ports': '1' }),
      configuration: relaying,
      agent: runningAgent,
      table: withTable({ daemons: relayDaemons }),
    },
  ],
  [
    'sync-settings',
    'the relay needs the backup daemon on lo, and none runs',
    {
      configuration: relaying,
      agent: runningAgent,
      table: withTable({ daemons: relayDaemons.slice(0, 1) }),
    },
  ],
  [
    'masquerade-untracked',
    'net.ipv4.vs.conntrack is 0',
    { configuration: { ...configured, masquerades: true }, agent: runningAgent },
  ],
  ['tracking-full', 'is 4096 of 4096', { tracking: { count: 4096, max: 4096 } }],
  [
    'answers-missing',
    'wait for an answer of 192.168.0.10:80: 203.0.113.7:40000',
    { table: withTable({ waiting: [waiting()] }) },
  ],
];

for (const [id, words, change] of cases) {
  test(`${id} is found first: ${words}`, () => {
    const findings = diagnoseDirector(healthyDirector(change));
    assert.equal(findings[0]?.id, id, JSON.stringify(findings, null, 1));
    const { what, seen, todo } = findings[0] ?? { what: '', seen: [], todo: [] };
    assert.ok([what, ...seen, ...todo].join('\n').includes(words), JSON.stringify(findings[0]));
    assert.ok(seen.length > 0 && todo.length > 0);
  });
}

test('faults come before risks, and the likelier before the others', () => {
  const facts = healthyDirector({
    configuration: configured,
    tracking: { count: 1, max: 1 },
    ...settings({ 'net.ipv4.ip_forward': '0' }),
  });
  assert.deepEqual(
    diagnoseDirector(facts).map(({ id, severity }) => `${severity} ${id}`),
    ['fault forwarding-off', 'fault tracking-full', 'risk agent-missing'],
  );
});

function noAnswer(): readonly ServerProbeFact[] {
  return healthyDirector().servers.map((probe) => {
    if (probe.address !== first) return probe;
    const { macAddress: _, ...rest } = probe;
    return { ...rest, own: undefined, foreign: undefined };
  });
}

function stayingTable() {
  const entry = service(server('192.168.0.10', 'nat', 0), server('192.168.0.20', 'nat'));
  const persistence = { timeoutSeconds: 360, prefixLength: 32 };
  return withTable({
    services: [{ ...entry, service: { ...entry.service, persistence } }],
    templates: [{ client, virtual, server: first }],
  });
}
