import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EchoAnswers } from '../../../src/doctor/collect/echoAnswers.js';
import { encodeIcmpEcho } from '../../../src/wire/icmp.js';
import { encodeIcmpv6Echo } from '../../../src/wire/icmpv6.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { decodeIpPacket } from '../../../src/wire/ipPacket.js';
import { encodeIpv4Packet } from '../../../src/wire/ipv4Header.js';
import { encodeIpv6Packet } from '../../../src/wire/ipv6Header.js';

const director = ipAddress('192.0.2.2');
const server = ipAddress('192.0.2.1');
const virtual = ipAddress('198.51.100.1');
const identifier = 77;

function packet(source: typeof server, protocol: number, payload: Uint8Array) {
  const common = { timeToLive: 64, unfragmented: false, destination: director };
  return encodeIpv4Packet({ ...common, source, protocol, payload });
}

const reply = (sequence: number, number = identifier) =>
  encodeIcmpEcho({ kind: 'reply', identifier: number, sequence, payload: new Uint8Array() });

function unreachable(code: number, quoted: Uint8Array): Uint8Array {
  return Uint8Array.of(3, code, 0, 0, 0, 0, 0, 0, ...quoted);
}

function outcomesOf(...heard: readonly Uint8Array[]) {
  const tunnel = { source: director, destination: server };
  const targets = [{ destination: server }, { destination: virtual, tunnel }];
  const answers = new EchoAnswers(targets, identifier);
  for (const bytes of heard) answers.hear(decodeIpPacket(bytes));
  assert.equal(answers.isComplete, !answers.outcomes.includes('silent'));
  return answers.outcomes;
}

test('a reply counts when it is from whom the ping was for', () => {
  assert.deepEqual(outcomesOf(packet(server, 1, reply(0))), ['answered', 'silent']);
  assert.deepEqual(outcomesOf(packet(virtual, 1, reply(1))), ['silent', 'answered']);
  assert.deepEqual(outcomesOf(packet(server, 1, reply(1))), ['silent', 'silent']);
  assert.deepEqual(outcomesOf(packet(server, 1, reply(0, 78))), ['silent', 'silent']);
  assert.deepEqual(outcomesOf(packet(server, 17, reply(0))), ['silent', 'silent']);
});

test('a server that knows no tunnels refuses all pings in one', () => {
  const sent = packet(director, 4, new Uint8Array(28));
  assert.deepEqual(outcomesOf(packet(server, 1, unreachable(2, sent))), ['silent', 'refused']);
  assert.deepEqual(outcomesOf(packet(virtual, 1, unreachable(2, sent))), ['silent', 'silent']);
});

test('a router that refuses a packet as too large has answered it', () => {
  const echo = encodeIcmpEcho({ kind: 'request', identifier, sequence: 0, payload: Buffer.of() });
  const refusal = unreachable(4, packet(director, 1, echo));
  assert.deepEqual(outcomesOf(packet(server, 1, refusal)), ['answered', 'silent']);
});

const director6 = ipAddress('2001:db8::2');
const server6 = ipAddress('2001:db8::1');
const virtual6 = ipAddress('2001:db8:1::1');

function packet6(source: typeof server6, nextHeader: number, payload: Uint8Array, to = director6) {
  return encodeIpv6Packet({
    trafficClass: 0,
    hopLimit: 64,
    nextHeader,
    source,
    destination: to,
    payload,
  });
}

/** What becomes of a ping without a tunnel, and of one in IP, in GRE and in GUE. */
function outcomes6(...heard: readonly Uint8Array[]) {
  const tunnel = { source: director6, destination: server6 };
  const targets = [
    { destination: server6 },
    { destination: virtual6, tunnel },
    { destination: virtual6, tunnel: { ...tunnel, encapsulation: gre } },
    { destination: virtual6, tunnel: { ...tunnel, encapsulation: gue } },
  ];
  const answers = new EchoAnswers(targets, identifier);
  for (const bytes of heard) answers.hear(decodeIpPacket(bytes));
  return answers.outcomes;
}

const gre = { type: 'gre', checksum: 'none' } as const;
const gue = { type: 'gue', port: 6080, checksum: 'none' } as const;

test('an answer of IPv6 counts when its checksum is right and it is from whom it was asked', () => {
  const echo = (sequence: number, source = server6) =>
    encodeIcmpv6Echo(
      { kind: 'reply', identifier, sequence, payload: Buffer.of() },
      { source, destination: director6 },
    );
  const silent = ['silent', 'silent', 'silent'];
  assert.deepEqual(outcomes6(packet6(server6, 58, echo(0))), ['answered', ...silent]);
  assert.deepEqual(outcomes6(packet6(virtual6, 58, echo(1, virtual6)))[1], 'answered');
  assert.deepEqual(outcomes6(packet6(server6, 58, echo(1))), ['silent', ...silent]);
  assert.throws(() => outcomes6(packet6(virtual6, 58, echo(0))), /checksum/);
});

test('a server of IPv6 refuses each kind of tunnel by itself, and GUE by its port', () => {
  const refusal = (type: number, code: number, protocol: number, rest = Buffer.alloc(8)) => {
    const quoted = packet6(director6, protocol, rest, server6);
    return packet6(server6, 58, Uint8Array.of(type, code, 0, 0, 0, 0, 0, 0, ...quoted));
  };
  const port = (number: number) => Buffer.from([0xc0, 0, number >> 8, number & 0xff, 0, 8, 0, 0]);
  const noHeader = outcomes6(refusal(4, 1, 41));
  assert.deepEqual(noHeader, ['silent', 'refused', 'silent', 'silent']);
  assert.deepEqual(outcomes6(refusal(4, 1, 47))[2], 'refused');
  assert.deepEqual(outcomes6(refusal(1, 4, 17, port(6080)))[3], 'refused');
  assert.deepEqual(outcomes6(refusal(1, 4, 17, port(6081)))[3], 'silent');
  const echo = encodeIcmpEcho({ kind: 'request', identifier, sequence: 0, payload: Buffer.of() });
  assert.deepEqual(outcomes6(refusal(2, 0, 58, Buffer.from(echo)))[0], 'answered');
});
