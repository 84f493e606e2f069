import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import {
  addRouteRequest,
  addressRequest,
  createLocalTunnelRequest,
  createVethRequest,
  readAddress,
  readLink,
  setLinkRequest,
} from '../../../src/kernel/routeMessages.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const skip = endianness() === 'LE' ? false : 'netlink speaks host order; the vectors are LE';
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const shown = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('an IPv4 address is added with its local and network attribute', { skip }, () => {
  const prefix = { address: ipAddress('192.0.2.100'), length: 24 };
  const request = addressRequest({ action: 'add', interfaceIndex: 3, prefix });
  assert.equal(request.type, 20);
  assert.equal(request.flags, 0x600);
  const expected = '02180000 03000000 08000200 c0000264 08000100 c0000264';
  assert.equal(shown(request.payload), shown(hex(expected)));
});

test('an IPv6 address is added without duplicate address detection', { skip }, () => {
  const prefix = { address: ipAddress('2001:db8::1'), length: 64 };
  const address = '20010db8 00000000 00000000 00000001';
  const body = `0a400000 03000000 14000200 ${address} 14000100 ${address}`;
  const add = addressRequest({ action: 'add', interfaceIndex: 3, prefix });
  assert.equal(shown(add.payload), shown(hex(`${body} 08000800 02000000`)));
  const remove = addressRequest({ action: 'delete', interfaceIndex: 3, prefix });
  assert.equal(remove.type, 21);
  assert.equal(shown(remove.payload), shown(hex(body)));
});

test('a veth is created with its peer inside', { skip }, () => {
  const request = createVethRequest('a', { name: 'b', namespaceFd: 9 });
  const header = '00000000 00000000 00000000 00000000';
  const peer = `24000100 ${header} 06000300 62000000 08001c00 09000000`;
  const kind = '09000100 76657468 00 000000';
  const information = `38001200 ${kind} 28000200 ${peer}`;
  const expected = `${header} 06000300 61000000 ${information}`;
  assert.equal(shown(request.payload), shown(hex(expected)));
});

test('a GRE tunnel with checksums says where its packets come to', { skip }, () => {
  const request = createLocalTunnelRequest('g', 'gre', ipAddress('192.0.2.9'));
  const header = '00000000 00000000 00000000 00000000';
  const data = '06000200 80000000 08000600 c0000209';
  const information = `20001200 08000100 67726500 14000200 ${data}`;
  const expected = `${header} 06000300 67000000 ${information}`;
  assert.equal(shown(request.payload), shown(hex(expected)));
});

test('a tunnel over IPv6 says where its packets come to, of either family', { skip }, () => {
  const request = createLocalTunnelRequest('t', 'ip6tnl', ipAddress('2001:db8::9'));
  const header = '00000000 00000000 00000000 00000000';
  const data = '14000200 20010db8 00000000 00000000 00000009 08000800 40000000 05000900 00000000';
  const information = `38001200 0b000100 69703674 6e6c0000 28000200 ${data}`;
  const expected = `${header} 06000300 74000000 ${information}`;
  assert.equal(shown(request.payload), shown(hex(expected)));
});

test('a change of state touches the up flag only', { skip }, () => {
  const link = { index: 3, name: 'eth0' };
  const down = setLinkRequest(link, { up: false }, undefined);
  assert.equal(shown(down.payload), shown(hex('00000000 03000000 00000000 01000000')));
  const up = setLinkRequest(link, { up: true }, 0);
  const expected = '00000000 03000000 01000000 01000000 08000a00 00000000';
  assert.equal(shown(up.payload), shown(hex(expected)));
});

test('a default route is one without destination', { skip }, () => {
  const route = { destination: 'default', gateway: ipAddress('192.0.2.1') } as const;
  const expected = '02000000 fe040001 00000000 08000500 c0000201';
  assert.equal(shown(addRouteRequest(route).payload), shown(hex(expected)));
});

test('an address on a point-to-point link is its own end', { skip }, () => {
  const data = hex('02200000 04000000 08000100 0a000002 08000200 0a000001');
  assert.deepEqual(readAddress(data), {
    interfaceIndex: 4,
    prefix: { address: '10.0.0.1', length: 32 },
    secondary: false,
    peer: '10.0.0.2',
  });
});

test('a link is read past attributes that are unknown or of another size', { skip }, () => {
  const header = '00000100 02000000 41000100 00000000';
  const name = '09000300 65746830 00000000';
  const unknown = '0800ff00 ffffffff';
  // IFLA_STATS64 cut to 4 bytes, as no kernel sends it.
  const oddStatistics = '08001700 00000000';
  const mtu = '08000400 dc050000';
  const data = hex(`${header} ${unknown} ${oddStatistics} ${name} ${mtu}`);
  assert.deepEqual(readLink(data), {
    index: 2,
    name: 'eth0',
    up: true,
    running: true,
    macAddress: new Uint8Array(0),
    mtu: 1500,
  });
});

test('a message about a port of a bridge is no link', { skip }, () => {
  assert.equal(readLink(hex('07000100 02000000 00000000 00000000')), undefined);
});
