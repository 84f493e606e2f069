import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { internetChecksum } from '../../../src/wire/checksum.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import {
  type ReceivedAdvertisement,
  type ReceiveExpectation,
  receiveAdvertisement,
} from '../../../src/wire/vrrpReceive.js';
import { vectorPacket } from './vectors.js';

const ipHeaderLength = 20;
const expectation: ReceiveExpectation = {
  vrids: new Set([51, 255]),
  ownAddress: ipAddress('192.0.2.2'),
};

/** Changes a packet; `message` is the VRRP part of the same bytes. */
type Change = (packet: Buffer, message: Buffer) => void;

function changed(name: string, change: Change, options: { fixChecksum?: boolean } = {}): Buffer {
  const packet = Buffer.from(vectorPacket(name));
  const message = packet.subarray(ipHeaderLength);
  change(packet, message);
  if (options.fixChecksum === true) {
    message.writeUInt16BE(0, 6);
    message.writeUInt16BE(internetChecksum([message]), 6);
  }
  return packet;
}

/** A packet cut or grown to a length, its IP header in agreement. */
function resized(packet: Buffer, messageLength: number): Buffer {
  const result = Buffer.alloc(ipHeaderLength + messageLength);
  packet.copy(result);
  result.writeUInt16BE(result.length, 2);
  return result;
}

function reasonOf(packet: Uint8Array, expected = expectation): string {
  const received = receiveAdvertisement(packet, expected);
  return received.accepted ? 'accepted' : received.reason;
}

test('both checksum forms of one advertisement are accepted, and each is named', () => {
  for (const [name, checksum] of [
    ['V3-A-pseudo', 'pseudo-header'],
    ['V3-A-plain', 'plain'],
    ['V3-C-prio0-pseudo', 'pseudo-header'],
    ['V3-D-max-plain', 'plain'],
  ] as const) {
    const received = receiveAdvertisement(vectorPacket(name), expectation);
    assert.ok(received.accepted, name);
    assert.equal(received.checksum, checksum);
    assert.equal(received.source, '192.0.2.1');
  }
});

const fixed = { fixChecksum: true };

/** Reason and packet, in the order of the checks. */
const rejections: readonly (readonly [string, string, Buffer])[] = [
  ['bad-ip-header', 'an IP version of 6', changed('V3-A-plain', (p) => p.writeUInt8(0x65, 0))],
  ['bad-ip-header', 'another protocol', changed('V3-A-plain', (p) => p.writeUInt8(17, 9))],
  [
    'bad-ip-header',
    'a header longer than it all',
    changed('V3-A-plain', (p) => p.writeUInt8(0x4f, 0)),
  ],
  ['bad-ip-header', 'less than the IP header says', vectorPacket('V3-A-plain').subarray(0, 30)],
  ['truncated', 'seven bytes of message', resized(vectorPacket('V3-A-plain'), 7)],
  ['bad-length', 'one address less than counted', resized(vectorPacket('V3-A-plain'), 12)],
  ['bad-length', 'one address more than counted', resized(vectorPacket('V3-A-plain'), 20)],
  ['bad-length', 'version 2 cut to 19 bytes', resized(vectorPacket('V2-A'), 19)],
  ['wrong-ttl', 'a TTL of 254', changed('V3-A-plain', (p) => p.writeUInt8(254, 8))],
  ['wrong-destination', 'unicast', vectorPacket('V3-B-unicast-pseudo')],
  ['wrong-version', 'a version 2 message', vectorPacket('V2-A')],
  ['wrong-version', 'a version 2 message with authentication', vectorPacket('V2-B')],
  ['wrong-version', 'version 4', changed('V3-A-plain', (_, m) => m.writeUInt8(0x41, 0), fixed)],
  ['wrong-type', 'type 2', changed('V3-A-plain', (_, m) => m.writeUInt8(0x32, 0), fixed)],
  ['bad-checksum', 'a flipped bit', changed('V3-A-plain', (_, m) => m.writeUInt8(201, 2))],
  [
    'bad-checksum',
    'a flipped checksum bit',
    changed('V3-A-pseudo', (_, m) => m.writeUInt8(0xde, 6)),
  ],
  [
    'unknown-virtual-router',
    'VRID 52',
    changed('V3-A-plain', (_, m) => m.writeUInt8(52, 1), fixed),
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
    'zero-interval',
    'an interval of 0',
    changed('V3-A-plain', (_, m) => m.writeUInt16BE(0, 4), fixed),
  ],
];

for (const [reason, what, packet] of rejections) {
  test(`a packet with ${what} is discarded as ${reason}`, () => {
    assert.equal(reasonOf(packet), reason);
  });
}

test('the reserved bits are ignored', () => {
  const packet = changed('V3-A-plain', (_, m) => m.writeUInt8(0xf0, 4), fixed);
  const received = receiveAdvertisement(packet, expectation);
  assert.ok(received.accepted);
  assert.equal(received.advertisement.advertIntervalCs, 100);
});

test('padding behind the IP packet, as short frames have it, is ignored', () => {
  const padded = Buffer.concat([vectorPacket('V3-C-prio0-plain'), Buffer.alloc(14, 0xaa)]);
  assert.equal(reasonOf(padded), 'accepted');
});

test('a packet from our own address is discarded as own-packet', () => {
  const ownAddress = ipAddress('192.0.2.1');
  assert.equal(reasonOf(vectorPacket('V3-A-plain'), { ...expectation, ownAddress }), 'own-packet');
});

test('where only the pseudo-header form is accepted, the plain form is a bad checksum', () => {
  const strict: ReceiveExpectation = { ...expectation, checksums: ['pseudo-header'] };
  assert.equal(reasonOf(vectorPacket('V3-A-plain'), strict), 'bad-checksum');
  assert.equal(reasonOf(vectorPacket('V3-A-pseudo'), strict), 'accepted');
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
    const packet = changed('V3-A-plain', (p, m) => {
      // The earlier fault is written last, where two are in the same byte.
      for (const [, change] of faults.slice(first).reverse()) change(p, m);
    });
    assert.equal(reasonOf(packet), faults[first]?.[0]);
  }
});

test('a rejection names the sender and the virtual router as far as they could be read', () => {
  const withoutChecksum = changed('V3-A-plain', (_, m) => m.writeUInt8(0, 2));
  assert.deepEqual(receiveAdvertisement(withoutChecksum, expectation), {
    accepted: false,
    reason: 'bad-checksum',
    source: ipAddress('192.0.2.1'),
    vrid: 51,
  } satisfies ReceivedAdvertisement);
});

test('random packets, whole or damaged, are judged and never throw', () => {
  const damaged = fc
    .tuple(fc.nat(1000), fc.nat(255), fc.nat(40))
    .map(([position, value, length]) => {
      const packet = Buffer.from(vectorPacket('V3-A-pseudo'));
      packet[position % packet.length] = value;
      return packet.subarray(0, length);
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), damaged), (packet) => {
      const received = receiveAdvertisement(packet, expectation);
      assert.equal(typeof received.accepted, 'boolean');
    }),
    { numRuns: 2000 },
  );
});
