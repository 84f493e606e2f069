import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeEthernetFrame, virtualRouterMacAddress } from '../../../src/wire/ethernet.js';
import { ipAddress, ipFromBytes } from '../../../src/wire/ipAddress.js';
import { decodeIpv6Packet, encodeIpv6Packet } from '../../../src/wire/ipv6Header.js';
import {
  decodeUnsolicitedNeighborAdvertisement,
  encodeUnsolicitedNeighborAdvertisement,
} from '../../../src/wire/ndp.js';
import { WireError } from '../../../src/wire/wireError.js';
import { vector } from './vectors.js';

const address = ipAddress('2001:db8::100');
const macAddress = virtualRouterMacAddress(6, 51);

for (const [name, router] of [
  ['NA-R+O', true],
  ['NA-O', false],
] as const) {
  test(`the announcement of a ${router ? 'router' : 'host'} is the frame of ${name}`, () => {
    const frame = encodeUnsolicitedNeighborAdvertisement({ address, macAddress, router });
    assert.equal(Buffer.from(frame).toString('hex'), vector(name).frame.toString('hex'));
  });

  test(`vector ${name} is decoded`, () => {
    const packet = decodeIpv6Packet(decodeEthernetFrame(vector(name).frame).payload);
    const read = decodeUnsolicitedNeighborAdvertisement(packet);
    assert.equal(read.address, address);
    assert.deepEqual(new Uint8Array(read.macAddress), macAddress);
    assert.equal(read.router, router);
  });
}

test('every neighbor advertisement decodes to what was encoded', () => {
  const anyAddress = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);
  const anyMac = fc.uint8Array({ minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(anyAddress, anyMac, fc.boolean(), (target, mac, router) => {
      const advertisement = { address: target, macAddress: mac, router };
      const frame = decodeEthernetFrame(encodeUnsolicitedNeighborAdvertisement(advertisement));
      const packet = decodeIpv6Packet(frame.payload);
      assert.deepEqual(decodeUnsolicitedNeighborAdvertisement(packet), advertisement);
    }),
  );
});

test('a damaged neighbor advertisement makes the decoder throw nothing but its own error', () => {
  const { payload } = decodeEthernetFrame(vector('NA-O').frame);
  fc.assert(
    fc.property(fc.nat(payload.length * 8 - 1), fc.nat(payload.length), (bit, length) => {
      const damaged = payload.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      for (const bytes of [damaged, payload.slice(0, length)]) {
        try {
          decodeUnsolicitedNeighborAdvertisement(decodeIpv6Packet(bytes));
        } catch (error) {
          assert.ok(error instanceof WireError);
        }
      }
    }),
  );
});

test('an IPv4 address has no neighbor advertisement', () => {
  const wrong = { address: ipAddress('192.0.2.1'), macAddress, router: false };
  assert.throws(() => encodeUnsolicitedNeighborAdvertisement(wrong), WireError);
});

test('every IPv6 packet decodes to what was encoded', () => {
  const anyAddress = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);
  const anyPacket = fc.record(
    {
      trafficClass: fc.nat(255),
      hopLimit: fc.nat(255),
      nextHeader: fc.nat(255),
      source: anyAddress,
      destination: anyAddress,
      payload: fc.uint8Array({ maxLength: 200 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(anyPacket, (packet) => {
      assert.deepEqual(decodeIpv6Packet(encodeIpv6Packet(packet)), packet);
    }),
  );
});
