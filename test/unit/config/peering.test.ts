import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { type BadInput, soundConfig, testBadInputs } from './soundConfig.js';

const key = 'key: { file: /etc/tandem/peer.key }';

function peeringOf(text: string) {
  const { configs, problems } = checkConfigText(`${soundConfig}${text}`);
  assert.deepEqual(problems, []);
  return configs.map(({ peering }) => peering);
}

test('without peering there is none', () => {
  assert.deepEqual(peeringOf(''), [undefined, undefined]);
});

test('each node has the other as its peer, at the addresses of the nodes', () => {
  const [lb1, lb2] = peeringOf(`peering: { ${key} }\n`);
  assert.deepEqual(lb1, {
    peer: 'lb2',
    port: 8850,
    keyFile: '/etc/tandem/peer.key',
    paths: [{ own: '172.25.254.101', peer: '172.25.254.102' }],
  });
  assert.equal(lb2?.peer, 'lb1');
  assert.deepEqual(lb2?.paths, [{ own: '172.25.254.102', peer: '172.25.254.101' }]);
});

test('several addresses of each node are one path each', () => {
  const addresses = '{ lb1: [10.9.0.1, "2001:db8::1"], lb2: [10.9.0.2, "2001:db8::2"] }';
  const [lb1] = peeringOf(`peering: { port: 9000, ${key}, addresses: ${addresses} }\n`);
  assert.equal(lb1?.port, 9000);
  assert.deepEqual(lb1?.paths, [
    { own: '10.9.0.1', peer: '10.9.0.2' },
    { own: '2001:db8::1', peer: '2001:db8::2' },
  ]);
});

/** The sound configuration with `peering` in its second line. */
function withPeering(keys: string): BadInput['changes'] {
  return [['cluster: web', `cluster: web\npeering: { ${key}, ${keys} }`]];
}

const badInputs: readonly BadInput[] = [
  {
    title: 'peering with a port that is none',
    changes: withPeering('port: 0'),
    problems: [['2:55 peering.port', 'must be at least 1, got 0']],
  },
  {
    title: 'peering with a key in the file itself',
    changes: [['cluster: web', 'cluster: web\npeering: { key: 00ff }']],
    problems: [['2:17 peering.key', 'must be a mapping, got 00ff']],
  },
  {
    title: 'peering with a key file by a relative path',
    changes: [['cluster: web', 'cluster: web\npeering: { key: { file: peer.key } }']],
    problems: [['2:25 peering.key.file', 'must be an absolute path without spaces, got peer.key']],
  },
  {
    title: 'an address for the channel of one node only',
    changes: withPeering('addresses: { lb1: 10.9.0.1 }'),
    problems: [['2:60 peering.addresses', 'lacks a value for lb2', 'give one for every node']],
  },
  {
    title: 'an address for the channel of a node that is none',
    changes: withPeering('addresses: { lb1: 10.9.0.1, lb2: 10.9.0.2, lb3: 10.9.0.3 }'),
    problems: [['2:92 peering.addresses.lb3', 'there is no node lb3', 'the nodes are lb1, lb2']],
  },
  {
    title: 'nodes with different numbers of paths',
    changes: withPeering('addresses: { lb1: [10.9.0.1, 10.9.1.1], lb2: 10.9.0.2 }'),
    problems: [
      [
        '2:94 peering.addresses.lb2',
        'has another number of addresses than lb1: 1, not 2',
        'the first reaches the first, the second the second',
      ],
    ],
  },
  {
    title: 'a channel on a virtual address',
    changes: withPeering('addresses: { lb1: [172.25.254.100], lb2: [10.9.0.2] }'),
    problems: [
      [
        '2:68 peering.addresses.lb1[0]',
        '172.25.254.100 is a virtual address of outside, which moves between the nodes',
        'take an address that stays on the node',
      ],
    ],
  },
  {
    title: 'the same address for both ends of the channel',
    changes: withPeering('addresses: { lb1: 10.9.0.1, lb2: 10.9.0.1 }'),
    problems: [
      [
        '2:82 peering.addresses.lb2',
        '10.9.0.1 is an address of node lb1 already',
        'each path has two addresses of its own',
      ],
    ],
  },
];

testBadInputs(badInputs);

test('peering joins two nodes, so a third one is an error', () => {
  const third = soundConfig
    .replace(
      'virtualRouters:',
      '  lb3: { address: 172.25.254.103, interface: eth0 }\nvirtualRouters:',
    )
    .replaceAll('lb2: 100 }', 'lb2: 100, lb3: 50 }');
  const { problems } = checkConfigText(`${third}peering: { ${key} }\n`);
  assert.deepEqual(
    problems.map(({ path, message }) => [path, message]),
    [['peering', 'joins two nodes, and there are 3 nodes']],
  );
});
