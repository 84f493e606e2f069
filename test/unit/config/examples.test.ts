import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfigFile } from '../../../src/config/read.js';
import { projectRoot } from '../../tools/sourceFiles.js';

const folder = join(projectRoot, 'conf');
const expectedExamples = [
  'dr.yaml',
  'fwmark.yaml',
  'minimal.yaml',
  'nat.yaml',
  'options.yaml',
  'tracking.yaml',
  'tunnel.yaml',
];

function example(name: string, node: string) {
  return readConfigFile(join(folder, name), { node, environment: {}, hostname: '' });
}

for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml'))) {
  for (const node of ['lb1', 'lb2']) {
    test(`the example ${name} is sound on ${node}`, () => {
      const { config, warnings } = example(name, node);
      assert.deepEqual(warnings, []);
      assert.equal(config.node.name, node);
      assert.ok(config.services.length > 0);
    });
  }
}

test('there is an example of each way to forward, and a shortest one', () => {
  const names = readdirSync(folder);
  for (const name of expectedExamples) assert.ok(names.includes(name), name);
});

test('the examples are of the forwarding that their name says', () => {
  for (const [name, method] of [
    ['nat.yaml', 'nat'],
    ['dr.yaml', 'dr'],
    ['tunnel.yaml', 'tunnel'],
  ] as const) {
    for (const service of example(name, 'lb1').config.services) {
      for (const server of service.servers) assert.equal(server.forwarding, method);
    }
  }
  const { config } = example('fwmark.yaml', 'lb2');
  assert.deepEqual(config.services[0]?.listeners, [{ kind: 'fwmark', family: 4, fwmark: 6666 }]);
});

test('the NAT example moves the gateway of the servers together with the virtual address', () => {
  const { config } = example('nat.yaml', 'lb1');
  assert.deepEqual(config.syncGroups, [{ name: 'edge', members: ['outside', 'inside'] }]);
  assert.deepEqual(
    config.virtualRouters.map((router) => [router.interface, router.addresses[0]?.prefix.address]),
    [
      ['eth0', '172.25.254.100'],
      ['eth1', '192.168.0.100'],
    ],
  );
});

test('the shortest example has at most twenty lines', () => {
  const lines = readFileSync(join(folder, 'minimal.yaml'), 'utf8').trimEnd().split('\n');
  assert.ok(lines.length <= 20, `${lines.length} lines`);
});
