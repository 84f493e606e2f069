import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeIcmpv6Echo, decodeIcmpv6Error, encodeIcmpv6Echo } from '../../../src/wire/icmpv6.js';
import { ipAddress, ipFromBytes } from '../../../src/wire/ipAddress.js';
import { encodeIpv6Packet } from '../../../src/wire/ipv6Header.js';
import { WireError } from '../../../src/wire/wireError.js';

const path = { source: ipAddress('2001:db8::2'), destination: ipAddress('2001:db8::1') };

test('a ping of IPv6 is written as RFC 4443 has it', () => {
  const payload = Buffer.from('abcd');
  const bytes = encodeIcmpv6Echo(
    { kind: 'request', identifier: 0x1234, sequence: 1, payload },
    path,
  );
  // The addresses, the length and the protocol of the pseudo-header, then the message itself.
  const sum = 2 * (0x2001 + 0x0db8) + 3 + 12 + 58 + 0x8000 + 0x1234 + 1 + 0x6162 + 0x6364;
  const folded = (sum & 0xffff) + (sum >> 16);
  const checksum = (~folded & 0xffff).toString(16).padStart(4, '0');
  assert.equal(Buffer.from(bytes).toString('hex'), `8000${checksum}1234000161626364`);
});

test('every echo of IPv6 decodes to what was encoded', () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);
  const message = fc.record({
    kind: fc.constantFrom('request' as const, 'reply' as const),
    identifier: fc.nat(0xffff),
    sequence: fc.nat(0xffff),
    payload: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(message, address, address, (echo, source, destination) => {
      const ends = { source, destination };
      const read = decodeIcmpv6Echo(encodeIcmpv6Echo(echo, ends), ends);
      assert.deepEqual({ ...read, payload: Uint8Array.from(read.payload) }, { ...echo });
    }),
  );
});

test('an echo for somebody else, or one that was damaged, is refused', () => {
  const echo = { kind: 'reply', identifier: 1, sequence: 2, payload: Buffer.of(3) } as const;
  const bytes = encodeIcmpv6Echo(echo, path);
  const other = { ...path, destination: ipAddress('2001:db8::3') };
  assert.throws(() => decodeIcmpv6Echo(bytes, other), WireError);
  bytes[7] = 9;
  assert.throws(() => decodeIcmpv6Echo(bytes, path), WireError);
});

test('an error quotes the packet that it is about', () => {
  const payload = Buffer.from('c00017c0000e0000', 'hex');
  const sent = encodeIpv6Packet({
    trafficClass: 0,
    hopLimit: 64,
    nextHeader: 17,
    ...path,
    payload,
  });
  const error = decodeIcmpv6Error(Uint8Array.of(1, 4, 0, 0, 0, 0, 0, 0, ...sent));
  assert.deepEqual([error.type, error.code, error.quoted.nextHeader], [1, 4, 17]);
  assert.equal(error.quoted.destination, path.destination);
  assert.equal(Buffer.from(error.quoted.payload).toString('hex'), payload.toString('hex'));
  assert.throws(
    () => decodeIcmpv6Error(Uint8Array.of(129, 0, 0, 0, 0, 0, 0, 0, ...sent)),
    WireError,
  );
  assert.throws(() => decodeIcmpv6Error(Uint8Array.of(1, 4, 0, 0)), WireError);
});
