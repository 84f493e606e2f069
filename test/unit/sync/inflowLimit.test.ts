import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entriesPerSecondMax, InflowLimit } from '../../../src/sync/inflowLimit.js';

test('a whole table at full speed is not held up, a flood is', () => {
  const limit = new InflowLimit();
  for (let ms = 0; ms < 5_000; ms += 10) assert.equal(limit.take(500, ms), 0);
  let nowMs = 5_000;
  let taken = 0;
  while (nowMs < 15_000) {
    const waitMs = limit.take(8_192, nowMs);
    taken += 8_192;
    nowMs += waitMs;
  }
  assert.ok(taken <= entriesPerSecondMax * 10 * 1.05, `${taken} entries in 10 s`);
  assert.ok(taken >= entriesPerSecondMax * 10 * 0.9, `${taken} entries in 10 s`);
});
