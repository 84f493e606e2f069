import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type BfdControlPacket,
  bfdDiagnostics,
  bfdStates,
  decodeBfdControl,
  encodeBfdHeader,
} from '../../../src/wire/bfd.js';
import {
  encodeAuthenticatedBfd,
  hasDigestOf,
  mayFollowBfdSequence,
  nextBfdSequence,
} from '../../../src/wire/bfdAuthentication.js';
import { WireError } from '../../../src/wire/wireError.js';
import { bfdVector, bfdVectorNames, vectorKey } from './bfdVectors.js';

const ours = 0x11223344;
const peers = 0xaabbccdd;

const quiet: BfdControlPacket = {
  diagnostic: 'none',
  state: 'down',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: ours,
  yourDiscriminator: 0,
  desiredMinTxUs: 1_000_000,
  requiredMinRxUs: 50_000,
  requiredMinEchoRxUs: 0,
};
const fast = { desiredMinTxUs: 50_000, yourDiscriminator: peers };

/** What each vector of the reference says. */
const contents: Readonly<Record<string, BfdControlPacket>> = {
  'BFD-Down': quiet,
  'BFD-Init': { ...quiet, state: 'init', yourDiscriminator: peers },
  'BFD-Up-Poll': { ...quiet, ...fast, state: 'up', poll: true },
  'BFD-Up-Final': {
    ...quiet,
    ...fast,
    state: 'up',
    final: true,
    myDiscriminator: peers,
    yourDiscriminator: ours,
  },
  'BFD-Down-expired': { ...quiet, diagnostic: 'detection-time-expired' },
  'BFD-AdminDown': {
    ...quiet,
    state: 'admin-down',
    diagnostic: 'administratively-down',
    yourDiscriminator: peers,
  },
  'BFD-Up-MSHA1': { ...quiet, ...fast, state: 'up' },
};

test('every vector of the reference has its content here', () => {
  assert.deepEqual(Object.keys(contents).sort(), [...bfdVectorNames].sort());
});

for (const [name, content] of Object.entries(contents)) {
  test(`${name} is read as what it says and written byte for byte`, () => {
    const bytes = bfdVector(name);
    assert.deepEqual(decodeBfdControl(bytes), content);
    const written =
      name === 'BFD-Up-MSHA1'
        ? encodeAuthenticatedBfd(content, vectorKey, 7)
        : encodeBfdHeader(content);
    assert.equal(Buffer.from(written).toString('hex'), bytes.toString('hex'));
  });
}

const unsigned32 = fc.nat(0xffff_ffff);
const packets: fc.Arbitrary<BfdControlPacket> = fc.record(
  {
    diagnostic: fc.constantFrom(...bfdDiagnostics),
    state: fc.constantFrom(...bfdStates),
    poll: fc.boolean(),
    final: fc.boolean(),
    controlPlaneIndependent: fc.boolean(),
    demand: fc.boolean(),
    detectMultiplier: fc.nat(255),
    myDiscriminator: unsigned32,
    yourDiscriminator: unsigned32,
    desiredMinTxUs: unsigned32,
    requiredMinRxUs: unsigned32,
    requiredMinEchoRxUs: unsigned32,
  },
  { noNullPrototype: true },
);

test('any packet is read back as it was written', () => {
  fc.assert(
    fc.property(packets, (packet) => {
      assert.deepEqual(decodeBfdControl(encodeBfdHeader(packet)), packet);
    }),
  );
});

test('any 24 bytes are read, and written again only the reserved bits have changed', () => {
  const fixedBits = (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    // Version, the authentication and multipoint bits, and the length are the encoder's own.
    copy[0] = 0x20 | ((copy[0] ?? 0) & 0x1f);
    copy[1] = (copy[1] ?? 0) & 0xfa;
    copy[3] = 24;
    return copy;
  };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 24, maxLength: 24 }), (bytes) => {
      const packet = decodeBfdControl(bytes);
      if (packet.diagnostic === 'reserved') {
        assert.throws(() => encodeBfdHeader(packet), WireError);
      } else {
        assert.deepEqual(Uint8Array.from(encodeBfdHeader(packet)), fixedBits(bytes));
      }
    }),
  );
});

test('a packet that is too short is refused with a reason', () => {
  assert.throws(
    () => decodeBfdControl(bfdVector('BFD-Down').subarray(0, 23)),
    (error) => error instanceof WireError && error.reason === 'truncated',
  );
});

test('a digest is that of its key alone, and one changed bit ends it', () => {
  const keys = fc.uint8Array({ minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(
      packets,
      keys,
      keys,
      unsigned32,
      fc.nat(52 * 8 - 1),
      (packet, key, other, sequence, bit) => {
        const bytes = encodeAuthenticatedBfd(packet, { ...vectorKey, key }, sequence);
        assert.ok(hasDigestOf(bytes, key));
        const padded = (k: Uint8Array) => Buffer.concat([k, Buffer.alloc(20 - k.length)]);
        assert.equal(hasDigestOf(bytes, other), padded(key).equals(padded(other)));
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.ok(!hasDigestOf(bytes, key));
      },
    ),
  );
});

test('keys without bytes and keys of more than twenty are refused', () => {
  for (const length of [0, 21]) {
    const key = { ...vectorKey, key: new Uint8Array(length) };
    assert.throws(() => encodeAuthenticatedBfd(quiet, key, 1), WireError);
  }
});

test('sequence numbers follow in circular order, within three times the multiplier', () => {
  const cases: readonly (readonly [number, number, boolean, boolean])[] = [
    // sequence, last, keyed, meticulous
    [7, 7, true, false],
    [8, 7, true, true],
    [16, 7, true, true],
    [17, 7, false, false],
    [6, 7, false, false],
    [0, 0xffff_ffff, true, true],
    [8, 0xffff_ffff, true, true],
    [9, 0xffff_ffff, false, false],
  ];
  for (const [sequence, last, keyed, meticulous] of cases) {
    assert.equal(mayFollowBfdSequence(sequence, last, 3, 'sha1'), keyed);
    assert.equal(mayFollowBfdSequence(sequence, last, 3, 'meticulous-sha1'), meticulous);
  }
  assert.equal(nextBfdSequence(0xffff_ffff), 0);
});
