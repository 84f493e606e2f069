import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { NetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { httpSpec } from '../unit/health/support/servers.js';
import { checkOf, watchedThread } from '../unit/health/support/threads.js';
import { until } from '../unit/health/support/waiting.js';
import { rootTest } from './support/rootTest.js';
import { vethPair } from './support/vethPair.js';

/** Behind a gateway that does not forward and does not say so. */
const swallowed = { address: ipAddress('198.51.100.1'), port: 80 };

/** Nobody in the network of the cable has this address. */
const nobody = { address: ipAddress('192.0.2.77'), port: 80 };

/** A namespace with a cable to a gateway that drops everything. */
function behindBlackHole(t: TestContext): NetworkNamespace {
  const { left, right } = vethPair(t);
  right.namespace.run(() => writeSysctl('net.ipv4.ip_forward', 0));
  left.netlink.addRoute({
    destination: { address: ipAddress('198.51.100.0'), length: 24 },
    gateway: right.address,
  });
  return left.namespace;
}

for (const probe of [{ type: 'tcp' } as const, httpSpec()]) {
  rootTest(`a ${probe.type} check of a host that answers nothing times out`, async (t) => {
    const { thread, reports } = watchedThread(t, behindBlackHole(t).path);
    const check = checkOf(swallowed, { intervalMs: 200, timeoutMs: 100 }, probe);
    thread.post({ type: 'configure', checks: [check] });
    await until('down', () => reports.get(check.id)?.state === 'down');
    const last = reports.get(check.id)?.last;
    assert.equal(last?.reason, 'timeout');
    assert.equal(last?.detail, 'the connection was not established in time');
    assert.ok((last?.durationMs ?? 0) >= check.timing.timeoutMs - 1);
  });
}

rootTest('a host that does not answer to its address is unreachable', async (t) => {
  const { thread, reports } = watchedThread(t, behindBlackHole(t).path);
  const timing = { intervalMs: 1_000, timeoutMs: 60_000, fall: 1 };
  const checks = [checkOf(nobody, timing), checkOf(nobody, timing, httpSpec(), 'http')];
  thread.post({ type: 'configure', checks });
  const all = () => checks.map(({ id }) => reports.get(id));
  await until('both are down', () => all().every((report) => report?.state === 'down'));
  for (const report of all()) assert.equal(report?.last?.reason, 'host-unreachable');
});

rootTest('a director that has no local port left does not blame the servers', async (t) => {
  const namespace = behindBlackHole(t);
  namespace.run(() => writeSysctl('net.ipv4.ip_local_port_range', '40000 40001'));
  const { thread, reports } = watchedThread(t, namespace.path);
  const timing = { intervalMs: 60_000, timeoutMs: 60_000, fall: 1 };
  // Only two of these find a port, and hold it for longer than the test lasts.
  const checks = Array.from({ length: 5 }, (_, index) =>
    checkOf(swallowed, timing, undefined, `s${index}`),
  );
  thread.post({ type: 'configure', checks });
  const refused = () =>
    [...reports.values()].filter(({ last }) => last?.reason === 'local-resources');
  await until('three have no port', () => refused().length === 3);
  for (const { state, probes, last } of refused()) {
    assert.equal(state, 'unknown');
    assert.deepEqual(probes, { passed: 0, failed: 0, unknown: 1 });
    assert.equal(last?.detail, 'connect: EADDRNOTAVAIL');
  }
});
