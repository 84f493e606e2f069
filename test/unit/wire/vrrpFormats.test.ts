import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { familyOf, type IpFamily, ipAddress, ipFromBytes } from '../../../src/wire/ipAddress.js';
import { decodeIpPacket } from '../../../src/wire/ipPacket.js';
import {
  type Advertisement,
  type AdvertisementFormat,
  checksumFormOf,
  decodeAdvertisement,
  encodeUnsummed,
  vrrpGroup,
  withChecksum,
} from '../../../src/wire/vrrp.js';
import { WireError } from '../../../src/wire/wireError.js';
import { vector, vectorPacket } from './vectors.js';

const version2: AdvertisementFormat = { version: 2, checksum: 'pseudo-header' };
const version3: AdvertisementFormat = { version: 3, checksum: 'pseudo-header' };

function advertisement(
  vrid: number,
  priority: number,
  advertIntervalCs: number,
  ...addresses: readonly string[]
): Advertisement {
  return { vrid, priority, advertIntervalCs, addresses: addresses.map(ipAddress) };
}

function encode(content: Advertisement, format: AdvertisementFormat, source: string): Uint8Array {
  const from = ipAddress(source);
  const path = { source: from, destination: vrrpGroup(familyOf(from)) };
  return withChecksum(encodeUnsummed(content, familyOf(from), format), path, format);
}

const links = ['fe80::5e:1', '2001:db8::100'];
const owned = ['192.0.2.100', '192.0.2.101', '198.51.100.7'];
const rows: readonly (readonly [string, AdvertisementFormat, string, Advertisement])[] = [
  ['V2-A', version2, '192.0.2.1', advertisement(51, 100, 100, '192.0.2.100')],
  [
    'V2-B',
    { ...version2, password: 's3cret' },
    '192.0.2.1',
    advertisement(51, 100, 100, '192.0.2.100'),
  ],
  ['V2-C', version2, '192.0.2.1', advertisement(1, 255, 100, ...owned)],
  ['V2-D', version2, '192.0.2.1', advertisement(51, 0, 100, '192.0.2.100')],
  ['V6-A', version3, 'fe80::1', advertisement(51, 200, 100, ...links)],
  ['V6-B-prio0', version3, 'fe80::1', advertisement(51, 0, 100, 'fe80::5e:1')],
];

for (const [name, format, source, content] of rows) {
  test(`vector ${name} is encoded byte for byte`, () => {
    const message = Buffer.from(encode(content, format, source));
    assert.equal(message.toString('hex'), vector(name).message.toString('hex'));
  });

  test(`vector ${name} is decoded`, () => {
    const packet = decodeIpPacket(vectorPacket(name));
    assert.equal(packet.source, source);
    assert.equal(packet.timeToLive, 255);
    assert.equal(packet.protocol, 112);
    assert.deepEqual(decodeAdvertisement(packet.payload, packet.family), content);
  });
}

test('over IPv6 there is one form of the checksum, whatever is asked for', () => {
  const content = advertisement(51, 200, 100, 'fe80::5e:1');
  assert.deepEqual(
    encode(content, { ...version3, checksum: 'plain' }, 'fe80::1'),
    encode(content, version3, 'fe80::1'),
  );
});

const addressBytes = (family: IpFamily) => {
  const length = family === 4 ? 4 : 16;
  return fc.uint8Array({ minLength: length, maxLength: length });
};

function anyAdvertisement(family: IpFamily, step: number, intervalMax: number) {
  return fc.record(
    {
      vrid: fc.integer({ min: 1, max: 255 }),
      priority: fc.nat(255),
      advertIntervalCs: fc.nat(intervalMax).map((value) => value * step),
      addresses: fc.array(addressBytes(family).map(ipFromBytes), { maxLength: 255 }),
    },
    { noNullPrototype: true },
  );
}

const cases = [
  { title: 'version 2', family: 4, format: version2, step: 100, max: 255 },
  {
    title: 'version 2 with a password',
    family: 4,
    format: { ...version2, password: 'x' },
    step: 100,
    max: 255,
  },
  { title: 'version 3 over IPv6', family: 6, format: version3, step: 1, max: 4095 },
] as const;

for (const { title, family, format, step, max } of cases) {
  test(`every advertisement of ${title} decodes to what was encoded, its checksum right`, () => {
    const source = ipAddress(family === 4 ? '192.0.2.1' : 'fe80::1');
    const path = { source, destination: vrrpGroup(family) };
    fc.assert(
      fc.property(anyAdvertisement(family, step, max), (content) => {
        const message = withChecksum(encodeUnsummed(content, family, format), path, format);
        assert.deepEqual(decodeAdvertisement(message, family), content);
        const form = family === 4 ? 'plain' : 'pseudo-header';
        assert.equal(checksumFormOf(message, path, [form]), form);
      }),
    );
  });
}

test('what a version or family cannot hold is refused instead of being cut', () => {
  const wrong: readonly (() => unknown)[] = [
    () => encodeUnsummed(advertisement(51, 100, 150), 4, version2),
    () => encodeUnsummed(advertisement(51, 100, 25_600), 4, version2),
    () => encodeUnsummed(advertisement(51, 100, 100), 4, { ...version2, password: '123456789' }),
    () => encodeUnsummed(advertisement(51, 100, 100, 'fe80::1'), 4, version2),
    () => encodeUnsummed(advertisement(51, 100, 100, '192.0.2.1'), 6, version3),
  ];
  for (const attempt of wrong) assert.throws(attempt, WireError, String(attempt));
});
