import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detailLengthMax, printable } from '../../../src/health/probes/printable.js';

test('white space is folded, control and format characters are replaced', () => {
  assert.equal(printable('  a\r\n\tb  '), 'a b');
  assert.equal(printable('\x1b[31mred\x07'), '.[31mred.');
  assert.equal(printable('left\u202eright\u200b'), 'left.right.');
  assert.equal(printable('größer – 真'), 'größer – 真');
});

test('long text ends in an ellipsis, never in half a character', () => {
  assert.equal(printable('x'.repeat(500)), `${'x'.repeat(detailLengthMax - 1)}…`);
  assert.equal(printable('x'.repeat(detailLengthMax)), 'x'.repeat(detailLengthMax));
  const cut = printable(`${'x'.repeat(detailLengthMax - 2)}😀😀`);
  assert.equal(cut, `${'x'.repeat(detailLengthMax - 2)}…`);
});

test('whatever comes in, what goes out is printable and bounded', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 1000 }), (text) => {
      const detail = printable(text);
      assert.ok(detail.length <= detailLengthMax);
      assert.doesNotMatch(detail, /\p{C}/u);
      assert.doesNotMatch(detail, /[^\S ]/u);
    }),
    { numRuns: 500 },
  );
});
