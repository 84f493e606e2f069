import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeControl, findControl } from '../../../src/kernel/socketMessage.js';

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

test('a control message is found behind others, whatever their lengths', () => {
  const bytes = Buffer.concat([
    encodeControl(1, 35, new Uint8Array(16)),
    encodeControl(1, 40, new Uint8Array(4)),
    encodeControl(0, 8, Uint8Array.from([7, 7, 7])),
  ]);
  assert.equal(findControl(view(bytes), bytes.length, 1, 35), 16);
  assert.equal(findControl(view(bytes), bytes.length, 1, 40), 48);
  const at = findControl(view(bytes), bytes.length, 0, 8) ?? 0;
  assert.deepEqual([...bytes.subarray(at, at + 3)], [7, 7, 7]);
  assert.equal(findControl(view(bytes), bytes.length, 0, 9), undefined);
});

test('a control message that says it is longer than what is there is not found', () => {
  const bytes = encodeControl(1, 35, new Uint8Array(16));
  assert.equal(findControl(view(bytes), bytes.length - 8, 1, 35), undefined);
});

test('random control data ends the search and is never read beyond its end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 96 }), (bytes) => {
      const at = findControl(view(bytes), bytes.length, 0, 0);
      assert.ok(at === undefined || at <= bytes.length);
    }),
  );
});
