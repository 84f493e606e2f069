import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { firstAnswerAfter, lengthMs, longestGap } from '../../../src/drill/measurements.js';
import { answer, timeout } from './support.js';

const within = { fromUs: 0, toUs: 100_000 };

test('the gap is the longest time between two consecutive answers', () => {
  const requests = [answer(0, 10), answer(10, 20), timeout(30, 60), answer(65, 70), answer(80, 90)];
  assert.deepEqual(longestGap(requests, within), { fromUs: 20_000, toUs: 70_000 });
});

test('a service that never answers again has a gap up to the end', () => {
  assert.deepEqual(longestGap([answer(0, 10)], within), { fromUs: 10_000, toUs: 100_000 });
});

test('without any answer the whole time is the gap', () => {
  assert.deepEqual(longestGap([timeout(0, 50)], within), within);
});

test('answers outside of the time that is looked at do not count', () => {
  const requests = [answer(-20, -10), answer(40, 50), answer(90, 120)];
  assert.equal(lengthMs(longestGap(requests, within)), 50);
});

test('answers that came out of order are put in order', () => {
  const requests = [answer(0, 60), answer(10, 20), answer(30, 40)];
  assert.deepEqual(longestGap(requests, within), { fromUs: 60_000, toUs: 100_000 });
});

test('no gap is longer than the time, and none is shorter than the time over the answers', () => {
  const time = fc.integer({ min: 1, max: 99 });
  fc.assert(
    fc.property(fc.array(time, { maxLength: 30 }), (times) => {
      const gapMs = lengthMs(
        longestGap(
          times.map((ms) => answer(0, ms)),
          within,
        ),
      );
      assert.ok(gapMs <= 100);
      assert.ok(gapMs >= 100 / (new Set(times).size + 1));
    }),
  );
});

test('the first answer after a moment belongs to a request that was sent after it', () => {
  const requests = [answer(5, 30), answer(25, 60), answer(26, 40)];
  assert.equal(firstAnswerAfter(requests, 20_000), 40_000);
  assert.equal(firstAnswerAfter(requests, 50_000), undefined);
});
