import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Walk } from './support.js';

const leave = (walk: Walk) => walk.event({ type: 'leave' });

test('an Active that leaves says priority 0 and keeps the addresses', () => {
  const walk = leave(Walk.active().pass(300_000));
  assert.deepEqual(walk.did, ['advertise 0']);
  assert.equal(walk.state.current, 'active');
  assert.deepEqual(walk.armed, ['advertisement'], 'it announces nothing from here on');
});

test('it goes without another word when its successor is heard, whatever its priority', () => {
  const walk = leave(Walk.active()).hear({ priority: 1, source: '192.0.2.1' });
  assert.deepEqual(walk.did, ['remove-addresses 192.0.2.100', 'active -> initialize: shutdown']);
  assert.deepEqual(walk.armed, []);
});

test('when nobody takes the place it goes after the longest skew and a tenth of a second', () => {
  const walk = leave(Walk.active());
  const toldUs = walk.nowUs;
  walk.runNext('advertisement');
  assert.deepEqual([walk.nowUs - toldUs, walk.did], [1_000_000, ['advertise 0']]);
  walk.runNext('advertisement');
  assert.equal(walk.nowUs - toldUs, 1_096_093);
  assert.deepEqual(walk.did, [
    'advertise 0',
    'remove-addresses 192.0.2.100',
    'active -> initialize: shutdown',
  ]);
});

test('slow advertisements do not keep a stop waiting for more than three seconds', () => {
  const walk = leave(Walk.active({ advertIntervalCs: 4095 }));
  const toldUs = walk.nowUs;
  walk.runNext('advertisement');
  assert.equal(walk.nowUs - toldUs, 3_000_000);
  assert.equal(walk.state.current, 'initialize');
});

test('a Backup leaves at once and says nothing', () => {
  const walk = leave(Walk.started());
  assert.deepEqual(walk.did, ['backup -> initialize: shutdown']);
});

test('a second order to leave does not make it stay longer', () => {
  const walk = leave(Walk.active());
  const due = walk.due('advertisement');
  leave(walk.pass(500_000));
  assert.deepEqual(walk.did, []);
  assert.equal(walk.due('advertisement'), (due ?? 0) - 500_000);
});

test('an operator who takes a step-down back does not keep a router that leaves', () => {
  const walk = leave(Walk.active()).event({ type: 'step-down', untilUs: 0, force: false });
  assert.deepEqual(walk.did, []);
  walk.hear({ priority: 50 });
  assert.equal(walk.state.current, 'initialize');
});

test('a member of a sync group goes when another one has given way', () => {
  const walk = leave(Walk.active()).event({ type: 'group-yielded' });
  assert.deepEqual(walk.did, [
    'advertise 0',
    'remove-addresses 192.0.2.100',
    'active -> initialize: shutdown',
  ]);
});

test('an owner leaves as any other router does', () => {
  const walk = leave(Walk.active({ priority: 255 })).hear({ priority: 100 });
  assert.equal(walk.state.current, 'initialize');
});
