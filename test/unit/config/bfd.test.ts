import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import type { TandemConfig } from '../../../src/config/model.js';
import { problemsOf, soundConfig, warningsOf } from './soundConfig.js';

/** The sound configuration with more at its end, and `bfd: pair` on its outside router. */
function withBfd(...lines: readonly string[]): string {
  return `${soundConfig}${lines.join('\n')}\n`;
}

function configOf(text: string, node: string): TandemConfig {
  const { configs, problems } = checkConfigText(text);
  assert.deepEqual(problems, []);
  const config = configs.find((each) => each.node.name === node);
  assert.ok(config !== undefined);
  return config;
}

/** What is told, without file and position. */
function told(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/^tandem\.yaml:\d+:\d+ /, ''));
}

const sessionLine = soundConfig.split('\n').length;

test('a session without a peer is with the other director, from the point of view of each', () => {
  const text = withBfd('bfd: [{ name: pair }]');
  for (const [node, peer] of [
    ['lb1', '172.25.254.102'],
    ['lb2', '172.25.254.101'],
  ] as const) {
    assert.deepEqual(configOf(text, node).bfd, [
      {
        name: 'pair',
        peer,
        interface: 'eth0',
        multihop: false,
        enabled: true,
        desiredMinTxUs: 300_000,
        requiredMinRxUs: 300_000,
        detectMultiplier: 3,
      },
    ]);
  }
});

test('the name of a node means its address, and on that node the other one', () => {
  const text = withBfd('bfd: [{ name: pair, peer: lb2 }]');
  assert.equal(configOf(text, 'lb1').bfd[0]?.peer, '172.25.254.102');
  assert.equal(configOf(text, 'lb2').bfd[0]?.peer, '172.25.254.101');
});

test('everything that can be given about a session is taken over', () => {
  const text = withBfd(
    'bfd:',
    '  - name: gateway',
    '    peer: { lb1: 192.168.0.1, lb2: "2001:db8::1" }',
    '    interface: { lb1: eth1, lb2: eth2 }',
    '    enabled: false',
    '    desiredMinTx: 50ms',
    '    requiredMinRx: 100ms',
    '    multiplier: 5',
    '    multihop: true',
    '    authentication: { type: sha1, keyId: 7, key: "6266642d736563726574" }',
  );
  assert.deepEqual(configOf(text, 'lb2').bfd, [
    {
      name: 'gateway',
      peer: '2001:db8::1',
      interface: 'eth2',
      multihop: true,
      enabled: false,
      desiredMinTxUs: 50_000,
      requiredMinRxUs: 100_000,
      detectMultiplier: 5,
      authentication: {
        type: 'sha1',
        keyId: 7,
        key: { kind: 'hex', hex: '6266642d736563726574' },
      },
    },
  ]);
});

test('a key may be in a file, and meticulous SHA1 is what is used unless said', () => {
  const text = withBfd(
    'bfd: [{ name: pair, authentication: { key: { file: /etc/tandem/bfd.key } } }]',
  );
  assert.deepEqual(configOf(text, 'lb1').bfd[0]?.authentication, {
    type: 'meticulous-sha1',
    keyId: 1,
    key: { kind: 'file', path: '/etc/tandem/bfd.key' },
  });
});

test('a virtual router names its session', () => {
  const text = withBfd('bfd: [{ name: pair }]').replace('vrid: 51', 'vrid: 51\n    bfd: pair');
  const [outside, inside] = configOf(text, 'lb1').virtualRouters;
  assert.deepEqual([outside?.bfd, inside?.bfd], ['pair', undefined]);
});

const badSessions: readonly (readonly [title: string, session: string, problem: string])[] = [
  ['an unknown node', 'peer: lb3', 'bfd[0].peer: there is no node lb3 (did you mean lb1?)'],
  [
    'its own address',
    'peer: { lb1: 172.25.254.101, lb2: lb1 }',
    'bfd[0].peer.lb1: 172.25.254.101 is the address of lb1 itself ' +
      '(name the other node, or give one for each node)',
  ],
  [
    'a virtual address as peer',
    'peer: 172.25.254.100',
    'bfd[0].peer: 172.25.254.100 is a virtual address of outside, which moves ' +
      '(take an address that stays where it is)',
  ],
  [
    'a multicast address as peer',
    'peer: 224.0.0.1',
    'bfd[0].peer: must not be a multicast address, got 224.0.0.1',
  ],
  [
    'a prefix as peer',
    'peer: 192.0.2.1/24',
    'bfd[0].peer: must be an IP address, got 192.0.2.1/24 (write 192.0.2.1)',
  ],
  [
    'an interval below 10 ms',
    'desiredMinTx: 9ms',
    'bfd[0].desiredMinTx: must be at least 10ms, got 9ms',
  ],
  ['a multiplier of 0', 'multiplier: 0', 'bfd[0].multiplier: must be at least 1, got 0'],
  [
    'simple passwords',
    'authentication: { type: simple, key: "00" }',
    'bfd[0].authentication.type: simple is not spoken: everybody on the link reads or breaks it; ' +
      'use meticulous-sha1',
  ],
  [
    'a relative path of a key',
    'authentication: { key: { file: bfd.key } }',
    'bfd[0].authentication.key.file: must be an absolute path without spaces, got bfd.key',
  ],
];

for (const [title, session, problem] of badSessions) {
  test(`the operator is told of ${title}`, () => {
    const text = withBfd(`bfd: [{ name: pair, ${session} }]`);
    assert.deepEqual(told(problemsOf(text)), [problem]);
    assert.ok(problemsOf(text)[0]?.startsWith(`tandem.yaml:${sessionLine}:`));
  });
}

test('a key with a mistake in it is not repeated', () => {
  for (const key of ['"secret-key"', '123', '"abc"', `"${'00'.repeat(21)}"`]) {
    const problems = problemsOf(withBfd(`bfd: [{ name: pair, authentication: { key: ${key} } }]`));
    assert.equal(problems.length, 1);
    assert.ok(!problems.join().includes(key.replaceAll('"', '')), problems.join());
  }
});

test('two sessions of one name, and two of one path, are told of', () => {
  const text = withBfd('bfd: [{ name: pair }, { name: pair, interface: eth1 }, { name: more }]');
  assert.deepEqual(told(problemsOf(text)), [
    'bfd[1].name: bfd[0] is called pair already (give each session its own name)',
    'bfd[2]: has the same peer and interface on lb1 as session pair ' +
      '(one session serves everybody who names it)',
  ]);
});

test('with three nodes a peer must be given', () => {
  const text = withBfd('bfd: [{ name: pair }]')
    .replace(
      'virtualRouters:',
      '  lb3: { address: 172.25.254.103, interface: eth0 }\nvirtualRouters:',
    )
    .replaceAll('lb2: 100 }', 'lb2: 100, lb3: 50 }');
  assert.deepEqual(told(problemsOf(text)), [
    'bfd[0]: which node is the peer of lb1 cannot be told: there are 3 nodes ' +
      '(give one for each node: peer: { lb1: 192.0.2.2 })',
  ]);
});

test('a session that a router or tracker names must exist', () => {
  const text = withBfd(
    'bfd: [{ name: pair }]',
    'trackers: [{ name: gateway, type: bfd, session: gate, weight: 50 }]',
  )
    .replace('vrid: 51', 'vrid: 51\n    bfd: pear')
    .replace('vrid: 52', 'vrid: 52\n    track: [gateway]');
  assert.deepEqual(told(problemsOf(text)), [
    'virtualRouters[0].bfd: there is no BFD session pear (there are pair)',
    'trackers[0].session: there is no BFD session gate (there are pair)',
  ]);
});

test('the session of a router runs on its interface, and does not pass routers', () => {
  const elsewhere = withBfd('bfd: [{ name: pair }]').replace('vrid: 52', 'vrid: 52\n    bfd: pair');
  assert.deepEqual(told(problemsOf(elsewhere)), [
    'virtualRouters[1].bfd: pair runs on eth0 of lb1, and this router on eth1 ' +
      '(a session speaks for its own interface only)',
  ]);
  const multihop = withBfd(
    'bfd: [{ name: pair, multihop: true, authentication: { key: "00" } }]',
  ).replace('vrid: 51', 'vrid: 51\n    bfd: pair');
  assert.deepEqual(told(problemsOf(multihop)), [
    'virtualRouters[0].bfd: pair is a multihop session, and VRRP does not pass routers ' +
      '(name a session on the interface of this router)',
  ]);
});

test('what helps nobody or nothing is warned of', () => {
  const slow = withBfd('bfd: [{ name: pair, desiredMinTx: 1s }]').replace(
    'vrid: 51',
    'vrid: 51\n    bfd: pair',
  );
  assert.deepEqual(told(warningsOf(slow)), [
    'virtualRouters[0].bfd: has no effect: pair takes 3000ms to notice a failure, and three ' +
      'advertisements are missed in 3000ms (give the session shorter intervals)',
    'syncGroups[0].members: inside has no bfd, and others have ' +
      '(a group takes over only when every member has lost its Active)',
  ]);
  const open = withBfd('bfd: [{ name: far, peer: 203.0.113.1, multihop: true }]');
  assert.deepEqual(told(warningsOf(open)), [
    'bfd[0].multihop: a multihop session without authentication can be ended from anywhere ' +
      '(add authentication)',
  ]);
});
