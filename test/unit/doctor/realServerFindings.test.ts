import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnoseRealServer } from '../../../src/doctor/diagnose.js';
import type { RealServerFacts } from '../../../src/doctor/facts.js';
import type { FindingId } from '../../../src/doctor/findings.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { filterRules, healthyServer, prefix } from './support.js';

test('a healthy server has no finding in any mode', () => {
  for (const mode of ['nat', 'dr', 'tunnel'] as const) {
    assert.deepEqual(diagnoseRealServer(healthyServer(mode)), [], mode);
  }
});

const direct = healthyServer('dr');
const tunnel = healthyServer('tunnel');

const cases: readonly (readonly [FindingId, string, RealServerFacts])[] = [
  [
    'link-down',
    'eth0 is down',
    healthyServer('nat', {
      links: healthyServer('nat').links.map((link) =>
        link.name === 'eth0' ? { ...link, up: false, running: false } : link,
      ),
    }),
  ],
  [
    'gateway-elsewhere',
    'the default route goes via 192.168.0.1',
    healthyServer('nat', { routes: direct.routes }),
  ],
  [
    'gateway-elsewhere',
    'there is no default route',
    healthyServer('nat', { routes: direct.routes.slice(0, 1) }),
  ],
  [
    'virtual-address-missing',
    '172.25.254.100 is on no interface',
    healthyServer('dr', { addresses: healthyServer('nat').addresses }),
  ],
  ['tunnel-missing', 'there is no tunl0', healthyServer('tunnel', { links: direct.links })],
  [
    'tunnel-missing',
    'tunl0 is down',
    healthyServer('tunnel', {
      links: tunnel.links.map((link) => ({ ...link, up: link.name !== 'tunl0' })),
    }),
  ],
  [
    'server-answers-arp',
    'arp_ignore is 0 on eth0',
    healthyServer('dr', { settings: { ...direct.settings, 'net.ipv4.conf.all.arp_ignore': '0' } }),
  ],
  [
    'server-answers-arp',
    '172.25.254.100 is on eth0, which answers ARP',
    healthyServer('dr', {
      addresses: [...direct.addresses, { interface: 'eth0', prefix: prefix('172.25.254.100/24') }],
    }),
  ],
  [
    'firewall-drops-requests',
    'drops requests for tcp port 80 of 172.25.254.100',
    healthyServer('dr', { chains: filterRules('-A INPUT -p tcp -m tcp --dport 80 -j DROP') }),
  ],
  [
    'firewall-drops-requests',
    'drops tunnels (IP protocol 4) from the director',
    healthyServer('tunnel', { chains: filterRules('-A INPUT -p ipencap -j DROP') }),
  ],
  [
    'firewall-drops-answers',
    'drops answers from tcp port 80 of 192.168.0.10',
    healthyServer('nat', { chains: filterRules('-A OUTPUT -p tcp -m tcp --sport 80 -j DROP') }),
  ],
  [
    'reverse-path-filter',
    'rp_filter is 1 (strict) for tunl0',
    healthyServer('tunnel', {
      settings: {
        ...tunnel.settings,
        'net.ipv4.conf.all.rp_filter': '1',
        'net.ipv4.conf.tunl0.rp_filter': '0',
      },
    }),
  ],
  [
    'reverse-path-filter',
    'rp_filter is 2 for tunl0, which has no address',
    healthyServer('tunnel', { addresses: direct.addresses }),
  ],
  ['nothing-listens', 'no program listens at this port', healthyServer('dr', { listeners: [] })],
  [
    'nothing-listens',
    'does so at 192.168.0.10 only',
    healthyServer('dr', {
      listeners: [{ protocol: 'tcp', address: ipAddress('192.168.0.10'), port: 80 }],
    }),
  ],
];

for (const [id, words, facts] of cases) {
  test(`on a server ${id} is found first: ${words}`, () => {
    const findings = diagnoseRealServer(facts);
    assert.equal(findings[0]?.id, id, JSON.stringify(findings, null, 1));
    const { what, seen, todo } = findings[0] ?? { what: '', seen: [], todo: [] };
    assert.ok([what, ...seen, ...todo].join('\n').includes(words), JSON.stringify(findings[0]));
    assert.equal(findings.length, 1);
  });
}
