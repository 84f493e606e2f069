import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipAddress, ipFromBytes } from '../../../src/wire/ipAddress.js';
import { encodeUnsummed, vrrpGroupIpv6, withChecksum } from '../../../src/wire/vrrp.js';
import {
  clockSequence,
  type HmacVerifier,
  hmacTrailerLength,
  multicastMarksMax,
  nextSequence,
  parseHmacKey,
  type ReplayMark,
  signTrailer,
  takeMark,
  verifyTrailer,
} from '../../../src/wire/vrrpAuthentication.js';
import { WireError } from '../../../src/wire/wireError.js';
import { vector } from './vectors.js';

const key = { id: 1, key: Uint8Array.from({ length: 32 }, (_, index) => index) };
const otherKey = { id: 2, key: new Uint8Array(64).fill(7) };
const format = { version: 3, checksum: 'pseudo-header' } as const;
const seconds = 0x6a8f1e00;
const sequence = (BigInt(seconds) << 32n) | 0x80000000n;

function verifierOf(changes: Partial<HmacVerifier> = {}): HmacVerifier {
  return { keys: [key], antiReplay: 'time', windowSeconds: 5, marks: [], ...changes };
}

/** A message of the rows of the reference: VRID 51, priority 200, 100 cs. */
function unsummed(address: string): Uint8Array {
  const family = address.includes(':') ? 6 : 4;
  const addresses = [ipAddress(address)];
  const advertisement = { vrid: 51, priority: 200, advertIntervalCs: 100, addresses };
  return encodeUnsummed(advertisement, family, format);
}

interface SignedRow {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly address: string;
  readonly sequence: bigint;
  readonly checksum: 'pseudo-header' | 'plain';
}

const draftSequence = 0x6800000080000000n;
const rows: readonly SignedRow[] = [
  {
    name: 'V3-H-hmac-v4-unicast',
    source: '192.0.2.1',
    destination: '192.0.2.2',
    address: '192.0.2.100',
    sequence,
    checksum: 'pseudo-header',
  },
  {
    name: 'V6-H-hmac-v6',
    source: 'fe80::1',
    destination: vrrpGroupIpv6,
    address: 'fe80::5e:1',
    sequence,
    checksum: 'pseudo-header',
  },
  {
    name: 'draft-hmac-ipv4',
    source: '198.51.100.10',
    destination: '224.0.0.18',
    address: '192.0.2.100',
    sequence: draftSequence,
    checksum: 'plain',
  },
  {
    name: 'draft-hmac-ipv6',
    source: 'fe80::10',
    destination: 'fe80::20',
    address: 'fe80::100',
    sequence: draftSequence,
    checksum: 'pseudo-header',
  },
];

for (const row of rows) {
  const source = ipAddress(row.source);
  const path = { source, destination: ipAddress(row.destination) };

  test(`vector ${row.name} is signed byte for byte`, () => {
    const message = unsummed(row.address);
    const trailer = signTrailer(message, source, key, row.sequence);
    const packet = withChecksum(message, path, { ...format, checksum: row.checksum }, trailer);
    const expected = vector(row.name).message.toString('hex');
    assert.equal(Buffer.from(packet).toString('hex'), expected);
  });

  test(`vector ${row.name} is verified, and tells its sequence`, () => {
    const { message } = vector(row.name);
    const at = message.length - hmacTrailerLength;
    const clock = { unixMs: Number(row.sequence >> 32n) * 1000 + 2000, monotonicUs: 0 };
    const verified = verifyTrailer(
      message.subarray(0, at),
      message.subarray(at),
      source,
      verifierOf(),
      clock,
    );
    assert.deepEqual(verified, { sequence: row.sequence, skewSeconds: 2 });
  });
}

const source = ipAddress('192.0.2.1');
const message = unsummed('192.0.2.100');
const trailer = signTrailer(message, source, key, sequence);
const atSigning = { unixMs: seconds * 1000, monotonicUs: 1_000_000_000 };

function verify(changes: Partial<HmacVerifier> = {}, laterSeconds = 0, from = source) {
  const clock = {
    unixMs: atSigning.unixMs + laterSeconds * 1000,
    monotonicUs: atSigning.monotonicUs + laterSeconds * 1_000_000,
  };
  const verified = verifyTrailer(message, trailer, from, verifierOf(changes), clock);
  return typeof verified === 'string' ? verified : 'verified';
}

test('a time up to the window is believed, in both directions, and none beyond it', () => {
  assert.deepEqual(
    [-6, -5, 5, 6].map((later) => verify({}, later)),
    ['hmac-stale', 'verified', 'verified', 'hmac-stale'],
  );
  assert.equal(verify({ antiReplay: 'monotonic' }, 1_000_000), 'verified');
});

test('the time is compared modulo 2^32, so that the year 2106 is passed', () => {
  const late = signTrailer(message, source, key, 0xffff_ffff_0000_0000n);
  const clock = { unixMs: 2 ** 32 * 1000, monotonicUs: 0 };
  assert.deepEqual(verifyTrailer(message, late, source, verifierOf(), clock), {
    sequence: 0xffff_ffff_0000_0000n,
    skewSeconds: 1,
  });
});

test('a stale message is refused before its key is looked for', () => {
  assert.equal(verify({ keys: [] }, 6), 'hmac-stale');
  assert.equal(verify({ keys: [] }), 'hmac-unknown-key');
});

test('another source or another virtual router breaks the tag', () => {
  assert.equal(verify({}, 0, ipAddress('192.0.2.9')), 'hmac-invalid');
  const spliced = message.slice();
  spliced[1] = 52;
  const verified = verifyTrailer(spliced, trailer, source, verifierOf(), atSigning);
  assert.equal(verified, 'hmac-invalid');
});

test('another key of the same id breaks the tag', () => {
  assert.equal(verify({ keys: [{ id: 1, key: otherKey.key }] }), 'hmac-invalid');
  assert.equal(verify({ keys: [otherKey, key] }), 'verified');
});

function markOf(mark: Partial<ReplayMark> = {}): ReplayMark {
  return { source, sequence, takenUs: atSigning.monotonicUs, ...mark };
}

test('the same message twice is a replay, and so is every older one', () => {
  assert.equal(verify({ marks: [markOf()] }), 'hmac-replay');
  assert.equal(verify({ marks: [markOf({ sequence: sequence + 1n })] }), 'hmac-replay');
  assert.equal(verify({ marks: [markOf({ sequence: sequence - 1n })] }), 'verified');
});

test('the sequence of one sender says nothing of another', () => {
  const other = markOf({ source: ipAddress('192.0.2.9'), sequence: sequence + 1n });
  assert.equal(verify({ marks: [other] }), 'verified');
});

test('with a window a mark ends with it, so that a clock that was set back is forgiven', () => {
  const ahead = markOf({ sequence: sequence + (4n << 32n), takenUs: -4_000_001 });
  const clock = { unixMs: atSigning.unixMs, monotonicUs: 1_000_000 };
  const verdict = (antiReplay: 'time' | 'monotonic') =>
    verifyTrailer(message, trailer, source, verifierOf({ antiReplay, marks: [ahead] }), clock);
  assert.notEqual(verdict('time'), 'hmac-replay');
  assert.equal(verdict('monotonic'), 'hmac-replay');
});

test('of the senders of a group only the last ones are remembered', () => {
  let marks: readonly ReplayMark[] = [];
  const senders = [1, 2, 3, 4, 1, 5].map((last) => ipAddress(`192.0.2.${last}`));
  for (const sender of senders) marks = takeMark(marks, markOf({ source: sender }), 4);
  assert.deepEqual(
    marks.map((mark) => mark.source),
    ['192.0.2.3', '192.0.2.4', '192.0.2.1', '192.0.2.5'],
  );
  assert.equal(multicastMarksMax, 4);
});

test('the sequence of a sender grows whatever its clock does', () => {
  const clock = fc.integer({ min: 0, max: 2 ** 43 });
  fc.assert(
    fc.property(fc.array(clock, { minLength: 2, maxLength: 20 }), (clocks) => {
      // Serial numbers compare within half of their range, so clocks that leap further are none.
      const base = clocks[0] ?? 0;
      let last: bigint | undefined;
      for (const unixMs of clocks) {
        const next = nextSequence(last, base + (unixMs % 2 ** 39));
        if (last !== undefined) assert.ok(BigInt.asIntN(64, next - last) > 0n);
        last = next;
      }
    }),
  );
});

test('a sequence is that of the clock: seconds, fraction, and a counter within it', () => {
  assert.equal(clockSequence(seconds * 1000 + 500), sequence);
  assert.equal(nextSequence(sequence, seconds * 1000 + 500), sequence + 1n);
  assert.equal(nextSequence(sequence, 0), sequence + 1n);
  assert.equal(nextSequence(undefined, seconds * 1000 + 500), sequence);
});

test('what is signed is verified, and any flipped bit is found', () => {
  const anySource = fc
    .oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    )
    .map(ipFromBytes);
  const anyKey = fc.record({
    id: fc.integer({ min: 1, max: 255 }),
    key: fc.uint8Array({ minLength: 32, maxLength: 64 }),
  });
  fc.assert(
    fc.property(
      anySource,
      anyKey,
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.nat(),
      (from, anyId, anySequence, position) => {
        const made = signTrailer(message, from, anyId, anySequence);
        const verifier = verifierOf({ keys: [anyId], antiReplay: 'monotonic' });
        const good = verifyTrailer(message, made, from, verifier, atSigning);
        assert.equal(typeof good === 'string' ? good : good.sequence, anySequence);
        const bit = position % (made.length * 8);
        made[bit >> 3] = (made[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        const bad = verifyTrailer(message, made, from, verifier, atSigning);
        assert.equal(typeof bad, 'string');
      },
    ),
  );
});

test('a key is read from digits after hex:, or is the bytes themselves without a newline', () => {
  const digits = Buffer.from(key.key).toString('hex');
  const text = (content: string) => new TextEncoder().encode(content);
  assert.deepEqual(parseHmacKey(text(`hex:${digits}`)), key.key);
  assert.deepEqual(parseHmacKey(text(`hex:${digits}\n`)), key.key);
  assert.deepEqual(parseHmacKey(text(`${'k'.repeat(32)}\n`)), text('k'.repeat(32)));
  assert.deepEqual(parseHmacKey(otherKey.key), otherKey.key);
});

for (const content of [
  '',
  'short',
  'k'.repeat(65),
  `hex:${'0'.repeat(62)}`,
  `hex:${'z'.repeat(64)}`,
]) {
  test(`a key cannot be ${content.slice(0, 8)} of ${content.length} characters`, () => {
    assert.throws(() => parseHmacKey(new TextEncoder().encode(content)), WireError);
  });
}
