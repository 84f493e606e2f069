import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  heartbeatMs,
  type RunId,
  type ScheduledCheck,
  Scheduler,
  stallMs,
} from '../../../src/health/scheduler.js';
import { withoutLateness } from './support/schedulerActions.js';

function checks(count: number, intervalMs: number, timeoutMs: number): ScheduledCheck[] {
  const timing = { intervalMs, timeoutMs };
  return Array.from({ length: count }, (_, index) => ({ id: `s${index}`, timing }));
}

test('no more probes run at once than allowed; the others wait and are counted', () => {
  const scheduler = new Scheduler({ random: () => 0, probesConcurrentMax: 3 });
  scheduler.change([], checks(5, 1000, 1000), 0);
  const first = scheduler.advance(900);
  assert.deepEqual(
    first.map((action) => (action.type === 'start' ? action.id : 'expire')),
    ['s0', 's1', 's2'],
  );
  assert.equal(scheduler.hasWaiting, true);
  assert.equal(scheduler.counters.deferred, 2);
  scheduler.finished(1);
  assert.deepEqual(withoutLateness(scheduler.advance(901)), [{ type: 'start', id: 's3', run: 4 }]);
  scheduler.finished(3);
  assert.deepEqual(withoutLateness(scheduler.advance(902)), [{ type: 'start', id: 's4', run: 5 }]);
  assert.equal(scheduler.hasWaiting, false);
});

test('a check that goes while it waits for a place is not started', () => {
  const scheduler = new Scheduler({ random: () => 0, probesConcurrentMax: 1 });
  scheduler.change([], checks(3, 1000, 1000), 0);
  scheduler.advance(900);
  scheduler.change(['s1'], [], 901);
  scheduler.finished(1);
  assert.deepEqual(withoutLateness(scheduler.advance(902)), [{ type: 'start', id: 's2', run: 2 }]);
});

test('with too few places everybody has an equal share, and the bound holds', () => {
  const anyLoad = fc.record({
    count: fc.integer({ min: 1, max: 40 }),
    places: fc.integer({ min: 1, max: 8 }),
    durationMs: fc.integer({ min: 1, max: 80 }),
  });
  fc.assert(
    fc.property(anyLoad, ({ count, places, durationMs }) => {
      const scheduler = new Scheduler({ random: () => 0.3, probesConcurrentMax: places });
      scheduler.change([], checks(count, 100, 100), 0);
      const probes = new Map<string, number>();
      const ends = new Map<number, RunId[]>();
      let running = 0;
      // Long enough for several turns of everybody, however few the places are. Near saturation the
      // checks are up to three apart: all loads of these ranges were tried.
      const untilMs = 500 + 4 * Math.ceil(count / places) * durationMs;
      for (let nowMs = 0; nowMs < untilMs; nowMs += 1) {
        const ended = ends.get(nowMs) ?? [];
        for (const run of ended) scheduler.finished(run);
        running -= ended.length;
        for (const action of scheduler.advance(nowMs)) {
          if (action.type !== 'start') continue;
          running += 1;
          probes.set(action.id, (probes.get(action.id) ?? 0) + 1);
          ends.set(nowMs + durationMs, [...(ends.get(nowMs + durationMs) ?? []), action.run]);
        }
        assert.ok(running <= places);
      }
      const counts = [...probes.values()];
      assert.equal(counts.length, count);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 3, `${counts}`);
    }),
    { numRuns: 30, examples: [[{ count: 39, places: 1, durationMs: 79 }]] },
  );
});

test('time in which the thread did not run is given back to the probes', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], checks(1, 10_000, 1000), 0);
  scheduler.advance(0);
  // It should have been woken at the heartbeat; it was frozen for three seconds instead.
  assert.deepEqual(scheduler.advance(heartbeatMs + 3000), []);
  assert.equal(scheduler.counters.stalls, 1);
  for (let nowMs = heartbeatMs + 3000; nowMs < 4000; nowMs += heartbeatMs) {
    assert.deepEqual(scheduler.advance(nowMs), []);
  }
  assert.deepEqual(withoutLateness(scheduler.advance(4000)), [{ type: 'expire', run: 1 }]);
});

test('a probe whose time had just run out at a stall may still read its answer', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], checks(1, 10_000, heartbeatMs), 0);
  scheduler.advance(0);
  const thawedMs = heartbeatMs + 3000;
  assert.deepEqual(scheduler.advance(thawedMs), []);
  assert.deepEqual(scheduler.advance(thawedMs + heartbeatMs - 1), []);
  assert.deepEqual(withoutLateness(scheduler.advance(thawedMs + heartbeatMs)), [
    { type: 'expire', run: 1 },
  ]);
});

test('a wake that is a little late is no stall', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], checks(1, 10_000, heartbeatMs), 0);
  scheduler.advance(0);
  assert.deepEqual(withoutLateness(scheduler.advance(heartbeatMs + stallMs)), [
    { type: 'expire', run: 1 },
  ]);
  assert.equal(scheduler.counters.stalls, 0);
});
