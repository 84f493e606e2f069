import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closedPort, httpSpec, tcpServer } from './support/servers.js';
import { checkOf, watchedThread } from './support/threads.js';
import { until } from './support/waiting.js';

test('equal checks keep verdict and counters, changed ones start anew, others go', async (t) => {
  const server = await tcpServer(t, () => undefined);
  const { thread, messages, reports } = watchedThread(t);
  const named = (id: string, rise = 2) => checkOf(server.target, { rise }, { type: 'tcp' }, id);
  thread.post({ type: 'configure', checks: [named('kept'), named('changed'), named('gone')] });
  const states = () => ['kept', 'changed', 'gone'].map((id) => reports.get(id)?.state);
  await until('all are up', () => states().every((state) => state === 'up'));
  const before = reports.get('kept');

  const sentBefore = messages.length;
  thread.post({ type: 'configure', checks: [named('new'), named('changed', 4), named('kept')] });
  const answer = () =>
    messages.slice(sentBefore).find((message) => message.type === 'reports' && message.complete);
  await until('the complete report', () => answer() !== undefined);
  const message = answer();
  assert.ok(message?.type === 'reports');
  const after = new Map(message.reports.map((report) => [report.id, report]));
  assert.deepEqual([...after.keys()].toSorted(), ['changed', 'kept', 'new']);
  assert.equal(after.get('kept')?.state, 'up');
  assert.equal(after.get('kept')?.sinceUnixMs, before?.sinceUnixMs);
  assert.ok((after.get('kept')?.probes.passed ?? 0) >= (before?.probes.passed ?? 1));
  for (const id of ['changed', 'new']) {
    assert.equal(after.get(id)?.state, 'unknown');
    assert.equal(after.get(id)?.last, null);
    assert.deepEqual(after.get(id)?.probes, { passed: 0, failed: 0, unknown: 0 });
  }
  await until('the others are up too', () => reports.get('new')?.state === 'up');
  const gone = messages
    .slice(messages.indexOf(message))
    .flatMap((sent) => (sent.type === 'reports' ? sent.reports : []))
    .filter(({ id }) => id === 'gone');
  assert.deepEqual(gone, []);
});

test('checks that are configured again and again are probed all the same', async (t) => {
  const { thread, reports } = watchedThread(t);
  const dead = checkOf(await closedPort(t), { intervalMs: 200, timeoutMs: 200, fall: 3 });
  const other = checkOf(await closedPort(t), {}, httpSpec());
  let rounds = 0;
  const timer = setInterval(() => {
    rounds += 1;
    thread.post({ type: 'configure', checks: rounds % 2 === 0 ? [dead] : [other, dead] });
  }, 20);
  t.after(() => clearInterval(timer));
  await until('down', () => reports.get(dead.id)?.state === 'down');
});
