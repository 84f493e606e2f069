import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latenessMemoryUs } from '../../../src/vrrp/machineLateness.js';
import { Walk } from './support.js';

const second = 1_000_000;

test('up to three intervals of silence nobody took over, and the Active goes on at once', () => {
  const walk = Walk.active().runNext('advertisement', 2 * second);
  assert.deepEqual(walk.did, ['advertise 100']);
  assert.equal(walk.state.lateness.count, 0);
});

test('between three and four intervals it sends once, and counts that it was late', () => {
  const walk = Walk.active().runNext('advertisement', 2 * second + 1);
  assert.deepEqual(walk.did, ['advertise 100']);
  assert.equal(walk.state.lateness.count, 1);
});

test('after four it only listens for an interval, and keeps the addresses', () => {
  const walk = Walk.active().runNext('advertisement', 7 * second);
  assert.deepEqual(walk.did, []);
  assert.equal(walk.state.current, 'active');
  assert.equal(walk.due('advertisement'), second);
  assert.equal(walk.state.lateness.listeningUntilUs, walk.nowUs + second);
});

test('when it hears nobody it goes on and tells the link where the addresses are', () => {
  const walk = Walk.active()
    .runNext('advertisement', 7 * second)
    .runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 100', 'announce 1x5']);
  assert.equal(walk.state.lateness.listeningUntilUs, undefined);
  assert.equal(walk.state.lateness.count, 1, 'one stall');
  assert.deepEqual(walk.runNext('advertisement').did, ['advertise 100']);
});

test('when it was stalled again while it listened it listens anew', () => {
  const walk = Walk.active().runNext('advertisement', 7 * second);
  assert.deepEqual(walk.runNext('advertisement', 2 * second).did, []);
  assert.deepEqual(walk.runNext('advertisement').did, ['advertise 100', 'announce 1x5']);
});

test('a lower Active that is heard then is answered once, if it would be preempted anyway', () => {
  const walk = Walk.active()
    .runNext('advertisement', 7 * second)
    .hear({ priority: 50 });
  assert.deepEqual(walk.did, ['advertise 100', 'announce 1x5']);
  assert.equal(walk.hear({ priority: 50 }).did.length, 0);
});

test('an advert that waited is answered, and the beat that is due says nothing more', () => {
  const walk = Walk.active()
    .pass(8 * second)
    .hear({ priority: 50 });
  assert.deepEqual(walk.did, ['advertise 100', 'announce 1x5']);
  const due = walk.due('advertisement') ?? 0;
  assert.deepEqual(walk.runNext('advertisement', -due).did, []);
  assert.equal(walk.due('advertisement'), second);
});

for (const [title, preempt] of [
  ['without preemption', { enabled: false, delayMs: 0 }],
  ['with a preempt delay', { enabled: true, delayMs: 5000 }],
] as const) {
  test(`${title} a deposed Active yields to whoever took over`, () => {
    const walk = Walk.active({ preempt })
      .pass(8 * second)
      .hear({ priority: 50 });
    assert.deepEqual(walk.did, ['remove-addresses 192.0.2.100', 'active -> backup: own-loop-late']);
    assert.equal(walk.due('active-down'), 3_609_375);
  });

  test(`${title} an Active that was not silent asserts itself against a lower one`, () => {
    const walk = Walk.active({ preempt }).pass(second).hear({ priority: 50 });
    assert.equal(walk.state.current, 'active');
  });
}

test('a deposed Active that is held yields as well', () => {
  const walk = Walk.active().event({
    type: 'holds',
    holds: [{ reason: 'connections-not-synced', untilUs: Number.MAX_SAFE_INTEGER }],
  });
  assert.equal(walk.pass(8 * second).hear({ priority: 50 }).state.reason, 'own-loop-late');
});

test('a deposed Active yields to an equal one, which it could not preempt', () => {
  const walk = Walk.active()
    .pass(8 * second)
    .hear({ priority: 100, source: '192.0.2.1' });
  assert.equal(walk.state.reason, 'own-loop-late');
});

test('announcements that fell due in a stall wait until the Active has asserted itself', () => {
  const announcements = { repeat: 2, delayMs: 5000, refreshMs: 6000 };
  const walk = Walk.active({ announcements }).runNext('delayed-announcement', 3 * second);
  assert.deepEqual(walk.did, []);
  assert.equal(walk.due('delayed-announcement'), second);
  assert.deepEqual(walk.runNext('announcement-refresh', second).did, []);
});

test('a Backup whose timer ran very late listens for an interval more', () => {
  const walk = Walk.started().runNext('active-down', second + 1);
  assert.deepEqual(walk.did, []);
  assert.equal(walk.due('active-down'), second);
  assert.equal(walk.state.lateness.count, 1);
  assert.equal(walk.runNext('active-down').state.current, 'active');
});

test('a Backup that hears the Active then stays Backup', () => {
  const walk = Walk.started()
    .runNext('active-down', 9 * second)
    .hear({ priority: 200 });
  assert.equal(walk.due('active-down'), 3_609_375);
});

test('a loop that is late twice within a minute demotes its router for a minute', () => {
  const walk = Walk.active();
  const stall = () => walk.runNext('advertisement', 2.5 * second).did;
  assert.deepEqual(stall(), ['advertise 100']);
  assert.deepEqual(stall(), ['advertise 50']);
  for (let beat = 0; beat < latenessMemoryUs / second; beat += 1) walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 100']);
});
