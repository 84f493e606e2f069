import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FromHealth } from '../../../src/health/protocol.js';
import { httpServer, httpSpec, type TestServer } from './support/servers.js';
import { checkOf, watchedThread } from './support/threads.js';
import { until } from './support/waiting.js';

/** The machine is shared: so much more than the promised bound a test waits at most. */
const slackMs = 10_000;

test('a server that dies goes down and comes up again, each within its bound', async (t) => {
  const healthy = (port: number): Promise<TestServer> =>
    httpServer(t, (_request, response) => response.end('ok'), port);
  const first = await healthy(0);
  const { thread, reports, messages } = watchedThread(t);
  const check = checkOf(first.target, {}, httpSpec({ bodyContains: 'ok' }));
  thread.post({ type: 'configure', checks: [check] });
  const report = () => reports.get(check.id);
  await until('up', () => report()?.state === 'up');
  const upSinceUnixMs = report()?.sinceUnixMs ?? 0;

  const { intervalMs, timeoutMs, fall, rise } = check.timing;
  await first.close();
  await until('down', () => report()?.state === 'down', intervalMs * fall + timeoutMs + slackMs);
  assert.equal(report()?.last?.reason, 'connection-refused');
  assert.ok((report()?.sinceUnixMs ?? 0) > upSinceUnixMs);
  assert.ok((report()?.probes.failed ?? 0) >= fall);

  await healthy(first.target.port);
  await until('up again', () => report()?.state === 'up', intervalMs * rise + timeoutMs + slackMs);
  assert.equal(report()?.last?.reason, 'passed');
  assert.deepEqual(
    messages.filter(({ type }) => type === 'log'),
    [],
  );
});

test('one server that answers 500 is reported down, and its neighbour up', async (t) => {
  const bad = await httpServer(t, (_request, response) => response.writeHead(500).end());
  const good = await httpServer(t, (_request, response) => response.end());
  const { thread, reports } = watchedThread(t);
  const checks = [bad, good].map(({ target }) => checkOf(target, {}, httpSpec()));
  thread.post({ type: 'configure', checks });
  const states = () => checks.map(({ id }) => reports.get(id)?.state);
  await until('verdicts', () => states().every((state) => state === 'up' || state === 'down'));
  assert.deepEqual(states(), ['down', 'up']);
  const report = reports.get(checks[0]?.id ?? '');
  assert.equal(report?.last?.reason, 'unexpected-status');
  assert.equal(report?.last?.detail, 'HTTP/1.1 500 Internal Server Error');
});

test('all of the reports are sent again from time to time, without any news', async (t) => {
  const server = await httpServer(t, (_request, response) => response.end());
  const { thread, messages } = watchedThread(t);
  const check = checkOf(server.target);
  thread.post({ type: 'configure', checks: [check] });
  const complete = () => messages.filter((message) => isReports(message) && message.complete);
  await until('two complete reports', () => complete().length >= 2);
  const [atStart, later] = complete();
  assert.equal(reportsOf(atStart)[0]?.state, 'unknown');
  assert.equal(reportsOf(atStart)[0]?.last, null);
  assert.equal(reportsOf(later)[0]?.state, 'up');
  assert.ok((reportsOf(later)[0]?.probes.passed ?? 0) > 5);
  const news = messages.filter((message) => isReports(message) && !message.complete);
  assert.equal(news.length, 1, 'a pass after a pass is no news');
});

test('a stop is answered and ends the thread, and later messages do no harm', async (t) => {
  const server = await httpServer(t, () => undefined);
  const { thread, messages } = watchedThread(t);
  const timing = { timeoutMs: 60_000, intervalMs: 60_000 };
  const checks = Array.from({ length: 50 }, (_, index) =>
    checkOf(server.target, timing, httpSpec(), `hanging${index}`),
  );
  thread.post({ type: 'configure', checks });
  await until('it is configured', () => messages.length > 0);
  await thread.stop();
  assert.deepEqual(messages.at(-1), { type: 'stopped' });
  assert.deepEqual(await thread.exited, { code: 0 });
  thread.post({ type: 'configure', checks: [] });
  await thread.stop();
});

function isReports(message: FromHealth): message is Extract<FromHealth, { type: 'reports' }> {
  return message.type === 'reports';
}

function reportsOf(message: FromHealth | undefined) {
  return message !== undefined && isReports(message) ? message.reports : [];
}
