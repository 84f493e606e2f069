import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LatenessHistogram } from '../../../src/vrrp/latenessHistogram.js';

function histogramOf(values: readonly number[]): LatenessHistogram {
  const histogram = new LatenessHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

test('an empty histogram has nothing to tell', () => {
  assert.deepEqual(new LatenessHistogram().summary, { count: 0, p50Us: 0, p99Us: 0, maxUs: 0 });
});

test('quantiles are never too low, and a fifth too high at most', () => {
  const latenesses = fc.array(fc.integer({ min: 1, max: 100_000_000 }), { minLength: 1 });
  fc.assert(
    fc.property(latenesses, (values) => {
      const sorted = [...values].sort((left, right) => left - right);
      const { count, p50Us, p99Us, maxUs } = histogramOf(values).summary;
      const exact = (share: number) => sorted[Math.ceil(values.length * share) - 1] ?? 0;
      assert.equal(count, values.length);
      assert.equal(maxUs, sorted.at(-1));
      for (const [told, share] of [
        [p50Us, 0.5],
        [p99Us, 0.99],
      ] as const) {
        assert.ok(told >= exact(share) - 1, `${told} for ${exact(share)}`);
        assert.ok(told <= exact(share) * 1.2 + 1, `${told} for ${exact(share)}`);
      }
    }),
  );
});

test('what came too early was not late, and an hour counts in the last bucket', () => {
  const { count, p50Us, maxUs } = histogramOf([-5, 0, 3_600_000_000]).summary;
  assert.deepEqual([count, p50Us <= 1, maxUs], [3, true, 3_600_000_000]);
});
