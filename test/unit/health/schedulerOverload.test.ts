import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from '../../../src/health/scheduler.js';

const intervalMs = 1_000;
const checks = 500;

/**
 * The times between two starts of the same check, when each start takes the thread a while and its
 * answer is read after all that was started together. The first ten intervals are left out.
 */
function distancesMs(startCostMs: number, intervals: number): number[] {
  const scheduler = new Scheduler({ random: () => 0.5 });
  const timing = { intervalMs, timeoutMs: intervalMs };
  const all = Array.from({ length: checks }, (_, index) => ({ id: `check-${index}`, timing }));
  scheduler.change([], all, 0);
  const lastMs = new Map<string, number>();
  const distances: number[] = [];
  for (let nowMs = 0; nowMs < intervals * intervalMs; ) {
    const runs = [];
    for (const action of scheduler.advance(nowMs)) {
      if (action.type !== 'start') continue;
      runs.push(action.run);
      nowMs += startCostMs;
      const before = lastMs.get(action.id);
      if (before !== undefined && nowMs > 10 * intervalMs) distances.push(nowMs - before);
      lastMs.set(action.id, nowMs);
    }
    for (const run of runs) scheduler.finished(run);
    nowMs = Math.max(nowMs, scheduler.wakeMs ?? nowMs);
  }
  return distances;
}

test('a thread with a tenth too much to do probes every check at about the same distance', () => {
  const distances = distancesMs((1.1 * intervalMs) / checks, 60);
  assert.ok(Math.max(...distances) < 1.5 * intervalMs, `${Math.max(...distances)} ms`);
  assert.ok(Math.min(...distances) > 0.5 * intervalMs, `${Math.min(...distances)} ms`);
});

test('a thread with just enough time keeps the interval', () => {
  const distances = distancesMs((0.8 * intervalMs) / checks, 60);
  const longest = Math.max(...distances.map((distance) => Math.abs(distance - intervalMs)));
  assert.ok(longest < 0.05 * intervalMs, `${longest} ms off`);
});
