import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowUs } from '../../../src/kernel/monotonicClock.js';
import {
  clockReadingsMax,
  readClocks,
  realtimeUs,
  receiveAgeMaxUs,
  stampToMonotonicUs,
} from '../../../src/kernel/receiveTime.js';

test('the monotonic clock counts whole microseconds and never goes back', () => {
  let last = nowUs();
  for (let count = 0; count < 10_000; count += 1) {
    const now = nowUs();
    assert.ok(Number.isSafeInteger(now) && now >= last);
    last = now;
  }
});

test('the realtime clock agrees with that of Node to the millisecond', () => {
  const before = Date.now() * 1000;
  const now = realtimeUs();
  const after = (Date.now() + 1) * 1000;
  assert.ok(before <= now && now <= after, `${before} <= ${now} <= ${after}`);
});

test('a stamp becomes monotonic by its age', () => {
  const clocks = { realtimeUs: 1_700_000_000_000_000, monotonicUs: 5_000_000 };
  assert.equal(stampToMonotonicUs(clocks.realtimeUs - 250, clocks), 4_999_750);
  assert.equal(stampToMonotonicUs(clocks.realtimeUs, clocks), 5_000_000);
});

test('a stamp of the future, or too old to be true, counts as now: the clock was set', () => {
  const clocks = { realtimeUs: 1_700_000_000_000_000, monotonicUs: 5_000_000 };
  assert.equal(stampToMonotonicUs(clocks.realtimeUs + 1, clocks), 5_000_000);
  const oldest = clocks.realtimeUs - receiveAgeMaxUs;
  assert.equal(stampToMonotonicUs(oldest, clocks), 5_000_000 - receiveAgeMaxUs);
  assert.equal(stampToMonotonicUs(oldest - 1, clocks), 5_000_000);
});

test('a processor lost between the two clocks does not make a packet older', () => {
  const { clocks, reads } = readingsInterrupted([30_000, 30_000, 0]);
  assert.equal(clocks.monotonicUs, clocks.realtimeUs);
  assert.equal(reads, 3);
});

test('where every reading is interrupted, the shortest one counts and errs to the young', () => {
  const { clocks, reads } = readingsInterrupted([30_000, 2_000, 40_000, 50_000, 0]);
  assert.equal(clocks.monotonicUs - clocks.realtimeUs, 2_000);
  assert.equal(reads, clockReadingsMax);
});

/** Reads clocks that show the same time, and lets time go by after each look at the second one. */
function readingsInterrupted(interruptionsUs: readonly number[]) {
  let timeUs = 5_000_000;
  let reads = 0;
  const clocks = readClocks(
    () => timeUs,
    () => {
      const shownUs = timeUs;
      timeUs += interruptionsUs[reads] ?? 0;
      reads += 1;
      return shownUs;
    },
  );
  return { clocks, reads };
}
