import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agreement } from '../../../src/sync/agreement.js';

const sums = (...values: readonly number[]): Uint32Array => Uint32Array.from(values);

test('a difference counts when it is seen twice, and ends when the sums agree', () => {
  const agreement = new Agreement();
  assert.equal(agreement.differing, null);
  assert.deepEqual(agreement.compare(sums(1, 2, 3), sums(1, 9, 3), 10), []);
  assert.deepEqual(agreement.compare(sums(1, 2, 3), sums(1, 9, 3), 20), [1]);
  assert.equal(agreement.differing, 1);
  assert.deepEqual(agreement.compare(sums(1, 2, 3), sums(1, 2, 3), 30), []);
  agreement.peerDiffering = 0;
  assert.equal(agreement.isComplete, true);
  assert.equal(agreement.comparedUnixMs, 30);
  agreement.forget();
  assert.equal(agreement.isComplete, false);
});

test('a part that differs by refused entries is asked for once, and not for ever', () => {
  const agreement = new Agreement();
  const compare = () => agreement.compare(sums(1, 2), sums(1, 0), 1);
  agreement.noteRefusal(1);
  compare();
  assert.deepEqual(compare(), [1], 'the refusal may be older than the difference');
  agreement.repairBegins([1]);
  agreement.noteRefusal(1);
  agreement.repairEnded(new Set([1]));
  assert.deepEqual(compare(), []);
  assert.deepEqual([agreement.differing, agreement.refusedBuckets], [0, 1]);
  // With other services it is asked for again.
  agreement.forgetRefusals();
  assert.deepEqual(compare(), [1]);
});
