import assert from 'node:assert/strict';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { tcpServer } from '../unit/health/support/servers.js';
import { checkOf, watchedThread } from '../unit/health/support/threads.js';
import { until } from '../unit/health/support/waiting.js';
import { rootTest } from './support/rootTest.js';
import { temporaryNamespace } from './support/vethPair.js';

rootTest('a health thread in a namespace probes from there, not from the host', async (t) => {
  const namespace = temporaryNamespace(t);
  const hostOnly = await tcpServer(t, () => undefined);
  const check = checkOf(hostOnly.target);
  // TEST-NET-1: with nothing but `lo` there is no route to it.
  const elsewhere = checkOf({ address: ipAddress('192.0.2.1'), port: 80 });

  const outside = watchedThread(t);
  outside.thread.post({ type: 'configure', checks: [check] });
  const inside = watchedThread(t, namespace.path);
  inside.thread.post({ type: 'configure', checks: [check, elsewhere] });
  await until('up from outside', () => outside.reports.get(check.id)?.state === 'up');
  await until('down from inside', () => inside.reports.get(check.id)?.state === 'down');
  assert.equal(inside.reports.get(check.id)?.last?.reason, 'connection-refused');
  await until('no route', () => inside.reports.get(elsewhere.id)?.state === 'down');
  assert.equal(inside.reports.get(elsewhere.id)?.last?.reason, 'network-unreachable');
  // The thread entered it alone: this one can still reach its own server.
  assert.equal(outside.reports.get(check.id)?.state, 'up');
});
