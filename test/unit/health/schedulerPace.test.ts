import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concurrentProbes } from '../../../src/health/descriptorBudget.js';
import { probesConcurrentMax, Scheduler } from '../../../src/health/scheduler.js';

const timing = { intervalMs: 1000, timeoutMs: 100 };

test('another interval counts from the last probe, and the cadence goes on from there', () => {
  const scheduler = withOne(timing);
  assert.deepEqual(startsUntil(scheduler, 0, 1500), [0, 1000]);
  scheduler.setInterval('a', 200, 1500);
  assert.deepEqual(startsUntil(scheduler, 1500, 2000), [1500, 1700, 1900]);
  scheduler.setInterval('a', 1000, 2000);
  assert.deepEqual(startsUntil(scheduler, 2000, 5000), [2900, 3900, 4900]);
});

test('a check that is pulled forward is probed now, once, and then an interval later', () => {
  const scheduler = withOne(timing);
  assert.deepEqual(startsUntil(scheduler, 0, 300), [0]);
  scheduler.pullForward('a', 300);
  scheduler.pullForward('a', 300);
  assert.deepEqual(startsUntil(scheduler, 300, 2500), [300, 1300, 2300]);
});

test('a check that is being probed is not pulled forward', () => {
  const scheduler = withOne(timing);
  const [action] = scheduler.advance(0);
  assert.equal(action?.type, 'start');
  scheduler.pullForward('a', 50);
  assert.deepEqual(scheduler.advance(50), []);
});

test('with jitter every probe comes at its tick or up to that share of the interval later', () => {
  const randoms = [0, 0.5, 1 - Number.EPSILON, 0.25];
  const scheduler = new Scheduler({ random: () => randoms.shift() ?? 0 });
  scheduler.change([], [{ id: 'a', timing: { ...timing, jitterPercent: 20 } }], 0);
  const starts = startsUntil(scheduler, 0, 3500).map(Math.round);
  assert.deepEqual(starts, [0, 1100, 2200, 3050]);
});

test('a start tells how late it is, and one that had to wait counts from when it was due', () => {
  const scheduler = new Scheduler({ random: () => 0, probesConcurrentMax: 1 });
  const checks = ['a', 'b'].map((id) => ({ id, timing }));
  scheduler.change([], checks, 0);
  // The two are spread over the interval: one is due at 0, the other at 500.
  const first = scheduler.advance(30);
  assert.deepEqual(
    first.map((action) => (action.type === 'start' ? action.lateMs : action.type)),
    [30],
  );
  assert.deepEqual(scheduler.advance(80), []);
  assert.deepEqual(
    scheduler.advance(130).map(({ type }) => type),
    ['expire'],
  );
  const second = scheduler.advance(520);
  assert.deepEqual(
    second.map((action) => (action.type === 'start' ? action.lateMs : action.type)),
    [20],
  );
});

test('the descriptors of the process bound the probes that run at once', () => {
  assert.equal(concurrentProbes(20_000, 1), probesConcurrentMax);
  assert.equal(concurrentProbes(1024, 1), 384);
  assert.equal(concurrentProbes(1024, 2), 192);
  assert.equal(concurrentProbes(64, 1), 16);
});

function withOne(of: { intervalMs: number; timeoutMs: number }): Scheduler {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], [{ id: 'a', timing: of }], 0);
  return scheduler;
}

/** When probes start in [from, until), each ending at once. */
function startsUntil(scheduler: Scheduler, fromMs: number, untilMs: number): number[] {
  const starts: number[] = [];
  let nowMs = fromMs;
  while (nowMs < untilMs) {
    for (const action of scheduler.advance(nowMs)) {
      if (action.type !== 'start') continue;
      starts.push(nowMs);
      scheduler.finished(action.run);
    }
    nowMs = Math.max(nowMs + 1e-3, scheduler.wakeMs ?? untilMs);
  }
  return starts;
}
