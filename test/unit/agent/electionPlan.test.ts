import assert from 'node:assert/strict';
import { test } from 'node:test';
import { electionSteps } from '../../../src/agent/plan.js';
import type { TandemConfig } from '../../../src/config/model.js';
import { readConfigText } from '../../../src/config/read.js';
import { type Change, changed } from '../config/soundConfig.js';

function configOf(...changes: readonly Change[]): TandemConfig {
  const choice = { node: 'lb1', environment: {}, hostname: 'lb1' };
  return readConfigText('tandem.yaml', changed(...changes), choice).config;
}

/** What the plan says of going from the sound configuration to a changed one. */
function stepsTo(...changes: readonly Change[]): readonly string[] {
  return electionSteps(configOf(), configOf(...changes)).map(({ action, what, details }) =>
    [`${action} ${what}`, ...details].join('; '),
  );
}

const outside = 'router outside (vrid 51 on eth0)';

test('a start adds every router with its priority and addresses, and every group', () => {
  const steps = electionSteps(undefined, configOf());
  assert.deepEqual(steps, [
    {
      action: 'add',
      what: outside,
      details: ['priority 150', 'addresses 172.25.254.100/24 on eth0'],
    },
    {
      action: 'add',
      what: 'router inside (vrid 52 on eth1)',
      details: ['priority 150', 'addresses 192.168.0.100/24 on eth1'],
    },
    { action: 'add', what: 'sync group edge', details: [] },
  ]);
});

test('equal configurations have no steps', () => {
  assert.deepEqual(stepsTo(), []);
});

test('addresses are added and removed one by one', () => {
  const added = stepsTo(['172.25.254.100/24]', '172.25.254.100/24, 172.25.254.99/24]']);
  assert.deepEqual(added, [`add address 172.25.254.99/24 on eth0 of ${outside}`]);
  const replaced = stepsTo(['addresses: [172.25.254.100/24]', 'addresses: [172.25.254.99/24]']);
  assert.deepEqual(replaced, [
    `add address 172.25.254.99/24 on eth0 of ${outside}`,
    `remove address 172.25.254.100/24 on eth0 of ${outside}`,
  ]);
});

test('what changes of a router is told as it was and as it will be', () => {
  const steps = stepsTo(['lb1: 150, lb2: 100', 'lb1: 90, lb2: 100']);
  assert.deepEqual(steps, [`change ${outside}; priority: 150 -> 90`]);
});

test('a router with another VRID is another router', () => {
  assert.deepEqual(stepsTo(['vrid: 51', 'vrid: 61']), [
    `remove ${outside}; priority 0 is sent, then its 1 addresses are removed`,
    'add router outside (vrid 61 on eth0); priority 150; addresses 172.25.254.100/24 on eth0',
  ]);
});

test('of a secret only that it changes is told', () => {
  const simple = (password: string): Change => [
    '    vrid: 51',
    `    vrid: 51\n    version: 2\n    authentication: { type: simple, password: ${password} }`,
  ];
  const steps = electionSteps(configOf(simple('hunter2')), configOf(simple('hunter3')));
  assert.deepEqual(
    steps.map(({ details }) => details),
    [['password: changed']],
  );
  assert.ok(!JSON.stringify(steps).includes('hunter'));
});

test('sync groups that come, go and change are steps of their own', () => {
  assert.deepEqual(stepsTo(['name: edge', 'name: rim']), [
    'remove sync group edge',
    'add sync group rim',
  ]);
});
