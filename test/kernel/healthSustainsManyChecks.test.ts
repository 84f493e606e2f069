import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpSpec, tcpServer } from '../unit/health/support/servers.js';
import { checkOf, watchedThread } from '../unit/health/support/threads.js';
import { openSockets, until } from '../unit/health/support/waiting.js';

const checksCount = 500;
const intervalMs = 100;

for (const probe of [{ type: 'tcp' } as const, httpSpec()]) {
  test(`${checksCount} ${probe.type} checks at ${intervalMs} ms leave no backlog`, async (t) => {
    const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    const server = await tcpServer(t, (socket) => {
      socket.on('data', () => socket.end(answer));
    });
    const { thread, messages, reports } = watchedThread(t);
    const socketsBefore = openSockets();
    const startedMs = performance.now();
    const timing = { intervalMs, timeoutMs: 30_000, fall: 1 };
    const checks = Array.from({ length: checksCount }, (_, index) =>
      checkOf(server.target, timing, probe, `s${index}`),
    );
    thread.post({ type: 'configure', checks });
    // A complete report comes at once, and then every few seconds.
    const complete = () =>
      messages.filter((message) => message.type === 'reports' && message.complete).length;
    await until('two complete reports', () => complete() >= 2, 60_000);
    const elapsedMs = performance.now() - startedMs;

    const all = [...reports.values()];
    assert.equal(all.filter(({ state }) => state === 'up').length, checksCount);
    assert.equal(sum(all.map(({ probes }) => probes.failed)), 0);
    const probed = all.map(({ probes }) => probes.passed + probes.unknown);
    const rate = sum(probed) / (elapsedMs / 1000);
    t.diagnostic(
      `${Math.round(rate)} probes/s; per check ${Math.min(...probed)} to ${Math.max(...probed)}`,
    );
    // How many a shared machine does is its own affair; that all have an equal share is ours.
    assert.ok(Math.min(...probed) >= Math.max(...probed) * 0.8 - 2);
    assert.ok(Math.max(...probed) <= elapsedMs / intervalMs + 1, 'never more than the cadence');

    thread.post({ type: 'configure', checks: [] });
    await until('the sockets are closed', () => openSockets() <= socketsBefore);
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
