import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseSource } from '../../../src/bfd/sourceAddress.js';
import { ipAddress, parseIpPrefix } from '../../../src/wire/ipAddress.js';

/** Addresses of an interface; a star marks a secondary one. */
function choose(list: string, peer: string, virtual: readonly string[] = []): string | undefined {
  const candidates = list.split(' ').map((text) => {
    const prefix = parseIpPrefix(text.replace('*', ''));
    assert.ok(prefix !== undefined);
    return { prefix, secondary: text.endsWith('*') };
  });
  return chooseSource(candidates, ipAddress(peer), new Set(virtual.map(ipAddress)));
}

test('the source is an address of the peer family and network, the primary one', () => {
  const list = '198.51.100.1/24 192.0.2.7/24* 192.0.2.1/24 2001:db8::1/64 fe80::1/64';
  assert.equal(choose(list, '192.0.2.9'), '192.0.2.1');
  assert.equal(choose(list, '2001:db8::9'), '2001:db8::1');
  assert.equal(choose(list, 'fe80::9'), 'fe80::1');
  assert.equal(choose(list, '203.0.113.9'), '198.51.100.1', 'a peer beyond routers');
  assert.equal(choose(list, '2001:db8:9::9'), '2001:db8::1');
});

test('a virtual address is never the source', () => {
  assert.equal(choose('192.0.2.100/24 192.0.2.1/24', '192.0.2.9', ['192.0.2.100']), '192.0.2.1');
  assert.equal(choose('192.0.2.100/24', '192.0.2.9', ['192.0.2.100']), undefined);
});

test('without an address of the family there is no source', () => {
  assert.equal(choose('192.0.2.1/24', '2001:db8::9'), undefined);
});
