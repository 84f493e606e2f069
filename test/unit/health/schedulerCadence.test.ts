import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  checksOfMoment,
  heartbeatMs,
  lateMs,
  type RunId,
  type ScheduledCheck,
  Scheduler,
  startSpreadMaxMs,
} from '../../../src/health/scheduler.js';
import { withoutLateness } from './support/schedulerActions.js';

function check(id: string, intervalMs: number, timeoutMs = intervalMs): ScheduledCheck {
  return { id, timing: { intervalMs, timeoutMs } };
}

/** Advances, finishes at once every probe that starts, and gives the ids that started. */
function advanceAndFinish(scheduler: Scheduler, nowMs: number): string[] {
  const ids: string[] = [];
  for (const action of scheduler.advance(nowMs)) {
    if (action.type !== 'start') continue;
    ids.push(action.id);
    scheduler.finished(action.run);
  }
  return ids;
}

test('the first probes are spread evenly over one interval', () => {
  const scheduler = new Scheduler({ random: () => 0.5 });
  const checks = Array.from({ length: 10 }, (_, index) => check(`s${index}`, 1000));
  scheduler.change([], checks, 0);
  const startsMs: number[] = [];
  for (let nowMs = 0; nowMs < 1000; nowMs += 1) {
    for (const _id of advanceAndFinish(scheduler, nowMs)) startsMs.push(nowMs);
  }
  // The middle of each slot, on the grid of 250 ms that so few checks share.
  assert.deepEqual(startsMs, [0, 0, 250, 250, 250, 500, 500, 750, 750, 750]);
});

test('checks of one moment share it, and no start is before the configuration', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(100_000), (count, startMs) => {
      const scheduler = new Scheduler({ random: Math.random });
      const checks = Array.from({ length: count }, (_, index) => check(`s${index}`, 1000));
      scheduler.change([], checks, startMs);
      const moments = new Set<number>();
      for (let nowMs = startMs; nowMs < startMs + 1000; nowMs += 1) {
        if (advanceAndFinish(scheduler, nowMs).length > 0) moments.add(nowMs);
      }
      const shares = (stepMs: number): boolean =>
        [...moments].every((atMs) => atMs === startMs || atMs % stepMs === 0);
      assert.ok([250, 100, 50, 20].some(shares), `${[...moments]}`);
      const fewest = Math.max(4, Math.ceil((2.5 * count) / checksOfMoment));
      assert.ok(moments.size <= Math.min(1000 / 20, fewest) + 1, `${moments.size}`);
    }),
    { numRuns: 20 },
  );
});

test('the first probe of a check with a long interval does not wait for all of it', () => {
  const scheduler = new Scheduler({ random: () => 0.999 });
  scheduler.change([], [check('slow', 3_600_000)], 0);
  assert.deepEqual(advanceAndFinish(scheduler, startSpreadMaxMs), ['slow']);
});

test('the first probe falls into the first interval, whatever the randomness', () => {
  const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(anyRandom, fc.integer({ min: 1, max: 50 }), (random, count) => {
      const scheduler = new Scheduler({ random: () => random });
      const checks = Array.from({ length: count }, (_, index) => check(`s${index}`, 500));
      scheduler.change([], checks, 0);
      assert.equal(advanceAndFinish(scheduler, 500).length, count);
    }),
  );
});

test('the cadence does not drift when every wake is a little late', () => {
  const anyLateness = fc.array(fc.double({ min: 0, max: lateMs, noNaN: true }), {
    minLength: 50,
    maxLength: 50,
  });
  fc.assert(
    fc.property(anyLateness, (latenessesMs) => {
      const scheduler = new Scheduler({ random: () => 0.25 });
      scheduler.change([], [check('one', 100)], 0);
      for (const [tick, latenessMs] of latenessesMs.entries()) {
        // A quarter of the interval, on the grid of 20 ms.
        const dueMs = 20 + tick * 100;
        assert.deepEqual(advanceAndFinish(scheduler, dueMs + latenessMs), ['one']);
      }
    }),
  );
});

test('ticks that were missed are skipped: no burst after a pause, and the phase is kept', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], [check('one', 100)], 0);
  assert.deepEqual(advanceAndFinish(scheduler, 0), ['one']);
  assert.deepEqual(advanceAndFinish(scheduler, 1_234), ['one']);
  assert.deepEqual(advanceAndFinish(scheduler, 1_235), []);
  assert.deepEqual(advanceAndFinish(scheduler, 1_299), []);
  assert.deepEqual(advanceAndFinish(scheduler, 1_300), ['one']);
});

test('a check has one probe in flight: a due time that meets it is skipped and counted', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], [check('slow', 100, 250)], 0);
  const types = (nowMs: number) => scheduler.advance(nowMs).map(({ type }) => type);
  assert.deepEqual(types(0), ['start']);
  assert.deepEqual(types(50), []);
  assert.deepEqual(types(100), []);
  assert.deepEqual(types(150), []);
  assert.deepEqual(types(200), []);
  assert.deepEqual(types(250), ['expire']);
  assert.deepEqual(types(300), ['start']);
  assert.equal(scheduler.counters.skipped, 2);
});

test('a probe that expires when its check is due again makes room for the next', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], [check('hanging', 40)], 0);
  assert.deepEqual(withoutLateness(scheduler.advance(0)), [
    { type: 'start', id: 'hanging', run: 1 },
  ]);
  assert.deepEqual(withoutLateness(scheduler.advance(40)), [
    { type: 'expire', run: 1 },
    { type: 'start', id: 'hanging', run: 2 },
  ]);
  scheduler.finished(1);
  assert.deepEqual(withoutLateness(scheduler.advance(80)), [
    { type: 'expire', run: 2 },
    { type: 'start', id: 'hanging', run: 3 },
  ]);
});

test('a probe that finished does not expire', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], [check('quick', 1000, 40)], 0);
  assert.deepEqual(advanceAndFinish(scheduler, 0), ['quick']);
  assert.deepEqual(scheduler.advance(40), []);
});

test('the scheduler asks to be woken for the next due time, deadline or heartbeat', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  assert.equal(scheduler.wakeMs, undefined);
  scheduler.change([], [check('one', 1000, 10)], 0);
  const [start] = scheduler.advance(0);
  assert.equal(scheduler.wakeMs, 10);
  if (start?.type === 'start') scheduler.finished(start.run);
  scheduler.advance(10);
  assert.equal(scheduler.wakeMs, 1000);
  scheduler.change(['one'], [check('two', 1000, 900)], 10);
  scheduler.advance(10);
  assert.equal(scheduler.wakeMs, 10 + heartbeatMs);
});

test('changing one check leaves the cadence of another alone', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], [check('kept', 100)], 0);
  assert.deepEqual(advanceAndFinish(scheduler, 0), ['kept']);
  scheduler.change([], [check('new', 100)], 30);
  assert.deepEqual(advanceAndFinish(scheduler, 30), ['new']);
  assert.deepEqual(advanceAndFinish(scheduler, 100), ['kept']);
  scheduler.change(['new'], [], 110);
  assert.deepEqual(advanceAndFinish(scheduler, 130), []);
  assert.deepEqual(advanceAndFinish(scheduler, 200), ['kept']);
});

test('a check that goes takes its running probe with it, and a late finish is harmless', () => {
  const scheduler = new Scheduler({ random: () => 0 });
  scheduler.change([], [check('one', 100)], 0);
  assert.equal(scheduler.advance(0).length, 1);
  assert.deepEqual(scheduler.change(['one', 'never-there'], [check('one', 200)], 10), [1]);
  assert.deepEqual(withoutLateness(scheduler.advance(10)), [{ type: 'start', id: 'one', run: 2 }]);
  scheduler.finished(1);
  for (let nowMs = 10; nowMs < 210; nowMs += 20) assert.deepEqual(scheduler.advance(nowMs), []);
  assert.deepEqual(withoutLateness(scheduler.advance(210)), [
    { type: 'expire', run: 2 },
    { type: 'start', id: 'one', run: 3 },
  ]);
});

test('500 checks at 100 ms that each last 90 ms all keep their cadence', () => {
  const scheduler = new Scheduler({ random: () => 0.5 });
  const checks = Array.from({ length: 500 }, (_, index) => check(`s${index}`, 100));
  scheduler.change([], checks, 0);
  const ends = new Map<number, RunId[]>();
  for (let nowMs = 0; nowMs < 10_000; nowMs += 1) {
    for (const run of ends.get(nowMs) ?? []) scheduler.finished(run);
    for (const action of scheduler.advance(nowMs)) {
      assert.equal(action.type, 'start');
      ends.set(nowMs + 90, [...(ends.get(nowMs + 90) ?? []), action.run]);
    }
  }
  const { started, skipped, deferred } = scheduler.counters;
  assert.deepEqual({ started, skipped, deferred }, { started: 50_000, skipped: 0, deferred: 0 });
});
