import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeTcp } from '../../../src/health/probes/tcp.js';
import { StreamSweep } from '../../../src/health/streamSweep.js';
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
  const outcome = await probeTcp(server.target, { type: 'tcp' }, never);
  assert.equal(outcome.result, 'passed');
  assert.equal(outcome.detail, 'connected');
  await until('the server sees the end', () => ends.length > 0);
  assert.deepEqual(ends, ['ECONNRESET']);
});

test('a port that nobody listens on is refused, in the words of Node', async (t) => {
  const outcome = await probeTcp(await closedPort(t), { type: 'tcp' }, never);
  assert.deepEqual(outcome, {
    result: 'failed',
    reason: 'connection-refused',
    detail: 'connect: ECONNREFUSED',
  });
});

test('a socket that meets itself on its own port is refused', async (t) => {
  const target = await closedPort(t);
  // The kernel picks the very port sooner or later; whatever it picks, nothing may pass.
  for (let round = 0; round < 200; round += 1) {
    const outcome = await probeTcp({ ...target }, { type: 'tcp' }, never);
    assert.equal(outcome.reason, 'connection-refused');
  }
});

test('a thousand probes at once all settle, and leave no socket', async (t) => {
  const server = await tcpServer(t, () => undefined);
  const before = openSockets();
  const outcomes = await Promise.all(
    Array.from({ length: 1000 }, () => probeTcp(server.target, { type: 'tcp' }, never)),
  );
  assert.ok(outcomes.every(({ result }) => result === 'passed'));
  await server.close();
  await until('the sockets are gone', () => openSockets() <= before);
});

test('the deadline ends a probe that nobody answers, and its socket is gone', async () => {
  const before = openSockets();
  // TEST-NET-1 (RFC 5737) is not routed; where even that is refused, the refusal is the outcome.
  const abort = new AbortController();
  const target = { address: ipAddress('192.0.2.1'), port: 80 };
  const probing = probeTcp(target, { type: 'tcp' }, abort.signal);
  abort.abort();
  const outcome = await probing;
  assert.notEqual(outcome.result, 'passed');
  assert.equal(openSockets(), before);
});

test('a deadline that has passed already ends the probe at once', async (t) => {
  const server = await tcpServer(t, () => undefined);
  const outcome = await probeTcp(server.target, { type: 'tcp' }, AbortSignal.abort());
  assert.equal(outcome.reason, 'timeout');
});

test('what the kernel refuses at once is told in its own words', async () => {
  // The broadcast address needs a permission of its own, so no connection is even begun.
  const target = { address: ipAddress('255.255.255.255'), port: 80 };
  const outcome = await probeTcp(target, { type: 'tcp' }, never);
  assert.notEqual(outcome.result, 'passed');
  assert.notEqual(outcome.reason, 'internal-error');
  assert.match(outcome.detail, /^connect: E[A-Z]+$/);
});

test('IPv6 works as IPv4 does', async () => {
  const target = { address: ipAddress('::1'), port: 1 };
  const outcome = await probeTcp(target, { type: 'tcp' }, never);
  assert.notEqual(outcome.result, 'passed');
  assert.notEqual(outcome.reason, 'internal-error');
});

test('a source address that is not of this machine is no fault of the server', async (t) => {
  const server = await tcpServer(t, () => undefined);
  const origin = { source: ipAddress('192.0.2.1') };
  const outcome = await probeTcp(server.target, { type: 'tcp', origin }, never);
  assert.equal(outcome.result, 'inconclusive');
  assert.equal(outcome.reason, 'local-address');
});

test('a sweep that is closed tells nothing more, and has no sockets', async (t) => {
  const server = await tcpServer(t, () => undefined);
  const before = openSockets();
  const sweep = new StreamSweep();
  const told: string[] = [];
  const events = { connected: () => told.push('connected'), failed: () => told.push('failed') };
  sweep.begin(server.target, undefined, events);
  sweep.close();
  await until('the sockets are gone', () => openSockets() <= before + 1);
  assert.deepEqual(told, []);
});
