import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EchoAnswers } from '../../../src/doctor/collect/echoAnswers.js';
import { encodeIcmpEcho } from '../../../src/wire/icmp.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { decodeIpv4Packet, encodeIpv4Packet } from '../../../src/wire/ipv4Header.js';

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
  for (const bytes of heard) answers.hear(decodeIpv4Packet(bytes));
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
