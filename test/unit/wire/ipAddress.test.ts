import assert from 'node:assert/strict';
import { isIPv4 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bitsOf,
  compareIpAddresses,
  familyOf,
  formatEndpoint,
  formatIpPrefix,
  ipAddress,
  ipFromBytes,
  ipToBytes,
  parseIpAddress,
  parseIpPrefix,
  prefixContains,
} from '../../../src/wire/ipAddress.js';
import { WireError } from '../../../src/wire/wireError.js';

const ipv4Bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
const ipv6Bytes = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Mostly zeros, so that runs to shorten are common.
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 })
    .map((bytes) => Uint8Array.from(bytes)),
);

test('IPv6 text is written as RFC 5952 recommends', () => {
  const table = [
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ] as const;
  for (const [text, canonical] of table) assert.equal(parseIpAddress(text), canonical);
});

test('text that is no address gives undefined, and ipAddress throws for it', () => {
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', ':::', 'fe80::1%eth0']) {
    assert.equal(parseIpAddress(text), undefined, text);
    assert.throws(() => ipAddress(text), WireError);
  }
});

test('of any text made of numbers and dots Node holds the same for an IPv4 address', () => {
  const part = fc.oneof(
    fc.nat({ max: 300 }).map(String),
    fc.constantFrom('', '00', '01', '/', ':'),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 3, maxLength: 5 }), (parts) => {
      const text = parts.join('.');
      assert.equal(parseIpAddress(text) === text, isIPv4(text), text);
    }),
  );
});

test('bytes to text and back gives the same bytes, in both families', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4Bytes, ipv6Bytes), (bytes) => {
      const address = ipFromBytes(bytes);
      assert.deepEqual(ipToBytes(address), bytes);
      assert.equal(parseIpAddress(address), address);
      assert.equal(bitsOf(familyOf(address)), bytes.length * 8);
    }),
  );
});

test('every way to write an IPv6 address reads as one canonical text', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const address = parseIpAddress(text);
      assert.ok(address !== undefined);
      assert.equal(ipFromBytes(ipToBytes(address)), address);
    }),
  );
});

test('bytes of another length than 4 and 16 are refused', () => {
  for (const length of [0, 3, 5, 15, 17]) {
    assert.throws(() => ipFromBytes(new Uint8Array(length)), { reason: 'bad-length' });
  }
});

test('addresses are ordered as unsigned big-endian integers, not as text', () => {
  const order = (left: string, right: string) =>
    Math.sign(compareIpAddresses(ipAddress(left), ipAddress(right)));
  assert.equal(order('192.0.2.9', '192.0.2.10'), -1);
  assert.equal(order('200.0.0.1', '100.0.0.1'), 1);
  assert.equal(order('fe80::9', 'fe80::10'), -1);
  assert.equal(order('10.0.0.1', '10.0.0.1'), 0);
});

test('a prefix reads back as it was written, and a bare address is its whole length', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4Bytes, ipv6Bytes), fc.nat(128), (bytes, length) => {
      fc.pre(length <= bytes.length * 8);
      const prefix = { address: ipFromBytes(bytes), length };
      assert.deepEqual(parseIpPrefix(formatIpPrefix(prefix)), prefix);
    }),
  );
  assert.deepEqual(parseIpPrefix('192.0.2.1'), { address: '192.0.2.1', length: 32 });
});

test('a prefix with a length that is none is refused', () => {
  for (const text of ['192.0.2.0/33', '192.0.2.0/', '192.0.2.0/-1', '::/129', '::/1e1', '1.2/8']) {
    assert.equal(parseIpPrefix(text), undefined, text);
  }
});

test('a prefix contains exactly the addresses that share its leading bits', () => {
  const contains = (prefixText: string, text: string) => {
    const prefix = parseIpPrefix(prefixText);
    assert.ok(prefix !== undefined);
    return prefixContains(prefix, ipAddress(text));
  };
  assert.equal(contains('192.0.2.0/25', '192.0.2.127'), true);
  assert.equal(contains('192.0.2.0/25', '192.0.2.128'), false);
  assert.equal(contains('0.0.0.0/0', '203.0.113.9'), true);
  assert.equal(contains('2001:db8::/33', '2001:db8:7fff::1'), true);
  assert.equal(contains('2001:db8::/33', '2001:db8:8000::1'), false);
  assert.equal(contains('0.0.0.0/0', '::1'), false);
});

test('flipping one bit leaves a prefix exactly when the bit belongs to the network', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4Bytes, ipv6Bytes), fc.nat(128), fc.nat(127), (bytes, length, bit) => {
      fc.pre(length <= bytes.length * 8 && bit < bytes.length * 8);
      const other = Uint8Array.from(bytes);
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      const prefix = { address: ipFromBytes(bytes), length };
      assert.equal(prefixContains(prefix, ipFromBytes(other)), bit >= length);
    }),
  );
});

test('an endpoint has brackets around an IPv6 address only', () => {
  assert.equal(formatEndpoint(ipAddress('192.0.2.1'), 80), '192.0.2.1:80');
  assert.equal(formatEndpoint(ipAddress('2001:db8::1'), 80), '[2001:db8::1]:80');
});
