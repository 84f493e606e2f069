import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectSweep, isPlainConnect } from '../../../src/health/connectSweep.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { closedPort, tcpServer } from './support/servers.js';
import { openSockets, until } from './support/waiting.js';

const never = new AbortController().signal;

test('a server that accepts passes, and sees a reset', async (t) => {
  const ends: string[] = [];
  const server = await tcpServer(t, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
    socket.on('end', () => ends.push('end'));
    socket.resume();
  });
  const sweep = sweepOf(t);
  const outcome = await sweep.probe(server.target, { type: 'tcp' }, never);
  assert.equal(outcome.result, 'passed');
  assert.equal(outcome.detail, 'connected');
  await until('the server sees the end', () => ends.length > 0);
  assert.deepEqual(ends, ['ECONNRESET']);
});

test('a port that nobody listens on is refused, in the words of the other probe', async (t) => {
  const outcome = await sweepOf(t).probe(await closedPort(t), { type: 'tcp' }, never);
  assert.deepEqual(outcome, {
    result: 'failed',
    reason: 'connection-refused',
    detail: 'connect: ECONNREFUSED',
  });
});

test('a socket that meets itself on its own port is refused', async (t) => {
  const target = await closedPort(t);
  const sweep = sweepOf(t);
  // The kernel picks the very port sooner or later; whatever it picks, nothing may pass.
  for (let round = 0; round < 200; round += 1) {
    const outcome = await sweep.probe({ ...target }, { type: 'tcp' }, never);
    assert.equal(outcome.reason, 'connection-refused');
  }
});

test('a thousand probes at once all settle, and leave no socket', async (t) => {
  const server = await tcpServer(t, () => undefined);
  const sweep = sweepOf(t);
  const before = openSockets();
  const outcomes = await Promise.all(
    Array.from({ length: 1000 }, () => sweep.probe(server.target, { type: 'tcp' }, never)),
  );
  assert.ok(outcomes.every(({ result }) => result === 'passed'));
  await server.close();
  await until('the sockets are gone', () => openSockets() <= before);
});

test('the deadline ends a probe that nobody answers, and its socket is gone', async (t) => {
  const sweep = sweepOf(t);
  const before = openSockets();
  // TEST-NET-1 (RFC 5737) is not routed; where even that is refused, the refusal is the outcome.
  const abort = new AbortController();
  const target = { address: ipAddress('192.0.2.1'), port: 80 };
  const probing = sweep.probe(target, { type: 'tcp' }, abort.signal);
  abort.abort();
  const outcome = await probing;
  assert.notEqual(outcome.result, 'passed');
  assert.equal(openSockets(), before);
});

test('a deadline that has passed already ends the probe at once', async (t) => {
  const server = await tcpServer(t, () => undefined);
  const outcome = await sweepOf(t).probe(server.target, { type: 'tcp' }, AbortSignal.abort());
  assert.notEqual(outcome.result, 'inconclusive');
});

test('what the kernel refuses at once is told in its own words', async (t) => {
  // The broadcast address needs a permission of its own, so no connection is even begun.
  const target = { address: ipAddress('255.255.255.255'), port: 80 };
  const outcome = await sweepOf(t).probe(target, { type: 'tcp' }, never);
  assert.notEqual(outcome.result, 'passed');
  assert.notEqual(outcome.reason, 'internal-error');
  assert.match(outcome.detail, /^connect: E[A-Z]+$/);
});

test('IPv6 works as IPv4 does', async (t) => {
  const target = { address: ipAddress('::1'), port: 1 };
  const outcome = await sweepOf(t).probe(target, { type: 'tcp' }, never);
  assert.notEqual(outcome.result, 'passed');
  assert.notEqual(outcome.reason, 'internal-error');
});

test('only a check that does nothing but connect is swept', () => {
  assert.equal(isPlainConnect({ type: 'tcp' }), true);
  const withMore = { type: 'tcp', send: 'x' } as const;
  assert.equal(isPlainConnect(withMore), false);
});

function sweepOf(t: { after(callback: () => void): void }): ConnectSweep {
  const sweep = new ConnectSweep();
  t.after(() => sweep.close());
  return sweep;
}
