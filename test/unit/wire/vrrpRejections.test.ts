import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, ipAddress } from '../../../src/wire/ipAddress.js';
import type { RouterExpectation } from '../../../src/wire/vrrpReceive.js';
import {
  authenticated,
  changed,
  multicast,
  overIpv6,
  peer,
  reasonOf,
  resized,
  unicast,
  version2,
  withPassword,
} from './receiveSupport.js';
import { vectorPacket } from './vectors.js';

const fixed = { fixChecksum: true };
const plain = 'V3-A-plain';
const signed = 'V3-H-hmac-v4-unicast';

/** Reason, what is wrong, packet, and who judges it; in the order of the checks. */
const rejections: readonly (readonly [string, string, Buffer, RouterExpectation?])[] = [
  ['bad-ip-header', 'an IP version of 5', changed(plain, (p) => p.writeUInt8(0x55, 0))],
  ['bad-ip-header', 'too little for an IPv6 header', changed(plain, (p) => p.writeUInt8(0x65, 0))],
  ['bad-ip-header', 'another protocol', changed(plain, (p) => p.writeUInt8(17, 9))],
  ['bad-ip-header', 'a header longer than it all', changed(plain, (p) => p.writeUInt8(0x4f, 0))],
  ['bad-ip-header', 'less than the IP header says', vectorPacket(plain).subarray(0, 30)],
  ['truncated', 'seven bytes of message', resized(vectorPacket(plain), 7)],
  ['bad-length', 'one address less than counted', resized(vectorPacket(plain), 12)],
  ['bad-length', 'one address more than counted', resized(vectorPacket(plain), 20)],
  ['bad-length', 'version 2 cut to 19 bytes', resized(vectorPacket('V2-A'), 19), version2],
  [
    'bad-length',
    'the length of version 2 in version 3',
    changed('V2-A', (_, m) => m.writeUInt8(0x31, 0)),
  ],
  ['hmac-unexpected', 'a trailer where none is configured', vectorPacket(signed), unicast],
  ['wrong-ttl', 'a TTL of 254', changed(plain, (p) => p.writeUInt8(254, 8))],
  [
    'wrong-ttl',
    'a TTL of 254 in version 2',
    changed('V2-A', (p) => p.writeUInt8(254, 8)),
    version2,
  ],
  ['wrong-ttl', 'a hop limit of 64', changed('V6-A', (p) => p.writeUInt8(64, 7)), overIpv6],
  [
    'wrong-ttl',
    'a TTL of 254 of a peer on the link',
    changed('V3-B-unicast-pseudo', (p) => p.writeUInt8(254, 8)),
    unicast,
  ],
  ['wrong-destination', 'a unicast destination', vectorPacket('V3-B-unicast-pseudo')],
  ['wrong-destination', 'the group where peers send to each other', vectorPacket(plain), unicast],
  [
    'unknown-peer',
    'a sender that is no peer',
    changed('V3-B-unicast-plain', (p) => p.writeUInt8(9, 15)),
    unicast,
  ],
  ['wrong-version', 'version 2', vectorPacket('V2-A')],
  ['wrong-version', 'version 2 with authentication', vectorPacket('V2-B')],
  ['wrong-version', 'version 3 where 2 is spoken', vectorPacket(plain), version2],
  ['wrong-version', 'version 4', changed(plain, (_, m) => m.writeUInt8(0x41, 0), fixed)],
  ['wrong-type', 'type 2', changed(plain, (_, m) => m.writeUInt8(0x32, 0), fixed)],
  [
    'wrong-type',
    'type 2 in version 2',
    changed('V2-A', (_, m) => m.writeUInt8(0x22, 0), fixed),
    version2,
  ],
  ['hmac-missing', 'no trailer', vectorPacket('V3-B-unicast-pseudo'), authenticated],
  [
    'hmac-malformed',
    'another scheme',
    changed(signed, (_, m) => m.writeUInt8(2, 12)),
    authenticated,
  ],
  [
    'hmac-malformed',
    'a reserved bit',
    changed(signed, (_, m) => m.writeUInt8(1, 14)),
    authenticated,
  ],
  [
    'hmac-stale',
    'a time too far back',
    changed(signed, (_, m) => m.writeUInt8(0x6a - 1, 16)),
    authenticated,
  ],
  [
    'hmac-unknown-key',
    'another key id',
    changed(signed, (_, m) => m.writeUInt8(2, 13)),
    authenticated,
  ],
  [
    'hmac-invalid',
    'a tag of something else',
    changed(signed, (_, m) => m.writeUInt8(0, 39)),
    authenticated,
  ],
  [
    'hmac-invalid',
    'another priority',
    changed(signed, (_, m) => m.writeUInt8(201, 2)),
    authenticated,
  ],
  [
    'authentication-header',
    'the Authentication Header where there is a password',
    changed('V2-B', (_, m) => m.writeUInt8(2, 4), fixed),
    withPassword,
  ],
  [
    'authentication-header',
    'the Authentication Header where there is nothing',
    changed('V2-A', (_, m) => m.writeUInt8(2, 4), fixed),
    version2,
  ],
  [
    'authentication-header',
    'the Authentication Header of IPsec before the message',
    behindHeader(vectorPacket('V2-A')),
    version2,
  ],
  [
    'unknown-virtual-router',
    'the Authentication Header of IPsec before a message of another virtual router',
    behindHeader(changed('V2-A', (_, m) => m.writeUInt8(52, 1), fixed)),
    version2,
  ],
  [
    'bad-ip-header',
    'the Authentication Header of IPsec before something else than VRRP',
    behindHeader(vectorPacket('V2-A'), 17),
    version2,
  ],
  [
    'truncated',
    'the Authentication Header of IPsec and nothing behind it',
    behindHeader(resized(vectorPacket('V2-A'), 7)),
    version2,
  ],
  ['wrong-authentication-type', 'no password', vectorPacket('V2-A'), withPassword],
  ['wrong-authentication-type', 'a password where there is none', vectorPacket('V2-B'), version2],
  ['wrong-password', 'another password', vectorPacket('V2-B'), { ...version2, password: 's3cres' }],
  ['bad-checksum', 'a flipped bit', changed(plain, (_, m) => m.writeUInt8(201, 2))],
  [
    'bad-checksum',
    'a flipped checksum bit',
    changed('V3-A-pseudo', (_, m) => m.writeUInt8(0xde, 6)),
  ],
  [
    'bad-checksum',
    'a flipped checksum bit in version 2',
    changed('V2-A', (_, m) => m.writeUInt8(0xb9, 6)),
    version2,
  ],
  [
    'bad-checksum',
    'a flipped checksum bit over IPv6',
    changed('V6-A', (_, m) => m.writeUInt8(0xdb, 6)),
    overIpv6,
  ],
  [
    'bad-checksum',
    'a flipped checksum bit and a sound trailer',
    changed(signed, (_, m) => m.writeUInt8(0xbe, 6)),
    authenticated,
  ],
  [
    'bad-checksum',
    'the checksum of keepalived 1.3.6 in unicast',
    vectorPacket('V3-B-unicast-old'),
    unicast,
  ],
  [
    'bad-checksum',
    'the plain form where it is not accepted',
    vectorPacket(plain),
    { ...multicast, checksums: ['pseudo-header'] },
  ],
  ['unknown-virtual-router', 'VRID 52', changed(plain, (_, m) => m.writeUInt8(52, 1), fixed)],
  ['local-owner', 'version 2 at the owner', vectorPacket('V2-A'), { ...version2, isOwner: true }],
  ['zero-interval', 'an interval of 0', changed(plain, (_, m) => m.writeUInt16BE(0, 4), fixed)],
  [
    'wrong-interval',
    'two seconds in version 2',
    changed('V2-A', (_, m) => m.writeUInt8(2, 5), fixed),
    version2,
  ],
  [
    'no-addresses',
    'a count of 0',
    resized(
      changed(
        'V3-C-prio0-plain',
        (_, m) => {
          m.writeUInt8(0, 3);
          m.writeUInt32BE(0, 8);
        },
        fixed,
      ),
      8,
    ),
  ],
  [
    'first-address-not-link-local',
    'a global IPv6 address first',
    changed('V6-A', (_, m) => {
      // The sum does not change when two of its summands change places.
      const first = Buffer.from(m.subarray(8, 24));
      m.copyWithin(8, 24, 40);
      first.copy(m, 24);
    }),
    overIpv6,
  ],
  ['own-packet', 'our own source', vectorPacket(plain), { ...multicast, ownAddress: peer }],
  [
    'own-packet',
    'our own source over IPv6',
    vectorPacket('V6-A'),
    { ...overIpv6, ownAddress: ipAddress('fe80::1') },
  ],
  [
    'own-packet',
    'our own source in unicast',
    vectorPacket('V3-B-unicast-plain'),
    {
      ...unicast,
      ownAddress: peer,
      unicast: { peers: new Set<IpAddress>(), minTimeToLive: () => 255, maxTimeToLive: 255 },
    },
  ],
];

/** The packet as keepalived sends it with `auth_type AH`: 24 bytes more, of protocol 51. */
function behindHeader(packet: Buffer, nextHeader = 112): Buffer {
  const [header, message] = [Buffer.from(packet.subarray(0, 20)), packet.subarray(20)];
  header.writeUInt8(51, 9);
  header.writeUInt16BE(packet.length + 24, 2);
  return Buffer.concat([header, Buffer.from([nextHeader, 4]), Buffer.alloc(22), message]);
}

for (const [reason, what, packet, router] of rejections) {
  test(`a packet with ${what} is discarded as ${reason}`, () => {
    assert.equal(reasonOf(packet, router), reason);
  });
}
