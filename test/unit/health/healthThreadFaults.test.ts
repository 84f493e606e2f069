import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthEngine } from '../../../src/health/engine.js';
import { LogBudget, logMessagesMax } from '../../../src/health/logBudget.js';
import type { FromHealth } from '../../../src/health/protocol.js';
import { httpServer, httpSpec } from './support/servers.js';
import { checkOf, watchedThread } from './support/threads.js';
import { until } from './support/waiting.js';

test('a probe that cannot be sent is an internal error, logged once, no end', async (t) => {
  const server = await httpServer(t, (_request, response) => response.end('ok'));
  const { thread, messages, reports } = watchedThread(t);
  const checks = [
    checkOf(server.target, {}, httpSpec({ path: '/not a path' }), 'bad path'),
    checkOf(server.target, {}, httpSpec({ bodyMatches: '(' }), 'bad pattern'),
    checkOf(server.target, {}, httpSpec(), 'good'),
  ];
  thread.post({ type: 'configure', checks });
  await until('many probes', () => (reports.get('good')?.probes.passed ?? 0) > 10);
  assert.equal(reports.get('good')?.state, 'up');
  for (const id of ['bad path', 'bad pattern']) {
    assert.equal(reports.get(id)?.state, 'unknown');
    assert.equal(reports.get(id)?.last?.reason, 'internal-error');
    assert.ok((reports.get(id)?.probes.unknown ?? 0) > 5);
  }
  const logged = messages.filter((message) => message.type === 'log');
  assert.equal(logged.length, 1);
  assert.equal(logged[0]?.type === 'log' && logged[0].fields.check, 'bad path');
});

test('a probe that throws at once leaves the others alone', async (t) => {
  const messages: FromHealth[] = [];
  const engine = new HealthEngine({
    probe: () => {
      throw new RangeError('a bug');
    },
    post: (message) => messages.push(message),
    random: () => 0,
  });
  t.after(() => engine.stop());
  const server = await httpServer(t, () => undefined);
  engine.configure([checkOf(server.target)]);
  const lastReports = () =>
    messages.flatMap((message) => (message.type === 'reports' ? message.reports : []));
  await until('an outcome', () => lastReports().at(-1)?.last?.reason === 'internal-error');
  assert.equal(lastReports().at(-1)?.last?.detail, 'RangeError: a bug');
  assert.equal(lastReports().at(-1)?.state, 'unknown');
});

test('a fault in the thread itself is logged, and told by its exit code', async (t) => {
  const { thread, messages } = watchedThread(t, '/nowhere/namespace');
  assert.deepEqual(await thread.exited, { code: 1 });
  const [message] = messages;
  assert.ok(message?.type === 'log' && message.level === 'error');
  assert.match(String(message.fields.error), /\/nowhere\/namespace/);
});

test('a flood of log messages is cut off, and what was left out is counted', () => {
  const messages: FromHealth[] = [];
  const log = new LogBudget((message) => messages.push(message));
  for (let index = 0; index < logMessagesMax + 7; index += 1) log.write('error', 'again', {});
  assert.equal(messages.length, logMessagesMax);
  log.renew();
  assert.deepEqual(messages.at(-1), {
    type: 'log',
    level: 'warn',
    message: 'Log messages were left out',
    fields: { suppressed: 7 },
  });
  log.write('error', 'news', {});
  assert.equal(messages.length, logMessagesMax + 2);
});
