import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Demotion } from '../../../src/vrrp/protocol.js';
import { Walk } from './support.js';

const lost: Demotion = { reason: 'health-thread-lost', weight: 60 };
const demote = (walk: Walk, ...demotions: readonly Demotion[]) =>
  walk.event({ type: 'demotions', demotions });

test('an Active that is demoted advertises the lowered priority at once and keeps its beat', () => {
  const walk = demote(Walk.active(), lost);
  assert.deepEqual(walk.did, ['advertise 40']);
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
  const walk = demote(Walk.active({ priority: 255 }), lost);
  assert.deepEqual(walk.actions, []);
  walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 255']);
});
