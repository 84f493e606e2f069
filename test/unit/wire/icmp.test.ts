import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeIcmpEcho, decodeIcmpUnreachable, encodeIcmpEcho } from '../../../src/wire/icmp.js';
import { ipAddress, ipFromBytes } from '../../../src/wire/ipAddress.js';
import { decodeIpv4Packet, encodeIpv4Packet } from '../../../src/wire/ipv4Header.js';
import { WireError } from '../../../src/wire/wireError.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The packet of `ping -c 1 -s 4 -p 61626364 192.0.2.1`, with numbers of our own. */
const pingVector =
  '45000020000000004001f6d9' +
  'c0000202' +
  'c0000201' +
  '0800' +
  '2104' +
  '1234' +
  '0001' +
  '61626364';

test('a ping is written as the RFCs have it', () => {
  const payload = encodeIcmpEcho({
    kind: 'request',
    identifier: 0x1234,
    sequence: 1,
    payload: Buffer.from('abcd'),
  });
  const packet = encodeIpv4Packet({
    timeToLive: 64,
    protocol: 1,
    source: ipAddress('192.0.2.2'),
    destination: ipAddress('192.0.2.1'),
    unfragmented: false,
    payload,
  });
  assert.equal(hex(packet), pingVector);
});

test('a packet that must not be cut says so', () => {
  const packet = encodeIpv4Packet({
    timeToLive: 1,
    protocol: 1,
    source: ipAddress('192.0.2.2'),
    destination: ipAddress('192.0.2.1'),
    unfragmented: true,
    payload: new Uint8Array(),
  });
  assert.equal(packet[6], 0x40);
});

test('what was written is read back, packet and echo alike', () => {
  const octet4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.record({
        kind: fc.constantFrom('request' as const, 'reply' as const),
        identifier: fc.nat(0xffff),
        sequence: fc.nat(0xffff),
        payload: fc.uint8Array({ maxLength: 64 }),
      }),
      fc.tuple(octet4, octet4, fc.nat(255), fc.nat(255), fc.boolean()),
      (echo, [from, to, timeToLive, protocol, unfragmented]) => {
        const payload = encodeIcmpEcho(echo);
        const [source, destination] = [ipFromBytes(from), ipFromBytes(to)];
        const outgoing = { timeToLive, protocol, source, destination, unfragmented, payload };
        const packet = decodeIpv4Packet(encodeIpv4Packet(outgoing));
        assert.deepEqual([packet.source, packet.destination], [source, destination]);
        assert.deepEqual([packet.timeToLive, packet.protocol], [timeToLive, protocol]);
        assert.deepEqual(decodeIcmpEcho(packet.payload), { ...echo });
      },
    ),
  );
});

test('anything else is refused, and by a WireError', () => {
  const reply = encodeIcmpEcho({
    kind: 'reply',
    identifier: 1,
    sequence: 2,
    payload: Buffer.of(7),
  });
  for (const [at, value] of [
    [0, 3],
    [1, 1],
    [8, 8],
  ] as const) {
    const broken = reply.slice();
    broken[at] = value;
    assert.throws(() => decodeIcmpEcho(broken), WireError);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      for (const decode of [decodeIcmpEcho, decodeIcmpUnreachable]) {
        try {
          decode(Uint8Array.of(3, ...bytes));
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof WireError);
        }
      }
    }),
  );
});

test('that a server takes no tunnels is read with the packet that it quotes', () => {
  // Destination unreachable, protocol unreachable, about a tunnel from 192.0.2.2 to 192.0.2.1.
  const outer = '450000340000000040040000' + 'c0000202' + 'c0000201';
  const message = Buffer.from(`0302${'00'.repeat(6)}${outer}4500002000000000`, 'hex');
  const { code, quoted } = decodeIcmpUnreachable(message);
  assert.equal(code, 2);
  assert.deepEqual([quoted.protocol, quoted.destination], [4, '192.0.2.1']);
  assert.equal(hex(quoted.payload), '4500002000000000');
});
