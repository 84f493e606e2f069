import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MinHeap } from '../../../src/health/minHeap.js';

const anyKeys = fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 200 });

function heapOf(keys: readonly number[]): MinHeap<number> {
  const heap = new MinHeap<number>();
  for (const key of keys) heap.push(key, key);
  return heap;
}

function drain(heap: MinHeap<number>, until = Number.POSITIVE_INFINITY): number[] {
  const items: number[] = [];
  for (;;) {
    const item = heap.popUntil(until);
    if (item === undefined) return items;
    items.push(item);
  }
}

const ascending = (keys: readonly number[]) => keys.toSorted((left, right) => left - right);

test('what goes in comes out in the order of the keys', () => {
  fc.assert(
    fc.property(anyKeys, (keys) => {
      assert.deepEqual(drain(heapOf(keys)), ascending(keys));
    }),
  );
});

test('only what is due comes out, and the rest stays', () => {
  fc.assert(
    fc.property(anyKeys, fc.integer({ min: -60, max: 60 }), (keys, until) => {
      const heap = heapOf(keys);
      const due = ascending(keys).filter((key) => key <= until);
      assert.deepEqual(drain(heap, until), due);
      assert.equal(heap.size, keys.length - due.length);
      assert.equal(
        heap.firstKey,
        ascending(keys).find((key) => key > until),
      );
    }),
  );
});

test('a rebuilt heap holds what was kept, under the new keys', () => {
  fc.assert(
    fc.property(anyKeys, (keys) => {
      const heap = heapOf(keys);
      heap.rebuild((item) => (item % 3 === 0 ? undefined : -item));
      const kept = keys.filter((key) => key % 3 !== 0);
      assert.deepEqual(drain(heap), ascending(kept).toReversed());
    }),
  );
});
