import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgeGroup, edgeRouters, inside, NodeWalk, outside } from './electionSupport.js';

const bothActive = ['active', 'active'];
const bothBackup = ['backup', 'backup'];

function activeGroup(): NodeWalk {
  const node = NodeWalk.configured(edgeGroup()).runNext();
  assert.deepEqual(node.states, bothActive);
  return node;
}

test('as soon as one member must become Active, all do, in one turn', () => {
  const node = NodeWalk.configured(edgeGroup());
  node.hear(outside, 200).pass(300_000).hear(inside, 200);
  node.runNext();
  assert.deepEqual(node.states, bothActive);
  assert.deepEqual(node.transitions, [
    'outside active: active-down-timer',
    'inside active: sync-group',
  ]);
});

test('a promotion of a group sends all advertisements before any address moves', () => {
  const node = NodeWalk.configured(edgeGroup()).runNext();
  assert.deepEqual(node.advertised, ['outside 100', 'inside 100']);
  assert.deepEqual(
    node.effects?.addressChanges.map(({ type, spec }) => `${type} ${spec.name}`),
    ['add-addresses outside', 'add-addresses inside'],
  );
  assert.equal(node.effects?.announcements.length, 2);
});

test('when one member yields, the others resign in the same turn', () => {
  const node = activeGroup().hear(outside, 200);
  assert.deepEqual(node.states, bothBackup);
  assert.deepEqual(node.advertised, ['inside 0']);
  assert.deepEqual(node.transitions, [
    'outside backup: higher-priority-heard',
    'inside backup: sync-group',
  ]);
});

test('when one member loses its interface, the others resign and wait', () => {
  const node = activeGroup().interface('eth0', false);
  assert.deepEqual(node.states, ['initialize', 'backup']);
  assert.deepEqual(node.advertised, ['inside 0']);
  node.runFor(30_000_000);
  assert.deepEqual(node.states, ['initialize', 'backup'], 'nobody is heard, and still it waits');
});

test('when the lost interface is back, the whole group waits in full and then takes over', () => {
  const node = activeGroup().interface('eth0', false).runFor(30_000_000);
  node.interface('eth0', true);
  assert.deepEqual(node.states, bothBackup);
  node.runFor(3_600_000);
  assert.deepEqual(node.states, bothBackup);
  node.runFor(10_000);
  assert.deepEqual(node.states, bothActive);
});

test('a group waits while another member still hears a superior Active', () => {
  const node = NodeWalk.configured(edgeGroup());
  // The outside link is broken between the directors: only inside is heard.
  for (let second = 0; second < 20; second += 1) {
    node.hear(inside, 200).runFor(1_000_000);
    assert.deepEqual(node.states, bothBackup, `after ${second} s`);
  }
  node.runFor(4_000_000);
  assert.deepEqual(node.states, bothActive, 'and goes on when that falls silent too');
});

test('a group does not wait for a member that hears only a lower Active', () => {
  const node = NodeWalk.configured(edgeGroup());
  for (let second = 0; second < 3; second += 1) node.hear(inside, 50).runFor(1_000_000);
  node.hear(inside, 50).runFor(700_000);
  assert.deepEqual(node.states, bothActive);
});

test('a group whose member still refrains from preempting waits for it', () => {
  const node = NodeWalk.configured(edgeGroup({ preempt: { enabled: true, delayMs: 8000 } }));
  // Only inside hears the lower Active, so only inside counts the delay.
  for (let second = 0; second < 8; second += 1) {
    node.hear(inside, 50).runFor(1_000_000);
    assert.deepEqual(node.states, bothBackup, `after ${second} s`);
  }
  for (let second = 0; second < 4; second += 1) node.hear(inside, 50).runFor(1_000_000);
  assert.deepEqual(node.states, bothActive);
});

test('priority 0 on every member moves the group after the skew, not later', () => {
  const node = NodeWalk.configured(edgeGroup());
  node.hear(outside, 200).hear(inside, 200).pass(500_000).hear(outside, 0).hear(inside, 0);
  node.runFor(600_000);
  assert.deepEqual(node.states, bothBackup);
  node.runFor(10_000);
  assert.deepEqual(node.states, bothActive);
});

test('owners of one group start as Active together, and not while one cannot run', () => {
  const node = NodeWalk.configured(edgeGroup({ priority: 255 }));
  assert.deepEqual(node.states, bothActive);
  const broken = new NodeWalk().interface('eth1', false);
  broken.configure(edgeGroup({ priority: 255 })).runFor(20_000_000);
  assert.deepEqual(broken.states, ['backup', 'initialize']);
  broken.interface('eth1', true);
  assert.deepEqual(broken.states, bothActive);
});

test('a group that is formed of an Active and a Backup becomes Active as a whole', () => {
  const node = NodeWalk.configured({ routers: edgeRouters(), syncGroups: [] });
  node.pass(100_000).hear(inside, 50).hear(inside, 150).runFor(3_550_000);
  assert.deepEqual(node.states, ['active', 'backup']);
  node.configure(edgeGroup());
  assert.deepEqual(node.states, bothActive);
});

test('a group that is formed while one member hears a superior Active leaves as a whole', () => {
  const node = NodeWalk.configured({ routers: edgeRouters(), syncGroups: [] });
  node.pass(100_000).hear(inside, 150).runFor(3_550_000).hear(inside, 150);
  assert.deepEqual(node.states, ['active', 'backup']);
  node.configure(edgeGroup());
  assert.deepEqual(node.states, bothBackup);
  assert.deepEqual(node.advertised, ['outside 0']);
});

test('routers outside of a group do not move with each other', () => {
  const node = NodeWalk.configured({ routers: edgeRouters(), syncGroups: [] }).runNext();
  node.hear(outside, 200);
  assert.deepEqual(node.states, ['backup', 'active']);
});
