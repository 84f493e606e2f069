import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { onesComplementSum } from '../../../src/wire/checksum.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { decodeIpPacket } from '../../../src/wire/ipPacket.js';
import { encodeTunnelPacket, type TunnelPacket } from '../../../src/wire/tunnel.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const inner = Buffer.from('4500', 'hex');
const ipv4: TunnelPacket = {
  source: ipAddress('192.0.2.2'),
  destination: ipAddress('192.0.2.1'),
  timeToLive: 64,
  inner,
  innerFamily: 4,
};
const ipv6 = { ...ipv4, source: ipAddress('2001:db8::2'), destination: ipAddress('2001:db8::1') };

/** What follows the outer header, as the headers' own documents have it. */
const vectors: readonly (readonly [string, TunnelPacket, number, string])[] = [
  ['IPv4 in IPv4', ipv4, 4, '4500'],
  ['IPv6 in IPv4', { ...ipv4, innerFamily: 6 }, 41, '4500'],
  ['IPv4 in IPv6', ipv6, 4, '4500'],
  ['GRE', { ...ipv4, encapsulation: { type: 'gre', checksum: 'none' } }, 47, '00000800' + '4500'],
  [
    'GRE with a checksum, of IPv6',
    { ...ipv6, innerFamily: 6, encapsulation: { type: 'gre', checksum: 'full' } },
    47,
    // 0x8000 + 0x86dd + 0x4500 = 0x14bdd, so 0x4bde; its complement is 0xb421.
    '800086dd' + 'b4210000' + '4500',
  ],
  [
    'GUE',
    { ...ipv4, encapsulation: { type: 'gue', port: 6080, checksum: 'none' } },
    17,
    // UDP 49152 to 6080, 14 bytes, no checksum; variant 0, no extension, protocol 4.
    'c00017c0000e0000' + '00040000' + '4500',
  ],
  [
    'GUE of IPv6 that leaves the checksum to the receiver',
    { ...ipv4, innerFamily: 6, encapsulation: { type: 'gue', port: 6080, checksum: 'remote' } },
    17,
    'c00017c0000e0000' + '00290000' + '4500',
  ],
];

for (const [name, packet, protocol, expected] of vectors) {
  test(`a packet in a tunnel is written as its document has it: ${name}`, () => {
    const outer = decodeIpPacket(encodeTunnelPacket(packet));
    assert.deepEqual([outer.source, outer.destination], [packet.source, packet.destination]);
    assert.deepEqual([outer.protocol, outer.timeToLive], [protocol, 64]);
    assert.equal(hex(outer.payload), expected);
  });
}

test('the checksum of GUE covers the addresses, the headers and the packet', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 99 }),
      fc.constantFrom(ipv4, ipv6),
      (bytes, ends) => {
        const encapsulation = { type: 'gue', port: 6080, checksum: 'full' } as const;
        const { payload, source, destination } = decodeIpPacket(
          encodeTunnelPacket({ ...ends, inner: bytes, encapsulation }),
        );
        assert.notEqual(Buffer.from(payload).readUInt16BE(6), 0, '0 says that there is none');
        const parts = [source, destination].map((address) =>
          address.includes('.')
            ? Buffer.from(address.split('.').map(Number))
            : Buffer.concat([Buffer.from('20010db8', 'hex'), Buffer.alloc(11), lastOctet(address)]),
        );
        const rest = Buffer.from([0, 17, payload.length >> 8, payload.length & 0xff]);
        assert.equal(onesComplementSum([...parts, rest, payload]), 0xffff);
      },
    ),
  );
});

function lastOctet(address: string): Buffer {
  return Buffer.of(Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16));
}

test('the checksum of GRE covers its header and the packet', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 99 }), (bytes) => {
      const encapsulation = { type: 'gre', checksum: 'full' } as const;
      const { payload } = decodeIpPacket(
        encodeTunnelPacket({ ...ipv4, inner: bytes, encapsulation }),
      );
      assert.equal(onesComplementSum([payload]), 0xffff);
    }),
  );
});
