import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Walk } from './support.js';

const noPreempt = { preempt: { enabled: false, delayMs: 0 } };

test('a Backup whose Active is silent for Active_Down_Interval becomes Active', () => {
  const walk = Walk.started();
  walk.runNext('active-down');
  assert.deepEqual(walk.did, [
    'advertise 100',
    'add-addresses 192.0.2.100',
    'announce 1x5',
    'backup -> active: active-down-timer',
  ]);
  assert.equal(walk.due('advertisement'), 1_000_000);
});

for (const [title, changes, priority, refreshed] of [
  ['a higher priority', {}, 101, true],
  ['an equal priority', {}, 100, true],
  ['a lower priority', {}, 99, false],
  ['a lower priority without preemption', noPreempt, 99, true],
  ['a lower priority as an owner without preemption', { ...noPreempt, priority: 255 }, 254, false],
] as const) {
  test(`a Backup that hears ${title} ${refreshed ? 'waits anew' : 'lets its timer run on'}`, () => {
    const walk = Walk.started(changes);
    if (walk.state.current === 'active') walk.hear({ priority: 255, source: '192.0.2.9' });
    const before = walk.due('active-down') ?? 0;
    walk.pass(500_000).hear({ priority });
    assert.equal(walk.due('active-down'), refreshed ? before : before - 500_000);
    assert.equal(walk.state.current, 'backup');
  });
}

test('an equal priority counts as the Active whichever address is higher', () => {
  for (const source of ['192.0.2.1', '192.0.2.3']) {
    const walk = Walk.started().pass(500_000).hear({ priority: 100, source });
    assert.equal(walk.due('active-down'), 3_609_375);
  }
});

test('a Backup learns the interval of the Active, and its skew with it', () => {
  const walk = Walk.started().hear({ priority: 200, advertIntervalCs: 25 });
  assert.equal(walk.due('active-down'), 750_000 + 152_343);
  walk.runNext('active-down');
  assert.equal(walk.due('advertisement'), 1_000_000, 'its own adverts keep its own interval');
});

test('a lower advert that is discarded does not teach its interval', () => {
  const walk = Walk.started().hear({ priority: 99, advertIntervalCs: 4095 });
  assert.equal(walk.state.activeAdvertIntervalUs, 1_000_000);
});

test('a Backup counts from the time at which the kernel received the advert', () => {
  const walk = Walk.started().pass(500_000).hear({ priority: 200, agoUs: 300_000 });
  assert.equal(walk.due('active-down'), 3_609_375 - 300_000);
});

test('a Backup that hears priority 0 waits only the skew time', () => {
  const walk = Walk.started().pass(500_000).hear({ priority: 0 });
  assert.equal(walk.due('active-down'), 609_375);
  walk.runNext('active-down');
  assert.equal(walk.state.reason, 'active-resigned');
});

test('the only Backup takes over from an Active that resigns as soon as it hears that', () => {
  const walk = Walk.started({ onlyBackup: true }).hear({ priority: 200 }).pass(500_000);
  assert.equal(walk.due('active-down'), 3_109_375, 'silence is waited for in full');
  walk.hear({ priority: 0 });
  assert.equal(walk.due('active-down'), 0);
  walk.runNext('active-down');
  assert.equal(walk.state.current, 'active');
  assert.equal(walk.state.reason, 'active-resigned');
});

test('the only Backup of a group that may not move yet asks again after the skew time', () => {
  const walk = Walk.started({ onlyBackup: true }).hear({ priority: 200 }).hear({ priority: 0 });
  const hold = () =>
    walk.event({ type: 'promotion-held', generation: walk.state.timers['active-down'] ?? 0 });
  assert.equal(hold().due('active-down'), 609_375);
  walk.pass(609_375);
  assert.equal(hold().due('active-down'), 1_000_000);
});

test('priority 0 does not teach its interval', () => {
  const walk = Walk.started().hear({ priority: 0, advertIntervalCs: 4095 });
  assert.equal(walk.state.activeAdvertIntervalUs, 1_000_000);
});

test('the skew after priority 0 is that of the interval learned before', () => {
  const walk = Walk.started().hear({ priority: 200, advertIntervalCs: 25 }).hear({ priority: 0 });
  assert.equal(walk.due('active-down'), 152_343);
});

test('a second priority 0 does not make the Backup wait longer', () => {
  const walk = Walk.started().hear({ priority: 0 }).pass(400_000).hear({ priority: 0 });
  assert.equal(walk.due('active-down'), 209_375);
});

test('an Active that comes back after its priority 0 is waited for in full again', () => {
  const walk = Walk.started().hear({ priority: 0 }).pass(100_000).hear({ priority: 200 });
  assert.equal(walk.due('active-down'), 3_609_375);
  walk.runNext('active-down');
  assert.equal(walk.state.reason, 'active-down-timer');
});

test('a Backup that is shut down says nothing', () => {
  const walk = Walk.started().event({ type: 'shutdown', reason: 'shutdown' });
  assert.deepEqual(walk.did, ['backup -> initialize: shutdown']);
  assert.deepEqual(walk.armed, []);
});

test('a Backup remembers whom it heard as Active', () => {
  const walk = Walk.started().hear({ priority: 200, source: '192.0.2.7' });
  assert.deepEqual(walk.state.rival, {
    address: '192.0.2.7',
    priority: 200,
    lastHeardUs: walk.nowUs,
  });
});

test('with a preempt delay lower adverts are respected until it ends, from the first on', () => {
  const walk = Walk.started({ preempt: { enabled: true, delayMs: 2000 } });
  const full = 3_609_375;
  walk.pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), full);
  walk.pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), full);
  walk.pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), full - 1_000_000, 'the delay is over');
});

test('a preempt delay begins anew when an Active of higher priority was there in between', () => {
  const walk = Walk.started({ preempt: { enabled: true, delayMs: 2000 } });
  walk.hear({ priority: 50 }).pass(1_500_000).hear({ priority: 200 }).pass(1_000_000);
  walk.hear({ priority: 50 });
  assert.equal(walk.due('active-down'), 3_609_375);
});

test('a preempt delay does not delay the failover from an Active that dies', () => {
  const walk = Walk.started({ preempt: { enabled: true, delayMs: 60_000 } });
  walk.hear({ priority: 50 }).runNext('active-down');
  assert.equal(walk.state.current, 'active');
});

test('an owner does not wait for the preempt delay', () => {
  const walk = Walk.started({ priority: 255, preempt: { enabled: true, delayMs: 60_000 } });
  walk.hear({ priority: 255, source: '192.0.2.9' });
  walk.pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), 2_003_906);
});
