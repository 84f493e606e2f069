import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closestWord, editDistance } from '../../../src/config/closestWord.js';

const words = ['interval', 'timeout', 'rise', 'fall', 'port'];

test('a misspelt word finds the word that was meant', () => {
  for (const [written, meant] of [
    ['intervall', 'interval'],
    ['intreval', 'interval'],
    ['Interval', 'interval'],
    ['tiemout', 'timeout'],
    ['prot', 'port'],
    ['fal', 'fall'],
  ] as const) {
    assert.equal(closestWord(written, words), meant);
  }
});

test('a word that is near to nothing finds nothing', () => {
  for (const word of ['', 'x', 'weight', 'abcdefgh', 'z'.repeat(10_000)]) {
    assert.equal(closestWord(word, words), undefined);
  }
});

test('two neighbours that changed places are one mistake', () => {
  assert.equal(editDistance('ab', 'ba'), 1);
  assert.equal(editDistance('kitten', 'sitting'), 3);
});

test('the distance is symmetric, zero for equals only, and at most the longer length', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (left, right) => {
      const distance = editDistance(left, right);
      assert.equal(distance, editDistance(right, left));
      assert.equal(distance === 0, left === right);
      assert.ok(distance <= Math.max(left.length, right.length));
    }),
  );
});
