import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Demotion } from '../../../src/vrrp/protocol.js';
import { Walk } from './support.js';

const lost: Demotion = { reason: 'health-thread-lost', weight: 60 };
const stepDown: Demotion = { reason: 'operator-step-down', weight: 254 };
const demote = (walk: Walk, ...demotions: readonly Demotion[]) =>
  walk.event({ type: 'demotions', demotions });

test('an Active that is demoted advertises the lowered priority on its next beat', () => {
  const walk = demote(Walk.active(), lost);
  assert.deepEqual(walk.did, []);
  walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 40']);
});

test('a demoted Active yields to a priority that it would have beaten', () => {
  const walk = demote(Walk.active(), lost).hear({ priority: 50 });
  assert.equal(walk.state.reason, 'higher-priority-heard');
});

test('a demoted Backup counts its skew from the same advert as before', () => {
  const walk = Walk.started().hear({ priority: 200 }).pass(1_000_000);
  demote(walk, lost);
  assert.equal(walk.due('active-down'), 3_000_000 + 843_750 - 1_000_000);
  demote(walk);
  assert.equal(walk.due('active-down'), 3_609_375 - 1_000_000);
});

test('a Backup that was demoted below the Active does not preempt it any more', () => {
  const walk = demote(Walk.started(), lost).pass(500_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), 3_000_000 + 843_750);
});

test('an owner is not moved by demotions', () => {
  const walk = demote(Walk.active({ priority: 255 }), stepDown);
  assert.deepEqual(walk.actions, []);
  walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 255']);
});

test('an Active that is asked to step down offers its place and keeps the addresses', () => {
  const walk = demote(Walk.active().pass(300_000), stepDown);
  assert.deepEqual(walk.did, ['advertise 0']);
  assert.equal(walk.state.current, 'active');
  walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 0']);
});

test('it lets go as soon as the one that takes the place is heard, whatever its priority', () => {
  const walk = demote(Walk.active(), stepDown).hear({ priority: 1, source: '192.0.2.1' });
  assert.deepEqual(walk.did, ['remove-addresses 192.0.2.100', 'active -> backup: operator']);
});

test('when nobody takes the place it goes on at the lowered priority', () => {
  const walk = demote(Walk.active(), stepDown);
  const sent: string[] = [];
  for (let beat = 0; beat < 5; beat += 1) sent.push(...walk.runNext('advertisement').did);
  assert.deepEqual(sent, [
    'advertise 0',
    'advertise 0',
    'advertise 0',
    'advertise 1',
    'advertise 1',
  ]);
  assert.equal(walk.state.current, 'active');
});

test('when the request is taken back the Active goes on as before', () => {
  const walk = demote(demote(Walk.active(), stepDown)).runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 100']);
});

test('a request that is repeated does not start the offer anew', () => {
  const walk = demote(Walk.active(), stepDown).pass(500_000);
  demote(walk, stepDown, lost);
  assert.deepEqual(walk.did, []);
  assert.equal(walk.due('advertisement'), 500_000);
});
