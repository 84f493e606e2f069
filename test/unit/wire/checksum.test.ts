import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { internetChecksum, onesComplementSum } from '../../../src/wire/checksum.js';

test('the worked example of RFC 1071 sums to ddf2', () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assert.equal(onesComplementSum([bytes]), 0xddf2);
  assert.equal(internetChecksum([bytes]), 0x220d);
});

test('an odd last byte counts as the high half of a word', () => {
  assert.equal(onesComplementSum([Uint8Array.of(0x12, 0x34, 0x56)]), 0x1234 + 0x5600);
});

test('chunks sum as the run of bytes that they are, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (bytes, at) => {
      const cut = [bytes.subarray(0, at), bytes.subarray(at)];
      assert.equal(onesComplementSum(cut), onesComplementSum([bytes]));
    }),
  );
});

test('a message with its checksum in place sums to ffff, and with another word it does not', () => {
  const even = fc.uint8Array({ minLength: 2, maxLength: 40 }).filter((b) => b.length % 2 === 0);
  fc.assert(
    fc.property(even, fc.nat(0xffff), (bytes, wrong) => {
      const checksum = internetChecksum([bytes]);
      const word = (value: number) => Uint8Array.of(value >> 8, value & 0xff);
      assert.equal(onesComplementSum([bytes, word(checksum)]), 0xffff);
      // 0 and ffff are the same number in ones' complement.
      fc.pre(wrong % 0xffff !== checksum % 0xffff);
      assert.notEqual(onesComplementSum([bytes, word(wrong)]) % 0xffff, 0);
    }),
  );
});
