import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chainsOf } from '../../../src/doctor/firewall/chains.js';
import { parseIptables } from '../../../src/doctor/firewall/iptablesText.js';
import type { WalkedPacket } from '../../../src/doctor/firewall/model.js';
import { parseNftables } from '../../../src/doctor/firewall/nftJson.js';
import { certainEnd, describeEnd } from '../../../src/doctor/firewall/walk.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { filterRules } from './support.js';

const request: WalkedPacket = {
  family: 4,
  protocol: 6,
  destination: ipAddress('172.25.254.100'),
  destinationPort: 80,
  inInterface: 'eth0',
  state: 'new',
};

/** Rules, and the rule that certainly drops the request; nothing when it may pass. */
const iptables: readonly (readonly [string, readonly string[], RegExp | undefined])[] = [
  ['no rule', [], undefined],
  ['a drop of everything', ['-A INPUT -j DROP'], /-A INPUT -j DROP/],
  [
    'an accept before the drop',
    ['-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT', '-A INPUT -j DROP'],
    undefined,
  ],
  ['another port', ['-A INPUT -p tcp -m tcp --dport 443 -j DROP'], undefined],
  ['a range of ports', ['-A INPUT -p tcp -m multiport --dports 22,79:81 -j REJECT'], /--dports/],
  ['another protocol', ['-A INPUT -p udp -m udp --dport 80 -j DROP'], undefined],
  ['another interface', ['-A INPUT -i eth1 -j DROP'], undefined],
  ['every interface of a kind', ['-A INPUT -i eth+ -j DROP'], /eth\+/],
  ['all interfaces but one', ['-A INPUT ! -i eth1 -j DROP'], /! -i eth1/],
  ['another destination', ['-A INPUT -d 10.0.0.0/8 -j DROP'], undefined],
  ['the destination', ['-A INPUT -d 172.25.254.0/24 -j DROP'], /172\.25\.254\.0/],
  ['some clients', ['-A INPUT -s 10.0.0.0/8 -j DROP'], undefined],
  ['all clients but some', ['-A INPUT -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -j DROP'], undefined],
  ['a rate', ['-A INPUT -m limit --limit 5/sec -j ACCEPT', '-A INPUT -j DROP'], undefined],
  ['a state that it is not in', ['-A INPUT -m conntrack --ctstate INVALID -j DROP'], undefined],
  [
    'what only established ones pass',
    ['-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A INPUT -j DROP'],
    /-A INPUT -j DROP/,
  ],
  [
    'a log and a mark on the way',
    [
      '-A INPUT -j LOG --log-prefix "in: "',
      '-A INPUT -j MARK --set-xmark 0x1/0xff',
      '-A INPUT -j DROP',
    ],
    /-A INPUT -j DROP/,
  ],
  ['a chain of its own', [':own - [0:0]', '-A INPUT -j own', '-A own -j DROP'], /chain own/],
  [
    'a chain that returns',
    [':own - [0:0]', '-A INPUT -j own', '-A own -p tcp -j RETURN', '-A own -j DROP'],
    undefined,
  ],
  [
    'a goto, after which the policy counts',
    [':own - [0:0]', '-A INPUT -g own', '-A INPUT -j DROP'],
    undefined,
  ],
  ['chains in a circle', [':own - [0:0]', '-A INPUT -j own', '-A own -j own'], undefined],
  ['a queue', ['-A INPUT -j NFQUEUE --queue-num 1', '-A INPUT -j DROP'], undefined],
];

for (const [what, lines, wanted] of iptables) {
  const outcome = wanted === undefined ? 'may pass' : 'is dropped';
  test(`iptables with ${what}: the request ${outcome}`, () => {
    const end = certainEnd(filterRules(...lines), ['prerouting', 'input'], request);
    if (wanted === undefined) assert.equal(end, undefined);
    else assert.match(end === undefined ? 'it may pass' : describeEnd(end), wanted);
  });
}

test('a policy drops what no rule accepts, and its counter is told', () => {
  const chains = parseIptables('iptables-legacy', 4, '*filter\n:FORWARD DROP [12:720]\nCOMMIT\n');
  const end = certainEnd(chains, ['forward'], request);
  assert.ok(end !== undefined);
  assert.equal(
    describeEnd(end),
    'the policy DROP of iptables-legacy table filter, chain FORWARD (12 packets so far)',
  );
});

/** One rule set of nft as it prints it, with everything that is understood. */
function nft(rules: readonly unknown[], policy = 'accept', more: readonly unknown[] = []): string {
  const base = { family: 'inet', table: 'filter', name: 'input', handle: 1 };
  return JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'inet', name: 'filter', handle: 1 } },
      { chain: { ...base, type: 'filter', hook: 'input', prio: 0, policy } },
      ...more,
      ...rules.map((expr, at) => ({
        rule: { family: 'inet', table: 'filter', chain: 'input', handle: at + 2, expr },
      })),
    ],
  });
}

const dport = (port: unknown, op = '==', protocol = 'tcp') => ({
  match: { op, left: { payload: { protocol, field: 'dport' } }, right: port },
});
const nftCases: readonly (readonly [string, string, boolean])[] = [
  ['nothing', nft([]), false],
  ['a policy', nft([], 'drop'), true],
  ['a drop', nft([[{ counter: { packets: 3, bytes: 9 } }, { drop: null }]]), true],
  ['a port', nft([[dport(80), { drop: null }]]), true],
  ['a port of another protocol', nft([[dport(80, '==', 'udp'), { drop: null }]]), false],
  ['other ports', nft([[dport({ set: [443, { range: [8000, 8080] }] }), { drop: null }]]), false],
  ['all ports but some', nft([[dport({ set: [22] }, '!='), { reject: { type: 'icmpx' } }]]), true],
  [
    'a map of states',
    nft([
      [
        {
          vmap: {
            key: { ct: { key: 'state' } },
            data: {
              set: [
                ['established', { accept: null }],
                ['new', { drop: null }],
              ],
            },
          },
        },
      ],
    ]),
    true,
  ],
  [
    'the zones of firewalld',
    nft(
      [
        [
          { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'eth0' } },
          { goto: { target: 'zone' } },
        ],
      ],
      'accept',
      [
        { chain: { family: 'inet', table: 'filter', name: 'zone', handle: 9 } },
        {
          rule: {
            family: 'inet',
            table: 'filter',
            chain: 'zone',
            handle: 10,
            expr: [{ reject: {} }],
          },
        },
      ],
    ),
    true,
  ],
  [
    'an address of IPv6',
    nft([
      [
        {
          match: { op: '!=', left: { payload: { protocol: 'ip6', field: 'daddr' } }, right: '::1' },
        },
        { drop: null },
      ],
    ]),
    false,
  ],
  [
    'a limit before an accept',
    nft([[{ limit: { rate: 5 } }, { accept: null }], [{ drop: null }]]),
    false,
  ],
  [
    'a rule of iptables that is not understood',
    nft([[{ xt: { type: 'target', name: 'X' } }], [{ drop: null }]]),
    false,
  ],
];

for (const [what, json, dropped] of nftCases) {
  test(`nftables with ${what}: the request ${dropped ? 'is dropped' : 'may pass'}`, () => {
    const chains = parseNftables(json, '');
    assert.equal(certainEnd(chains, ['input'], request) !== undefined, dropped);
  });
}

test('a rule of nft is told as nft lists it', () => {
  const listing =
    'table inet filter {\n\tchain input {\n\t\ttcp dport 80 drop # handle 2\n\t}\n}\n';
  const end = certainEnd(
    parseNftables(nft([[dport(80), { drop: null }]]), listing),
    ['input'],
    request,
  );
  assert.ok(end !== undefined);
  assert.match(describeEnd(end), /^the rule "tcp dport 80 drop" of nftables table inet filter/);
});

test('tables that iptables keeps in nftables are read once', () => {
  const json = nft([[{ drop: null }]])
    .replaceAll('"inet"', '"ip"')
    .replaceAll('"input"', '"INPUT"');
  const text = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n';
  const chains = chainsOf([
    { kind: 'nftables', json: json.replace('"hook":"INPUT"', '"hook":"input"'), text: '' },
    { kind: 'iptables', program: 'iptables', family: 4, overNftables: true, text },
  ]);
  assert.deepEqual(
    chains.map(({ program }) => program),
    ['iptables'],
  );
});

test('neither text nor JSON of any shape makes a reader throw', () => {
  fc.assert(
    fc.property(fc.string(), fc.json(), (text, json) => {
      parseIptables('iptables', 4, text);
      parseIptables('iptables', 4, `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${text}\n`);
      const rule = { family: 'ip', table: 't', chain: 'input', handle: 1, expr: JSON.parse(json) };
      const odd = {
        nftables: [{ chain: { family: 'ip', table: 't', name: 'input', hook: 'input' } }, { rule }],
      };
      const chains = [...parseNftables(JSON.stringify(odd), text), ...parseNftables(json, text)];
      certainEnd(chains, ['input'], request);
    }),
  );
});
