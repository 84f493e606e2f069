import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualRouterSpec } from '../../../src/vrrp/protocol.js';
import { makeSpec, virtualAddress, Walk } from './support.js';

const change = (walk: Walk, changes: Partial<VirtualRouterSpec>) =>
  walk.event({ type: 'spec', spec: makeSpec({ ...walk.state.spec, ...changes }) });

test('an Active that gets another address adds and announces it, and stays Active', () => {
  const walk = Walk.active();
  const added = virtualAddress('192.0.2.101/24');
  change(walk, { addresses: [...walk.state.spec.addresses, added] });
  assert.deepEqual(walk.did, ['advertise 100', 'add-addresses 192.0.2.101', 'announce 1x5']);
});

test('an Active that loses an address takes it off, and stays Active', () => {
  const addresses = [virtualAddress('192.0.2.100/24'), virtualAddress('192.0.2.101/24')];
  const walk = Walk.active({ addresses });
  change(walk, { addresses: addresses.slice(1) });
  assert.deepEqual(walk.did, ['remove-addresses 192.0.2.100', 'advertise 100']);
});

test('an address that moves to another interface is removed here and added there', () => {
  const walk = Walk.active();
  change(walk, { addresses: [virtualAddress('192.0.2.100/24', 'eth1')] });
  assert.deepEqual(
    walk.actions.flatMap((action) =>
      'addresses' in action ? `${action.type} ${action.addresses[0]?.interface}` : [],
    ),
    ['remove-addresses eth0', 'add-addresses eth1', 'announce eth1'],
  );
});

test('an Active that gets another priority or interval says so at once and follows it', () => {
  const walk = Walk.active().pass(300_000);
  change(walk, { priority: 120, advertIntervalCs: 20 });
  assert.deepEqual(walk.did, ['advertise 120']);
  assert.equal(walk.due('advertisement'), 200_000);
});

test('a Backup that gets another priority waits from the same advert as before', () => {
  const walk = Walk.started().hear({ priority: 250 }).pass(1_000_000);
  change(walk, { priority: 200 });
  assert.deepEqual(walk.did, []);
  assert.equal(walk.due('active-down'), 3_218_750 - 1_000_000);
});

test('a Backup keeps the interval that it learned when its own changes', () => {
  const walk = Walk.started().hear({ priority: 250, advertIntervalCs: 100 });
  change(walk, { advertIntervalCs: 10 });
  assert.equal(walk.due('active-down'), 3_609_375);
});

test('a Backup that has heard nobody waits by its new interval', () => {
  const walk = Walk.started();
  change(walk, { advertIntervalCs: 10 });
  assert.equal(walk.due('active-down'), 360_937);
});

test('another refresh period takes effect at once', () => {
  const walk = Walk.active({ announcements: { repeat: 1, delayMs: 0, refreshMs: 60_000 } });
  change(walk, { announcements: { repeat: 1, delayMs: 0, refreshMs: 5000 } });
  assert.equal(walk.due('announcement-refresh'), 5_000_000);
  change(walk, { announcements: { repeat: 1, delayMs: 0, refreshMs: 0 } });
  assert.equal(walk.due('announcement-refresh'), undefined);
});
