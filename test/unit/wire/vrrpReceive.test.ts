import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeIpPacket } from '../../../src/wire/ipPacket.js';
import { checksumFormOf } from '../../../src/wire/vrrp.js';
import { type RouterExpectation, receiveAdvertisement } from '../../../src/wire/vrrpReceive.js';
import {
  authenticated,
  authenticatedIpv6,
  type Change,
  changed,
  expecting,
  hmac,
  multicast,
  overIpv6,
  peer,
  reasonOf,
  unicast,
  version2,
  withPassword,
} from './receiveSupport.js';
import { vectorPacket } from './vectors.js';

const fixed = { fixChecksum: true };
const plain = 'V3-A-plain';
const signed = 'V3-H-hmac-v4-unicast';

test('every vector is accepted by the router that it is for, and read', () => {
  const rows: readonly (readonly [string, RouterExpectation, string, string, number])[] = [
    ['V2-A', version2, '192.0.2.1', 'plain', 100],
    ['V2-B', withPassword, '192.0.2.1', 'plain', 100],
    ['V2-D', version2, '192.0.2.1', 'plain', 0],
    ['V3-A-pseudo', multicast, '192.0.2.1', 'pseudo-header', 200],
    ['V3-A-plain', multicast, '192.0.2.1', 'plain', 200],
    ['V3-C-prio0-pseudo', multicast, '192.0.2.1', 'pseudo-header', 0],
    ['V3-C-prio0-plain', multicast, '192.0.2.1', 'plain', 0],
    ['V3-D-max-pseudo', multicast, '192.0.2.1', 'pseudo-header', 254],
    ['V3-D-max-plain', multicast, '192.0.2.1', 'plain', 254],
    ['V3-B-unicast-pseudo', unicast, '192.0.2.1', 'pseudo-header', 200],
    ['V3-B-unicast-plain', unicast, '192.0.2.1', 'plain', 200],
    ['V6-A', overIpv6, 'fe80::1', 'pseudo-header', 200],
    ['V6-B-prio0', overIpv6, 'fe80::1', 'pseudo-header', 0],
    ['V3-H-hmac-v4-unicast', authenticated, '192.0.2.1', 'pseudo-header', 200],
    ['V6-H-hmac-v6', authenticatedIpv6, 'fe80::1', 'pseudo-header', 200],
  ];
  for (const [name, router, source, checksum, priority] of rows) {
    const received = receiveAdvertisement(vectorPacket(name), expecting(router));
    assert.ok(received.accepted, name);
    assert.equal(received.source, source, name);
    assert.equal(received.checksum, checksum, name);
    assert.equal(received.advertisement.priority, priority, name);
    assert.equal(received.family, name.startsWith('V6') ? 6 : 4, name);
  }
  const many = receiveAdvertisement(vectorPacket('V2-C'), expecting(version2, [1]));
  assert.ok(many.accepted);
  assert.deepEqual(many.advertisement.addresses, ['192.0.2.100', '192.0.2.101', '198.51.100.7']);
});

test('the reserved bits are ignored', () => {
  const packet = changed(plain, (_, m) => m.writeUInt8(0xf0, 4), fixed);
  const received = receiveAdvertisement(packet, expecting(multicast));
  assert.ok(received.accepted);
  assert.equal(received.advertisement.advertIntervalCs, 100);
});

test('padding behind the IP packet, as short frames have it, is ignored', () => {
  const padded = Buffer.concat([vectorPacket('V3-C-prio0-plain'), Buffer.alloc(14, 0xaa)]);
  assert.equal(reasonOf(padded), 'accepted');
});

test('in version 3 an interval other than ours is no reason to discard', () => {
  assert.equal(reasonOf(vectorPacket(plain), { ...multicast, advertIntervalCs: 25 }), 'accepted');
});

test('in version 3 an owner hears others (erratum 8298)', () => {
  assert.equal(reasonOf(vectorPacket(plain), { ...multicast, isOwner: true }), 'accepted');
});

test('a peer behind routers is heard within the range of TTL that is allowed', () => {
  const peers = new Set([peer]);
  const routed = { ...unicast, unicast: { peers, minTimeToLive: () => 250, maxTimeToLive: 254 } };
  const withTtl = (ttl: number) =>
    reasonOf(
      changed('V3-B-unicast-pseudo', (p) => p.writeUInt8(ttl, 8)),
      routed,
    );
  assert.deepEqual([249, 250, 254, 255].map(withTtl), [
    'wrong-ttl',
    'accepted',
    'accepted',
    'wrong-ttl',
  ]);
});

test('where a trailer is not required a message without one is accepted', () => {
  const permissive = { ...unicast, hmac: { ...hmac, required: false } };
  assert.equal(reasonOf(vectorPacket('V3-B-unicast-pseudo'), permissive), 'accepted');
  const forged = changed(signed, (_, m) => m.writeUInt8(201, 2));
  assert.equal(reasonOf(forged, permissive), 'hmac-invalid');
});

test('the checksum field is not covered by the trailer', () => {
  // Both forms of the checksum are right for the same trailer.
  const packet = changed(signed, (_, m) => m.writeUInt16BE(0x4402, 6));
  assert.equal(reasonOf(packet, authenticated), 'accepted');
});

test('any flipped bit of a message with a trailer is found', () => {
  const bits = 40 * 8;
  for (let bit = 0; bit < bits; bit += 1) {
    const octet = bit >> 3;
    if (octet === 6 || octet === 7) continue;
    const packet = changed(signed, (_, m) =>
      m.writeUInt8(m.readUInt8(octet) ^ (0x80 >> (bit & 7)), octet),
    );
    assert.notEqual(reasonOf(packet, authenticated), 'accepted', `bit ${bit}`);
  }
});

test('a packet of a virtual router that is not ours is told as such in every version', () => {
  for (const name of [plain, 'V2-A', 'V2-B', 'V6-A', 'V3-B-unicast-pseudo', signed]) {
    const received = receiveAdvertisement(vectorPacket(name), expecting(multicast, []));
    assert.equal(received.accepted ? '' : received.reason, 'unknown-virtual-router', name);
  }
});

test('of several faults the first check in the order of RFC 9568 names the reason', () => {
  const faults: readonly (readonly [string, Change])[] = [
    ['wrong-ttl', (p) => p.writeUInt8(1, 8)],
    ['wrong-destination', (p) => p.writeUInt8(19, 19)],
    ['wrong-version', (_, m) => m.writeUInt8(0x4f, 0)],
    ['wrong-type', (_, m) => m.writeUInt8(0x3f, 0)],
    ['bad-checksum', (_, m) => m.writeUInt16BE(1, 6)],
  ];
  for (let first = 0; first < faults.length; first += 1) {
    const packet = changed(plain, (p, m) => {
      // The earlier fault is written last, where two are in the same byte.
      for (const [, change] of faults.slice(first).reverse()) change(p, m);
    });
    assert.equal(reasonOf(packet), faults[first]?.[0]);
  }
});

test('a rejection names the sender and the virtual router as far as they could be read', () => {
  const withoutChecksum = changed(plain, (_, m) => m.writeUInt8(0, 2));
  assert.deepEqual(receiveAdvertisement(withoutChecksum, expecting(multicast)), {
    accepted: false,
    reason: 'bad-checksum',
    source: peer,
    family: 4,
    vrid: 51,
  });
});

const everyVector = [plain, 'V2-A', 'V2-B', 'V3-B-unicast-pseudo', 'V6-A', signed, 'V6-H-hmac-v6'];
const everyRouter = [
  multicast,
  version2,
  withPassword,
  unicast,
  overIpv6,
  authenticated,
  undefined,
];

test('random packets, whole or damaged, are judged and never throw', () => {
  const damaged = fc
    .tuple(fc.constantFrom(...everyVector), fc.nat(1000), fc.nat(255), fc.nat(100))
    .map(([name, position, value, length]) => {
      const packet = Buffer.from(vectorPacket(name));
      packet[position % packet.length] = value;
      return packet.subarray(0, length);
    });
  const anyPacket = fc.oneof(fc.uint8Array({ maxLength: 120 }), damaged);
  fc.assert(
    fc.property(anyPacket, fc.constantFrom(...everyRouter), (packet, router) => {
      const received = receiveAdvertisement(packet, expecting(router));
      assert.equal(typeof received.accepted, 'boolean');
    }),
    { numRuns: 5000 },
  );
});

test('what is accepted has a right checksum, whatever was changed on its way', () => {
  const change = fc.record({
    name: fc.constantFrom(plain, 'V3-A-pseudo'),
    at: fc.nat(35),
    to: fc.nat(255),
  });
  fc.assert(
    fc.property(change, ({ name, at, to }) => {
      const packet = changed(name, (p) => p.writeUInt8(to, at));
      if (reasonOf(packet) !== 'accepted') return;
      const ip = decodeIpPacket(packet);
      assert.ok(checksumFormOf(ip.payload, ip) !== undefined);
    }),
  );
});
