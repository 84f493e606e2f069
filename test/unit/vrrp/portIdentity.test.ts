import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InterfaceAddress, Link } from '../../../src/kernel/routeNetlink.js';
import { portIdentity } from '../../../src/vrrp/portIdentity.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const link: Link = {
  index: 7,
  name: 'eth0',
  up: true,
  running: true,
  macAddress: Uint8Array.of(2, 0, 0, 0, 0, 1),
  mtu: 1500,
};
const virtual = new Set([ipAddress('192.0.2.100')]);

function has(text: string, changes: Partial<InterfaceAddress> = {}): InterfaceAddress {
  const prefix = { address: ipAddress(text), length: text.includes(':') ? 64 : 24 };
  return { interfaceIndex: 7, prefix, secondary: false, ...changes };
}

function sourceOf(addresses: readonly InterfaceAddress[], ownsAddresses = false) {
  return portIdentity(link, addresses, virtual, ownsAddresses).source;
}

test('the source is the primary address of the interface', () => {
  assert.equal(sourceOf([has('192.0.2.5', { secondary: true }), has('192.0.2.1')]), '192.0.2.1');
});

test('a virtual address is no source, even where it came first', () => {
  const own = has('192.0.2.1', { secondary: true });
  assert.equal(sourceOf([has('192.0.2.100'), own]), '192.0.2.1');
  assert.equal(sourceOf([has('192.0.2.100')]), undefined);
});

test('an owner whose only address is the virtual one sends from it', () => {
  assert.equal(sourceOf([has('192.0.2.100')], true), '192.0.2.100');
  assert.equal(sourceOf([has('192.0.2.100'), has('192.0.2.1')], true), '192.0.2.1');
});

test('addresses of other interfaces and of IPv6 do not count', () => {
  assert.equal(sourceOf([has('192.0.2.1', { interfaceIndex: 8 }), has('fe80::1')]), undefined);
});

test('an interface that is down or without carrier has no source', () => {
  for (const state of [{ up: false }, { running: false }]) {
    const identity = portIdentity({ ...link, ...state }, [has('192.0.2.1')], virtual, false);
    assert.equal(identity.source, undefined);
  }
});
