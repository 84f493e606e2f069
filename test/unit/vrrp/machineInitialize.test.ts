import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { makeSpec, Walk } from './support.js';

const address = ipAddress('192.0.2.2');

test('a router starts as Backup, takes leftover addresses off, and waits in full', () => {
  const walk = Walk.started();
  assert.deepEqual(walk.did, ['remove-addresses 192.0.2.100', 'initialize -> backup: startup']);
  assert.equal(walk.due('active-down'), 3_609_375);
  assert.deepEqual(walk.armed, ['active-down']);
});

test('an address owner starts as Active: advert, addresses, announcements, in this order', () => {
  const walk = Walk.started({ priority: 255 });
  assert.deepEqual(walk.did, [
    'advertise 255',
    'add-addresses 192.0.2.100',
    'announce 1x5',
    'initialize -> active: startup-owner',
  ]);
  assert.equal(walk.due('advertisement'), 1_000_000);
});

test('an address owner starts as Active even without preemption', () => {
  const walk = Walk.started({ priority: 255, preempt: { enabled: false, delayMs: 60_000 } });
  assert.equal(walk.state.current, 'active');
});

test('an owner whose sync group cannot run starts as Backup', () => {
  const walk = new Walk(makeSpec({ priority: 255 }));
  walk.event({ type: 'startup', address, held: true });
  assert.equal(walk.state.current, 'backup');
});

test('a router without a usable interface stays in Initialize and says why', () => {
  const walk = new Walk(makeSpec());
  walk.event({ type: 'startup', address: undefined, held: false });
  assert.deepEqual(walk.did, []);
  assert.deepEqual(walk.armed, []);
  assert.equal(walk.state.current, 'initialize');
  assert.equal(walk.state.reason, 'interface-down');
});

test('in Initialize everything but startup and the interface is ignored', () => {
  const walk = new Walk(makeSpec());
  walk.hear({ priority: 200 });
  walk.event({ type: 'timer', timer: 'active-down', generation: 0, dueUs: walk.nowUs });
  walk.event({ type: 'group-promoted' });
  walk.event({ type: 'shutdown', reason: 'shutdown' });
  walk.event({ type: 'interface', address, held: false });
  assert.equal(walk.state.current, 'initialize');
  assert.deepEqual(walk.actions, []);
});

test('when the interface comes back the router is Backup and waits in full', () => {
  const walk = Walk.started();
  walk.event({ type: 'interface', address: undefined, held: false });
  assert.deepEqual(walk.did, ['backup -> initialize: interface-down']);
  assert.deepEqual(walk.armed, []);
  walk.pass(10_000_000).event({ type: 'interface', address, held: false });
  assert.deepEqual(walk.did, [
    'remove-addresses 192.0.2.100',
    'initialize -> backup: interface-up',
  ]);
  assert.equal(walk.due('active-down'), 3_609_375);
});

test('an Active whose interface goes down takes the addresses off and cannot say so', () => {
  const walk = Walk.active();
  walk.event({ type: 'interface', address: undefined, held: false });
  assert.deepEqual(walk.did, [
    'remove-addresses 192.0.2.100',
    'active -> initialize: interface-down',
  ]);
  assert.deepEqual(walk.armed, []);
});

test('an owner whose interface comes back is Active at once', () => {
  const walk = Walk.started({ priority: 255 });
  walk.event({ type: 'interface', address: undefined, held: false });
  walk.event({ type: 'interface', address, held: false });
  assert.equal(walk.state.current, 'active');
  assert.equal(walk.state.reason, 'interface-up');
});

test('another source address changes nothing but the tie-break', () => {
  const walk = Walk.active();
  walk.event({ type: 'interface', address: ipAddress('192.0.2.9'), held: false });
  assert.deepEqual(walk.actions, []);
  walk.hear({ priority: 100, source: '192.0.2.8' });
  assert.equal(walk.state.current, 'active');
});
