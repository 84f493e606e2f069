import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressAsText, endpointAsText } from '../../../src/ipvs/command/addressText.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

// The right column is what inet_ntop of glibc 2.36 gives.
const cases = [
  ['10.0.0.1', '10.0.0.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['::ffff:0.0.0.1', '::ffff:0.0.0.1'],
  ['::1.2.3.4', '::1.2.3.4'],
  ['::1:2', '::0.1.0.2'],
  ['::2', '::2'],
  ['::', '::'],
  ['::fffe:1:2', '::fffe:1:2'],
  ['1::ffff:1.2.3.4', '1::ffff:102:304'],
] as const;

for (const [text, expected] of cases) {
  test(`${text} is written as the C library writes it`, () => {
    assert.equal(addressAsText(ipAddress(text)), expected);
  });
}

test('an endpoint has brackets around an IPv6 address only', () => {
  assert.equal(endpointAsText(ipAddress('::ffff:1.2.3.4'), 80), '[::ffff:1.2.3.4]:80');
  assert.equal(endpointAsText(ipAddress('1.2.3.4'), 80), '1.2.3.4:80');
});
