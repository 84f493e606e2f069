import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skewUs } from '../../../src/vrrp/timing.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { Walk } from './support.js';

const secondUs = 1_000_000;
const skew = skewUs(100, secondUs);
const active = ipAddress('192.0.2.1');

/** A Backup that has just heard its Active at 192.0.2.1. */
function backup(): Walk {
  return Walk.started().hear({ priority: 200 });
}

function losePeer(walk: Walk, peer = active): Walk {
  return walk.event({ type: 'peer-unreachable', peer });
}

test('a Backup whose Active cannot be reached by BFD waits only the skew time', () => {
  const walk = losePeer(backup().pass(150_000));
  assert.equal(walk.did.length, 0);
  assert.equal(walk.due('active-down'), skew);
  walk.runNext('active-down');
  assert.ok(walk.did.includes('backup -> active: active-unreachable-bfd'), walk.did.join());
});

test('an advertisement that still comes ends that, and the next failure counts anew', () => {
  const walk = losePeer(backup().pass(150_000));
  walk.pass(200_000).hear({ priority: 200 });
  assert.equal(walk.due('active-down'), 3 * secondUs + skew);
  assert.equal(losePeer(walk.pass(10_000)).due('active-down'), skew);
  walk.runNext('active-down');
  assert.ok(walk.did.includes('backup -> active: active-unreachable-bfd'));
});

test('a second failure within the wait does not restart it, nor does a resignation', () => {
  const walk = losePeer(backup()).pass(100_000);
  assert.equal(losePeer(walk).due('active-down'), skew - 100_000);
  assert.equal(walk.hear({ priority: 0 }).due('active-down'), skew - 100_000);
});

test('a resignation before it keeps its own reason', () => {
  const walk = losePeer(backup().hear({ priority: 0 }).pass(100_000));
  assert.equal(walk.due('active-down'), skew - 100_000);
  walk.runNext('active-down');
  assert.ok(walk.did.includes('backup -> active: active-resigned'));
});

test('a peer that is not the Active changes nothing', () => {
  const walk = losePeer(backup().pass(150_000), ipAddress('192.0.2.3'));
  assert.equal(walk.due('active-down'), 3 * secondUs + skew - 150_000);
});

test('without an Active that was heard nothing changes', () => {
  const walk = Walk.started();
  const before = walk.due('active-down');
  assert.equal(losePeer(walk).due('active-down'), before);
});

test('a takeover that is nearer than the skew time is not put off', () => {
  const walk = losePeer(backup().pass(3 * secondUs + 100_000));
  assert.equal(walk.due('active-down'), skew - 100_000);
});

test('an Active does not care whether its Backup can be reached', () => {
  const walk = Walk.active();
  const { actions } = losePeer(walk);
  assert.deepEqual(actions, []);
  assert.equal(walk.state.current, 'active');
});

test('a Backup of a later term starts without the failure of the one before', () => {
  const walk = losePeer(backup()).runNext('active-down').hear({ priority: 200 });
  assert.equal(walk.state.current, 'backup');
  assert.equal(walk.due('active-down'), 3 * secondUs + skew);
});
