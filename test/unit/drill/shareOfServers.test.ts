import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answersPerServer,
  failuresByReason,
  failuresOutside,
  shareDeviation,
} from '../../../src/drill/measurements.js';
import { answer, timeout } from './support.js';

const span = { fromUs: 10_000, toUs: 20_000 };

test('answers count for the time in which their requests were sent', () => {
  const requests = [answer(5, 12), answer(10, 11, 'rs2'), answer(15, 40), timeout(16, 18)];
  assert.deepEqual(answersPerServer(requests, span), { rs1: 1, rs2: 1 });
});

for (const { title, counts, deviation } of [
  { title: 'exact shares deviate by nothing', counts: { rs1: 20, rs2: 10 }, deviation: 0 },
  {
    title: 'a server that gets all deviates by the other share',
    counts: { rs1: 9 },
    deviation: 33,
  },
  { title: 'a server without a weight deviates by its share', counts: { rs3: 5 }, deviation: 100 },
]) {
  test(title, () => {
    assert.equal(Math.round(shareDeviation(counts, { rs1: 2, rs2: 1 }) ?? -1), deviation);
  });
}

test('without answers there is no share', () => {
  assert.equal(shareDeviation({}, { rs1: 1 }), undefined);
});

test('failures are counted by reason', () => {
  const refused = { ...timeout(0, 1), result: { failure: 'refused' as const } };
  assert.deepEqual(failuresByReason([timeout(0, 1), refused, timeout(2, 3), answer(0, 1)]), {
    timeout: 2,
    refused: 1,
  });
});

test('a failed request is outside of a span only when no moment of it is inside', () => {
  const requests = [
    timeout(1, 9),
    timeout(5, 10),
    timeout(15, 30),
    timeout(20, 25),
    timeout(21, 22),
  ];
  assert.equal(failuresOutside(requests, span).length, 2);
  assert.deepEqual(failuresOutside([answer(1, 2)], span), []);
});
