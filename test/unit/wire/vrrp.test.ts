import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { internetChecksum } from '../../../src/wire/checksum.js';
import { type IpAddress, ipAddress, ipFromBytes } from '../../../src/wire/ipAddress.js';
import { decodeIpv4Packet } from '../../../src/wire/ipv4Header.js';
import {
  type Advertisement,
  type ChecksumForm,
  checksumFormOf,
  decodeAdvertisement,
  encodeAdvertisement,
  vrrpGroupIpv4,
} from '../../../src/wire/vrrp.js';
import { WireError } from '../../../src/wire/wireError.js';
import { vector, vectorPacket } from './vectors.js';

const source = ipAddress('192.0.2.1');
const multicast = { source, destination: vrrpGroupIpv4 };
const unicast = { source, destination: ipAddress('192.0.2.2') };
const addresses = (...texts: string[]): readonly IpAddress[] => texts.map(ipAddress);

interface Row {
  readonly name: string;
  readonly form: ChecksumForm;
  readonly advertisement: Advertisement;
  readonly path: typeof multicast;
}

const [a, b, c, d] = [
  {
    vrid: 51,
    priority: 200,
    advertIntervalCs: 100,
    addresses: addresses('192.0.2.100', '192.0.2.101'),
  },
  { vrid: 51, priority: 200, advertIntervalCs: 100, addresses: addresses('192.0.2.100') },
  { vrid: 51, priority: 0, advertIntervalCs: 25, addresses: addresses('192.0.2.100') },
  { vrid: 255, priority: 254, advertIntervalCs: 4095, addresses: addresses('203.0.113.9') },
];

const rows: readonly Row[] = [
  { name: 'V3-A-pseudo', form: 'pseudo-header', advertisement: a, path: multicast },
  { name: 'V3-A-plain', form: 'plain', advertisement: a, path: multicast },
  { name: 'V3-B-unicast-pseudo', form: 'pseudo-header', advertisement: b, path: unicast },
  { name: 'V3-B-unicast-plain', form: 'plain', advertisement: b, path: unicast },
  { name: 'V3-C-prio0-pseudo', form: 'pseudo-header', advertisement: c, path: multicast },
  { name: 'V3-C-prio0-plain', form: 'plain', advertisement: c, path: multicast },
  { name: 'V3-D-max-pseudo', form: 'pseudo-header', advertisement: d, path: multicast },
  { name: 'V3-D-max-plain', form: 'plain', advertisement: d, path: multicast },
];

for (const { name, form, advertisement, path } of rows) {
  test(`vector ${name} is encoded byte for byte`, () => {
    const message = encodeAdvertisement(advertisement, path, form);
    assert.equal(Buffer.from(message).toString('hex'), vector(name).message.toString('hex'));
  });

  test(`vector ${name} is decoded, and its checksum is found to be ${form}`, () => {
    const packet = decodeIpv4Packet(vectorPacket(name));
    assert.equal(packet.source, path.source);
    assert.equal(packet.destination, path.destination);
    assert.equal(packet.timeToLive, 255);
    assert.equal(packet.protocol, 112);
    assert.equal(packet.typeOfService, 0xc0);
    assert.deepEqual(decodeAdvertisement(packet.payload), advertisement);
    assert.equal(checksumFormOf(packet.payload, packet), form);
  });
}

test('the checksum of old keepalived unicast, over the group, is in neither form', () => {
  const packet = decodeIpv4Packet(vectorPacket('V3-B-unicast-old'));
  assert.equal(checksumFormOf(packet.payload, packet), undefined);
});

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes);
const anyAdvertisement: fc.Arbitrary<Advertisement> = fc.record(
  {
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.nat(255),
    advertIntervalCs: fc.nat(4095),
    addresses: fc.array(ipv4, { maxLength: 255 }),
  },
  { noNullPrototype: true },
);
const anyForm = fc.constantFrom<ChecksumForm>('pseudo-header', 'plain');

test('every advertisement decodes to what was encoded, with its checksum right', () => {
  fc.assert(
    fc.property(anyAdvertisement, ipv4, anyForm, (advertisement, from, form) => {
      const path = { source: from, destination: vrrpGroupIpv4 };
      const message = encodeAdvertisement(advertisement, path, form);
      assert.deepEqual(decodeAdvertisement(message), advertisement);
      assert.equal(checksumFormOf(message, path, [form]), form);
    }),
  );
});

test('one flipped bit breaks the checksum in both forms', () => {
  fc.assert(
    fc.property(anyAdvertisement, anyForm, fc.nat(), (advertisement, form, position) => {
      const message = encodeAdvertisement(advertisement, multicast, form);
      const bit = position % (message.length * 8);
      message[bit >> 3] = (message[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      assert.equal(checksumFormOf(message, multicast, [form]), undefined);
    }),
  );
});

test('random bytes make the decoders throw nothing but their own error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      for (const decode of [decodeAdvertisement, decodeIpv4Packet]) {
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof WireError);
        }
      }
    }),
  );
});

test('a value that does not fit its field is refused instead of being cut', () => {
  const wrong: readonly Partial<Advertisement>[] = [
    { vrid: 0 },
    { vrid: 256 },
    { priority: 256 },
    { priority: -1 },
    { advertIntervalCs: 4096 },
    { advertIntervalCs: 1.5 },
    { addresses: addresses('2001:db8::1') },
    { addresses: Array<IpAddress>(256).fill(source) },
  ];
  for (const change of wrong) {
    const advertisement = { ...a, ...change };
    assert.throws(
      () => encodeAdvertisement(advertisement, multicast, 'plain'),
      WireError,
      JSON.stringify(Object.keys(change)),
    );
  }
});

test('the IP header checksum of every vector is its Internet checksum', () => {
  for (const { name } of rows) {
    const header = Buffer.from(vectorPacket(name).subarray(0, 20));
    const stated = header.readUInt16BE(10);
    header.writeUInt16BE(0, 10);
    assert.equal(internetChecksum([header]), stated, name);
  }
});
