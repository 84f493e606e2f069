/**
 * Logins with `caching_sha2_password`, the default of MySQL 8. Debian has no such server, so its
 * packets are written here, as its manual has them; the other methods are tried on MariaDB.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import {
  cachingSha2Password,
  encodePacket,
  packetBytes,
} from '../../../src/wire/mysqlHandshake.js';
import { probeOnce, tcpServer } from './support/servers.js';

const challenge = Buffer.from('abcdefghijklmnopqrst');
const greeting = Buffer.concat([
  Buffer.from('\x0a8.4.0\0\x01\0\0\0', 'latin1'),
  challenge.subarray(0, 8),
  Buffer.from([0, 0xff, 0xf7, 0x21, 2, 0, 0xff, 0xdf, 21, ...new Uint8Array(10)]),
  challenge.subarray(8),
  Buffer.from('\0caching_sha2_password\0'),
]);
const otherMethod = Buffer.from(`\xfecaching_sha2_password\0${challenge}\0`, 'latin1');
const proofWillDo = Buffer.from([1, 3]);
const wantsPassword = Buffer.from([1, 4]);
const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/** Greets, and has answers ready for the packets that come; gives the payloads of these. */
async function mysqlServer(t: TestContext, answers: readonly (readonly Buffer[])[]) {
  const received: Buffer[] = [];
  const server = await tcpServer(t, (socket: Socket) => {
    let waiting = Buffer.alloc(0);
    let sequence = 0;
    const say = (payload: Buffer): void => {
      socket.write(encodePacket(sequence, payload));
      sequence += 1;
    };
    say(greeting);
    socket.on('data', (bytes) => {
      waiting = Buffer.concat([waiting, bytes]);
      for (;;) {
        const length = packetBytes(waiting);
        if (length === undefined || waiting.length < length) return;
        assert.equal(waiting[3], received.length < answers.length ? sequence : 0);
        sequence += 1;
        const turn = answers[received.length] ?? [];
        received.push(waiting.subarray(4, length));
        waiting = waiting.subarray(length);
        for (const answer of turn) say(answer);
      }
    });
  });
  return { target: server.target, received };
}

const spec = { type: 'mysql', user: 'me', password: 'secret' } as const;

test('a password that the server has in its cache is proved, and not said', async (t) => {
  const server = await mysqlServer(t, [[otherMethod], [proofWillDo, ok]]);
  const outcome = await probeOnce(server.target, spec);
  assert.equal(outcome.reason, 'passed', outcome.detail);
  const proof = cachingSha2Password('secret', challenge);
  assert.deepEqual(server.received[1], Buffer.from(proof));
});

test('a user without a password logs in without a proof', async (t) => {
  const server = await mysqlServer(t, [[otherMethod], [ok]]);
  assert.equal((await probeOnce(server.target, { type: 'mysql', user: 'me' })).reason, 'passed');
  assert.deepEqual(server.received[1], Buffer.alloc(0));
});

test('a password is not said in the clear, whoever asks for it', async (t) => {
  const server = await mysqlServer(t, [[otherMethod], [wantsPassword]]);
  const { reason, detail } = await probeOnce(server.target, spec);
  assert.equal(reason, 'unexpected-answer');
  assert.match(detail, /inside of `tls` only/);
  assert.equal(server.received.length, 2);
  assert.ok(!Buffer.concat(server.received).includes('secret'));
});

test('a server that asks again and again is given up', async (t) => {
  const again = Array.from({ length: 10 }, () => [otherMethod]);
  const server = await mysqlServer(t, again);
  assert.equal((await probeOnce(server.target, spec)).reason, 'malformed-response');
});

test('a server that offers no TLS is not asked for it', async (t) => {
  const server = await mysqlServer(t, []);
  const { reason } = await probeOnce(server.target, { ...spec, tls: { verify: false } });
  assert.equal(reason, 'tls-handshake');
  assert.equal(server.received.length, 0);
});
