import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProbe } from '../../../src/health/probes/runProbe.js';
import { closedPort, httpSpec, probeOnce, tcpServer } from './support/servers.js';
import { until } from './support/waiting.js';

test('a server that accepts passes, although it says nothing', async (t) => {
  const server = await tcpServer(t, () => undefined);
  const outcome = await probeOnce(server.target, { type: 'tcp' });
  assert.equal(outcome.reason, 'passed');
  assert.match(outcome.detail, /^connected$/);
});

test('a port that nobody listens on is refused', async (t) => {
  const outcome = await probeOnce(await closedPort(t), { type: 'tcp' });
  assert.deepEqual(outcome, {
    result: 'failed',
    reason: 'connection-refused',
    detail: 'connect: ECONNREFUSED',
  });
});

test('the connection is reset, so that nothing stays in TIME_WAIT on the director', async (t) => {
  const ends: string[] = [];
  const server = await tcpServer(t, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
    socket.on('end', () => ends.push('end'));
    socket.resume();
  });
  await probeOnce(server.target, { type: 'tcp' });
  await until('the server sees the end', () => ends.length > 0);
  assert.deepEqual(ends, ['ECONNRESET']);
});

for (const spec of [{ type: 'tcp' } as const, httpSpec()]) {
  test(`a deadline that has passed already ends the ${spec.type} probe at once`, async (t) => {
    const server = await tcpServer(t, () => undefined);
    const outcome = await runProbe(server.target, spec, AbortSignal.abort());
    assert.equal(outcome.result, 'failed');
    assert.equal(outcome.reason, 'timeout');
  });
}
