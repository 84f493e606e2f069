import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { edgeGroup, NodeWalk } from './electionSupport.js';
import { Walk } from './support.js';

const second = 1_000_000;
const delayed = { startupDelayMs: 10_000 };

test('a router counts its Active_Down_Timer from the end of the startup delay', () => {
  const walk = Walk.started(delayed);
  assert.equal(walk.due('active-down'), 10 * second + 3_609_375);
  walk.pass(2 * second).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), 8 * second + 3_609_375, 'a lower one does not restart it');
  walk.hear({ priority: 200 });
  assert.equal(walk.state.rival?.priority, 200);
  assert.equal(walk.due('active-down'), 8 * second + 3_609_375);
  walk.pass(9 * second).hear({ priority: 200 });
  assert.equal(walk.due('active-down'), 3_609_375);
});

test('an Active that resigns in the delay does not shorten it', () => {
  const walk = Walk.started(delayed).hear({ priority: 200 }).pass(second).hear({ priority: 0 });
  assert.equal(walk.due('active-down'), 9 * second + 609_375);
});

test('an owner becomes Active when the delay ends', () => {
  const walk = Walk.started({ ...delayed, priority: 255 });
  assert.equal(walk.state.current, 'backup');
  assert.equal(walk.due('active-down'), 10 * second);
  walk.pass(second).hear({ priority: 200 });
  assert.equal(walk.due('active-down'), 9 * second);
  walk.runNext('active-down');
  assert.equal(walk.state.reason, 'startup-owner');
});

test('an interface that comes back after the delay does not wait again', () => {
  const walk = Walk.started(delayed).pass(20 * second);
  walk.event({ type: 'interface', address: undefined, held: false });
  walk.event({ type: 'interface', address: ipAddress('192.0.2.2'), held: false });
  assert.equal(walk.due('active-down'), 3_609_375);
});

test('a sync group waits for the member with the longest delay', () => {
  const configuration = edgeGroup();
  const [first, ...others] = configuration.routers;
  assert.ok(first !== undefined);
  const routers = [{ ...first, ...delayed }, ...others];
  const node = NodeWalk.configured({ ...configuration, routers }).runFor(9.9 * second);
  assert.deepEqual(node.states, ['backup', 'backup']);
  assert.deepEqual(node.runFor(5 * second).states, ['active', 'active']);
});
