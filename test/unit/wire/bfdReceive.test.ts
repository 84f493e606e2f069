import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeBfdHeader } from '../../../src/wire/bfd.js';
import { encodeAuthenticatedBfd } from '../../../src/wire/bfdAuthentication.js';
import {
  type BfdExpectation,
  type BfdRejection,
  receiveBfdControl,
} from '../../../src/wire/bfdReceive.js';
import { type IpAddress, ipAddress } from '../../../src/wire/ipAddress.js';
import { bfdVector, bfdVectorNames, vectorKey } from './bfdVectors.js';

const peer = ipAddress('192.0.2.1');
const other = ipAddress('192.0.2.7');
const plain: BfdExpectation = { name: 'pair', multihop: false, lastSequence: undefined };
const secured: BfdExpectation = { ...plain, authentication: vectorKey };
/** Our names of the sessions: what the peer's vectors say in "your discriminator". */
const ourDiscriminator = 0xaabbccdd;

/** Changes the bytes of a packet. */
type Change = (bytes: Buffer) => void;

function judge(
  bytes: Uint8Array,
  session: BfdExpectation = plain,
  { timeToLive = 255, source = peer }: { timeToLive?: number; source?: IpAddress } = {},
) {
  const bySource = { [peer]: session, [other]: { ...session, name: 'other' } }[source];
  return receiveBfdControl(
    { bytes, timeToLive },
    {
      byDiscriminator: (named) => (named === ourDiscriminator ? session : undefined),
      bySource: () => bySource,
    },
  );
}

function reasonOf(...args: Parameters<typeof judge>): string {
  const received = judge(...args);
  return received.accepted ? 'accepted' : received.reason;
}

function changed(name: string, ...changes: readonly Change[]): Buffer {
  const bytes = Buffer.from(bfdVector(name));
  for (const change of changes) change(bytes);
  return bytes;
}

const setByte =
  (at: number, value: number): Change =>
  (bytes) =>
    bytes.writeUInt8(value, at);

test('the vectors of a peer are accepted', () => {
  for (const name of bfdVectorNames) {
    // The Final is the other end's: it names the session by the other discriminator.
    if (name === 'BFD-Up-Final') continue;
    const session = name === 'BFD-Up-MSHA1' ? secured : plain;
    const received = judge(bfdVector(name), session);
    assert.ok(received.accepted, name);
    assert.equal(received.session, session);
    assert.equal(received.sequence, name === 'BFD-Up-MSHA1' ? 7 : undefined);
  }
});

test('bytes behind the length that the packet claims are ignored', () => {
  const bytes = Buffer.concat([bfdVector('BFD-Down'), Buffer.alloc(9, 0xff)]);
  assert.equal(reasonOf(bytes), 'accepted');
});

const elsewhere = { source: ipAddress('192.0.2.9') };

/** Reason, title, and what makes it; in the order of the checks. */
const rejections: readonly (readonly [
  BfdRejection,
  string,
  Uint8Array,
  BfdExpectation?,
  { timeToLive?: number; source?: IpAddress }?,
])[] = [
  ['truncated', '23 bytes', bfdVector('BFD-Down').subarray(0, 23)],
  ['truncated', 'no byte at all', new Uint8Array(0)],
  ['wrong-version', 'version 0', changed('BFD-Down', setByte(0, 0x00))],
  ['wrong-version', 'version 2', changed('BFD-Down', setByte(0, 0x40))],
  ['bad-length', 'a length of 23', changed('BFD-Down', setByte(3, 23))],
  ['bad-length', 'a length beyond the datagram', changed('BFD-Down', setByte(3, 25))],
  [
    'bad-length',
    'an authentication bit and no room for a section',
    changed('BFD-Up-MSHA1', setByte(3, 25)),
  ],
  ['zero-multiplier', 'a multiplier of 0', changed('BFD-Down', setByte(2, 0))],
  ['multipoint', 'the multipoint bit', changed('BFD-Down', setByte(1, 0x41))],
  [
    'zero-discriminator',
    'a discriminator of 0',
    changed('BFD-Down', (bytes) => bytes.writeUInt32BE(0, 4)),
  ],
  [
    'unknown-discriminator',
    'a session that is not ours',
    changed('BFD-Up-Poll', (bytes) => bytes.writeUInt32BE(1, 8)),
  ],
  [
    'missing-discriminator',
    'state Up and no session named',
    changed('BFD-Up-Poll', (bytes) => bytes.writeUInt32BE(0, 8)),
  ],
  [
    'missing-discriminator',
    'state Init and no session named',
    changed('BFD-Init', (bytes) => bytes.writeUInt32BE(0, 8)),
  ],
  ['unknown-peer', 'a first packet of a stranger', bfdVector('BFD-Down'), plain, elsewhere],
  ['unknown-peer', 'our discriminator from a stranger', bfdVector('BFD-Up-Poll'), plain, elsewhere],
  [
    'unknown-peer',
    'our discriminator from the peer of another session',
    bfdVector('BFD-Up-Poll'),
    plain,
    { source: other },
  ],
  ['authentication-missing', 'no authentication', bfdVector('BFD-Up-Poll'), secured],
  ['authentication-unexpected', 'authentication', bfdVector('BFD-Up-MSHA1'), plain],
  ['wrong-ttl', 'a TTL of 254', bfdVector('BFD-Down'), plain, { timeToLive: 254 }],
  [
    'wrong-ttl',
    'a TTL of 254 and authentication',
    bfdVector('BFD-Up-MSHA1'),
    secured,
    { timeToLive: 254 },
  ],
  [
    'authentication-not-supported',
    'a simple password',
    changed('BFD-Up-MSHA1', setByte(24, 1)),
    secured,
  ],
  ['authentication-not-supported', 'keyed MD5', changed('BFD-Up-MSHA1', setByte(24, 2)), secured],
  [
    'authentication-not-supported',
    'meticulous keyed MD5',
    changed('BFD-Up-MSHA1', setByte(24, 3)),
    secured,
  ],
  [
    'authentication-not-supported',
    'an unknown form',
    changed('BFD-Up-MSHA1', setByte(24, 9)),
    secured,
  ],
  [
    'authentication-type',
    'keyed SHA1 for meticulous',
    changed('BFD-Up-MSHA1', setByte(24, 4)),
    secured,
  ],
  [
    'authentication-length',
    'a section of 27 bytes',
    changed('BFD-Up-MSHA1', setByte(25, 27)),
    secured,
  ],
  [
    'authentication-length',
    'a packet that ends within its section',
    changed('BFD-Up-MSHA1', setByte(3, 51)).subarray(0, 51),
    secured,
  ],
  ['authentication-key', 'key id 2', changed('BFD-Up-MSHA1', setByte(26, 2)), secured],
  [
    'authentication-sequence',
    'the sequence number of before',
    bfdVector('BFD-Up-MSHA1'),
    { ...secured, lastSequence: 7 },
  ],
  [
    'authentication-sequence',
    'a sequence number ten ahead',
    bfdVector('BFD-Up-MSHA1'),
    { ...secured, lastSequence: 0xffff_fffd },
  ],
  ['authentication-digest', 'another digest', changed('BFD-Up-MSHA1', setByte(51, 0)), secured],
  [
    'authentication-digest',
    'another key',
    bfdVector('BFD-Up-MSHA1'),
    { ...plain, authentication: { ...vectorKey, key: Buffer.from('other') } },
  ],
];

for (const [reason, what, bytes, session, datagram] of rejections) {
  test(`a packet with ${what} is discarded as ${reason}`, () => {
    assert.equal(reasonOf(bytes, session, datagram), reason);
  });
}

test('a multihop packet may have any TTL', () => {
  const session = { ...plain, multihop: true };
  const datagram = { timeToLive: 3 };
  assert.equal(reasonOf(bfdVector('BFD-Up-Poll'), session, datagram), 'accepted');
});

test('a sequence number is accepted when it is the next one', () => {
  assert.equal(reasonOf(bfdVector('BFD-Up-MSHA1'), { ...secured, lastSequence: 6 }), 'accepted');
});

test('of several faults the first check in the order of RFC 5880 names the reason', () => {
  const faults: readonly (readonly [BfdRejection, Change])[] = [
    ['wrong-version', setByte(0, 0)],
    ['bad-length', setByte(3, 10)],
    ['zero-multiplier', setByte(2, 0)],
    ['multipoint', (bytes) => bytes.writeUInt8((bytes[1] ?? 0) | 1, 1)],
    ['zero-discriminator', (bytes) => bytes.writeUInt32BE(0, 4)],
    ['unknown-discriminator', (bytes) => bytes.writeUInt32BE(1, 8)],
    ['authentication-not-supported', setByte(24, 1)],
    ['authentication-length', setByte(25, 20)],
    ['authentication-key', setByte(26, 9)],
    ['authentication-digest', setByte(40, 9)],
  ];
  for (let first = 0; first < faults.length; first += 1) {
    const changes = faults.slice(first).map(([, change]) => change);
    assert.equal(reasonOf(changed('BFD-Up-MSHA1', ...changes), secured), faults[first]?.[0]);
  }
});

test('a rejection names the session that the packet was for', () => {
  const received = judge(bfdVector('BFD-Up-MSHA1'), plain);
  assert.ok(!received.accepted);
  assert.equal(received.session, plain);
});

test('random and damaged packets are judged and never throw', () => {
  const packets = fc.constantFrom(...bfdVectorNames.map((name) => bfdVector(name)));
  const damaged = fc
    .tuple(packets, fc.array(fc.tuple(fc.nat(51), fc.nat(255)), { maxLength: 4 }), fc.nat(52))
    .map(([packet, writes, length]) => {
      const bytes = Buffer.from(packet);
      for (const [at, value] of writes) if (at < bytes.length) bytes[at] = value;
      return bytes.subarray(0, length);
    });
  const sessions = fc.constantFrom(plain, secured, { ...plain, multihop: true });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), damaged), sessions, (bytes, session) => {
      const received = judge(bytes, session);
      assert.equal(typeof received.accepted, 'boolean');
    }),
    { numRuns: 5000 },
  );
});

test('whatever a peer with the key sends in an allowed state is accepted', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.boolean(), (sequence, withKey) => {
      const packet = {
        ...quietPacket,
        state: 'down',
        yourDiscriminator: sequence % 2 === 0 ? 0 : ourDiscriminator,
      } as const;
      const sent = withKey
        ? encodeAuthenticatedBfd(packet, vectorKey, sequence)
        : encodeBfdHeader(packet);
      assert.equal(reasonOf(sent, withKey ? secured : plain), 'accepted');
    }),
  );
});

const quietPacket = {
  diagnostic: 'none',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: 1,
  desiredMinTxUs: 1_000_000,
  requiredMinRxUs: 50_000,
  requiredMinEchoRxUs: 0,
} as const;
