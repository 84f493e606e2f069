import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Walk } from './support.js';

const lower = { priority: 255, source: '192.0.2.1' };
const higher = { priority: 255, source: '192.0.2.3' };

test('of two owners the one with the lower address yields at once and stays Backup', () => {
  const walk = Walk.active({ priority: 255 }).hear(higher);
  assert.equal(walk.state.reason, 'higher-address-heard');
  walk.pass(1_000_000).hear(higher);
  assert.equal(walk.due('active-down'), 3_003_906);
});

test('the one with the higher address asserts itself', () => {
  const walk = Walk.active({ priority: 255 }).pass(500_000).hear(lower);
  assert.deepEqual(walk.did, ['advertise 255']);
  assert.equal(walk.state.current, 'active');
});

test('when the other owner does not yield within 3.2 intervals it yields itself', () => {
  const walk = Walk.active({ priority: 255 });
  for (let heard = 0; heard < 4; heard += 1) {
    walk.runNext('advertisement').hear(lower);
    assert.equal(walk.state.current, 'active');
  }
  walk.runNext('advertisement').hear(lower);
  assert.equal(walk.state.reason, 'second-owner-heard');
  assert.deepEqual(walk.did[0], 'remove-addresses 192.0.2.100');
});

test('it is the Active again when the other owner has gone', () => {
  const walk = Walk.active({ priority: 255 });
  for (let heard = 0; heard < 5; heard += 1) walk.runNext('advertisement').hear(lower);
  assert.equal(walk.state.current, 'backup');
  assert.equal(walk.runNext('active-down').state.current, 'active');
});

test('an owner that was heard long ago does not count', () => {
  const walk = Walk.active({ priority: 255 }).hear(lower);
  for (let beat = 0; beat < 60; beat += 1) walk.runNext('advertisement');
  assert.equal(walk.hear(lower).state.current, 'active');
});
