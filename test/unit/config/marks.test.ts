import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { wantedRuleSets } from '../../../src/host/firewallRules.js';
import { directorRequirements } from '../../../src/host/requirements.js';
import { nftRule } from '../../../src/kernel/nftables.js';
import { type BadInput, changed, testBadInputs } from './soundConfig.js';

const listen = 'listen: tcp://172.25.254.100:80';

const badInputs: readonly BadInput[] = [
  {
    title: 'marks without a firewall mark',
    changes: [[listen, `${listen}\n    marks: tcp://172.25.254.100:443`]],
    problems: [
      ['20:12 services[0].marks', 'need `fwmark`', 'add `fwmark`, or write them under `listen`'],
    ],
  },
  {
    title: 'marks of two families in one service',
    changes: [
      [listen, `fwmark: 66\n    marks: [tcp://172.25.254.100:80, 'tcp://[2001:db8::1]:80']`],
    ],
    problems: [
      [
        '20:38 services[0].marks[1]',
        'is IPv6, and this service is IPv4',
        'make one service for each family',
      ],
    ],
  },
  {
    title: 'one port under a mark twice',
    changes: [
      [listen, 'fwmark: 66\n    marks: [tcp://172.25.254.100:80-90, tcp://172.25.254.100:85]'],
    ],
    problems: [
      [
        '20:41 services[0].marks[1]',
        'tcp://172.25.254.100:85 belongs to this service already',
        'remove one of them',
      ],
    ],
  },
  {
    title: 'ports in the wrong order',
    changes: [[listen, 'fwmark: 66\n    marks: tcp://172.25.254.100:90-80']],
    problems: [['20:12 services[0].marks', 'must have ports in order, up to 65535, got 90-80']],
  },
  {
    title: 'a mark target that is none',
    changes: [[listen, 'fwmark: 66\n    marks: 172.25.254.100:80']],
    problems: [
      [
        '20:12 services[0].marks',
        'must start with tcp://, udp:// or sctp://, got 172.25.254.100:80',
        'for example tcp://172.25.254.100:80',
      ],
    ],
  },
];

testBadInputs(badInputs);

test('several addresses and ports under one mark become one rule each', () => {
  const marks = '[tcp://172.25.254.100:80, udp://172.25.254.100:5000-5010, tcp://172.25.254.99]';
  const config = read(changed([listen, `fwmark: 66\n    marks: ${marks}`]));
  const [set] = wantedRuleSets(config, 0);
  assert.deepEqual(set?.rules.map(nftRule), [
    'ip daddr 172.25.254.100 tcp dport 80 meta mark set 66',
    'ip daddr 172.25.254.100 udp dport 5000-5010 meta mark set 66',
    'ip daddr 172.25.254.99 meta l4proto tcp meta mark set 66',
  ]);
});

test('the family of a mark is that of what carries it', () => {
  const sound = changed([listen, "fwmark: 66\n    marks: 'tcp://[2001:db8::1]:80'"]).replaceAll(
    /address: 192\.168\.0\.(\d+):80/g,
    'address: "[2001:db8::$1]:80"',
  );
  const { services } = read(sound);
  assert.deepEqual(services[0]?.listeners, [{ kind: 'fwmark', family: 6, fwmark: 66 }]);
});

test('a service whose mark others set has no rules of ours', () => {
  const config = read(changed([listen, 'fwmark: 66']));
  assert.deepEqual(
    wantedRuleSets(config, 0).map(({ rules }) => rules),
    [[], [], []],
  );
});

test('masquerading is one rule for each network, and needs conntrack in IPVS', () => {
  const rules = 'system: { masquerade: [{ from: 192.168.0.0/24, interface: eth0 }] }';
  const config = read(`${changed()}${rules}\n`);
  const [, set] = wantedRuleSets(config, 0);
  assert.deepEqual(set?.rules.map(nftRule), ['ip saddr 192.168.0.0/24 oifname "eth0" masquerade']);
  const settings = directorRequirements(config).map(({ setting }) => setting);
  assert.ok(settings.includes('net.ipv4.vs.conntrack'));
});

test('address translation needs forwarding, direct routing does not', () => {
  const required = (text: string): readonly string[] =>
    directorRequirements(read(text))
      .filter(({ level }) => level === 'required')
      .map(({ setting }) => setting);
  assert.deepEqual(required(changed()), ['net.ipv4.ip_forward']);
  assert.deepEqual(required(changed(['forward: nat', 'forward: dr'])), []);
});

test('a director without services needs nothing', () => {
  const text = changed();
  const config = read(text.slice(0, text.indexOf('services:')));
  assert.deepEqual(directorRequirements(config), []);
});

test('templates must expire where a failed server has weight 0', () => {
  const needs = (text: string): boolean =>
    directorRequirements(read(text)).some(({ reason }) => reason === 'template-expiry');
  assert.equal(needs(changed()), false);
  assert.equal(needs(changed(['scheduler: wrr', 'persistence: { timeout: 6m }'])), true);
  const removed = 'persistence: { timeout: 6m }\n    whenDown: remove';
  assert.equal(needs(changed(['scheduler: wrr', removed])), false);
});

test('a director that sees requests only must schedule anew when a port is used again', () => {
  const needs = (text: string): boolean =>
    directorRequirements(read(text)).some(({ reason }) => reason === 'port-reuse');
  assert.equal(needs(changed()), false);
  assert.equal(needs(changed(['forward: nat', 'forward: dr'])), true);
  assert.equal(needs(changed(['forward: nat', 'forward: tunnel'])), true);
});

function read(text: string) {
  const { configs, problems } = checkConfigText(text);
  assert.deepEqual(problems, []);
  const [config] = configs ?? [];
  assert.ok(config !== undefined);
  return config;
}
