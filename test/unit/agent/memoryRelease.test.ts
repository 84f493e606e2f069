import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { giveMemoryBack } from '../../../src/agent/memoryRelease.js';

/** Bytes of memory that the heap of this thread occupies. */
function heapBytes(): number {
  return getHeapStatistics().total_physical_size;
}

/** Takes some forty megabytes, young ones and old ones, and leaves none of them in use. */
function makeGarbage(): number {
  const values = Array.from({ length: 500_000 }, (_, index) => ({ text: `value ${index}` }));
  return values.length;
}

test('memory that nobody uses any more is given back to the system', async () => {
  makeGarbage();
  const before = heapBytes();
  await giveMemoryBack();
  const given = before - heapBytes();
  assert.ok(given > 8_000_000, `${given} of ${before} bytes`);
});

test('giving memory back twice at once does no harm', async () => {
  await Promise.all([giveMemoryBack(), giveMemoryBack()]);
});
