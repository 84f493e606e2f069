import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Walk } from './support.js';

test('an Active advertises once per interval, on the beat, however late each one was', () => {
  const walk = Walk.active();
  walk.runNext('advertisement', 30_000);
  assert.deepEqual(walk.did, ['advertise 100']);
  assert.equal(walk.due('advertisement'), 970_000);
  assert.equal(walk.state.latenessMaxUs, 30_000);
  walk.runNext('advertisement', 10_000);
  assert.equal(walk.due('advertisement'), 990_000);
  assert.equal(walk.state.latenessMaxUs, 30_000);
});

test('an Active that was stalled for several intervals does not catch up with a burst', () => {
  const walk = Walk.active().runNext('advertisement', 2_300_000);
  assert.deepEqual(walk.did, ['advertise 100']);
  assert.equal(walk.due('advertisement'), 1_000_000);
});

test('an Active that is shut down sends priority 0 first and then takes the addresses off', () => {
  const walk = Walk.active().event({ type: 'shutdown', reason: 'shutdown' });
  assert.deepEqual(walk.did, [
    'advertise 0',
    'remove-addresses 192.0.2.100',
    'active -> initialize: shutdown',
  ]);
  assert.deepEqual(walk.armed, []);
});

test('an Active that hears priority 0 advertises at once and starts its interval anew', () => {
  const walk = Walk.active().pass(700_000).hear({ priority: 0 });
  assert.deepEqual(walk.did, ['advertise 100']);
  assert.equal(walk.due('advertisement'), 1_000_000);
});

for (const [title, priority, source, reason] of [
  ['a higher priority', 101, '192.0.2.1', 'higher-priority-heard'],
  ['an equal priority and a higher address', 100, '192.0.2.3', 'higher-address-heard'],
  [
    'an equal priority and a higher address of fewer digits',
    100,
    '200.0.2.1',
    'higher-address-heard',
  ],
] as const) {
  test(`an Active that hears ${title} takes the addresses off at once`, () => {
    const walk = Walk.active().pass(300_000);
    walk.hear({ priority, source, advertIntervalCs: 50, agoUs: 1000 });
    assert.deepEqual(walk.did, ['remove-addresses 192.0.2.100', `active -> backup: ${reason}`]);
    assert.deepEqual(walk.armed, ['active-down']);
    assert.equal(walk.due('active-down'), 1_500_000 + 304_687 - 1000);
    assert.equal(walk.state.rival?.address, source);
  });
}

for (const [title, priority, source] of [
  ['a lower priority', 99, '192.0.2.3'],
  ['an equal priority and a lower address', 100, '192.0.2.1'],
] as const) {
  test(`an Active that hears ${title} stays, says so at once, and keeps its beat`, () => {
    const walk = Walk.active().pass(300_000);
    walk.hear({ priority, source });
    assert.equal(walk.state.current, 'active');
    assert.deepEqual(walk.did[0], 'advertise 100');
    assert.equal(walk.due('advertisement'), 700_000);
  });
}

test('preemption is not consulted in Active: a lower priority never makes it yield', () => {
  const walk = Walk.active({ preempt: { enabled: false, delayMs: 0 } }).pass(300_000);
  walk.hear({ priority: 99 });
  assert.equal(walk.state.current, 'active');
});

test('a queue of lower adverts is answered by one, not by as many', () => {
  const walk = Walk.active().pass(300_000);
  walk.hear({ priority: 50 });
  assert.ok(walk.did.includes('advertise 100'));
  walk.pass(1000).hear({ priority: 50 });
  assert.deepEqual(walk.did, []);
  walk.pass(10_000).hear({ priority: 50 });
  assert.deepEqual(walk.did, ['advertise 100']);
});

test('an owner that hears another owner yields to the higher address and not to the lower', () => {
  const lower = Walk.active({ priority: 255 }).hear({ priority: 255, source: '192.0.2.1' });
  assert.equal(lower.state.current, 'active');
  const higher = Walk.active({ priority: 255 }).hear({ priority: 255, source: '192.0.2.3' });
  assert.equal(higher.state.current, 'backup');
});

test('an owner that hears a lower advert answers it', () => {
  const walk = Walk.active({ priority: 255 }).pass(300_000).hear({ priority: 254 });
  assert.deepEqual(walk.did[0], 'advertise 255');
});
