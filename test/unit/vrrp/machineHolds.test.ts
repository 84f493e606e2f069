import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renewHolds } from '../../../src/vrrp/machineHolds.js';
import { startUs, Walk } from './support.js';

const reason = 'connections-not-synced';
const hold = (walk: Walk, forUs = 60_000_000) =>
  walk.event({ type: 'holds', holds: [{ reason, untilUs: walk.nowUs + forUs }] });

test('a Backup that is held accepts a lower Active instead of preempting it', () => {
  const walk = hold(Walk.started()).pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), 3_609_375);
});

test('a hold that comes while a preemption is waited for puts it off', () => {
  const walk = Walk.started().pass(3_000_000).hear({ priority: 50 }).pass(500_000);
  assert.equal(walk.due('active-down'), 109_375);
  assert.equal(hold(walk).due('active-down'), 3_109_375);
});

test('a hold does not keep a Backup from taking over when nobody is heard', () => {
  assert.equal(hold(Walk.started()).runNext('active-down').state.current, 'active');
});

test('when the hold is taken back the preemption takes its course', () => {
  const walk = hold(Walk.started()).pass(1_000_000).hear({ priority: 50 });
  walk.event({ type: 'holds', holds: [] }).pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), 2_609_375, 'the advert has not restarted the timer');
});

test('when its time is over it holds no longer', () => {
  const walk = hold(Walk.started(), 1_500_000).pass(1_000_000).hear({ priority: 50 });
  walk.pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), 2_609_375);
});

test('the preempt delay counts from the end of the hold', () => {
  const walk = hold(Walk.started({ preempt: { enabled: true, delayMs: 2000 } }));
  walk.pass(1_000_000).hear({ priority: 50 });
  walk.event({ type: 'holds', holds: [] }).pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.state.preemptNotBeforeUs, walk.nowUs + 2_000_000);
});

test('an owner is not held', () => {
  const walk = hold(Walk.active({ priority: 255 }));
  assert.equal(walk.state.current, 'active');
});

test('a hold that is asked for again does not wait longer', () => {
  const first = renewHolds([], [{ reason, waitMaxMs: 1000 }], startUs);
  assert.deepEqual(first, [{ reason, untilUs: startUs + 1_000_000 }]);
  const again = renewHolds(first, [{ reason, waitMaxMs: 1000 }], startUs + 900_000);
  assert.deepEqual(again, first);
  assert.deepEqual(renewHolds(again, [], startUs), []);
});
