import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpServer, httpSpec } from './support/servers.js';
import { checkOf, watchedThread } from './support/threads.js';
import { until } from './support/waiting.js';

/** So long that no second probe comes within a test, at whatever speed. */
const neverMs = 3_600_000;

/** A server that counts its probes. */
async function counted(t: Parameters<typeof httpServer>[0], status: () => number) {
  let probes = 0;
  const server = await httpServer(t, (_request, response) => {
    probes += 1;
    response.writeHead(status()).end();
  });
  return { target: server.target, probes: () => probes };
}

test('a check is probed at the interval of its state: up, changing or down', async (t) => {
  let sick = false;
  const dead = await counted(t, () => 500);
  const well = await counted(t, () => 200);
  const falling = await counted(t, () => (sick ? 500 : 200));
  const clock = await counted(t, () => 200);
  const { thread, reports } = watchedThread(t);
  const quick = { intervalMs: 10, timeoutMs: 5_000 };
  const checks = [
    // Down after three failures, which come at the changing interval; then it is left alone.
    checkOf(
      dead.target,
      { ...quick, intervalMs: neverMs, changingIntervalMs: 10, downIntervalMs: neverMs, fall: 3 },
      httpSpec(),
    ),
    // Up after its first pass, and left alone since.
    checkOf(well.target, { ...quick, intervalMs: neverMs, changingIntervalMs: 10 }, httpSpec()),
    // Up at its interval; the first failure is followed by no other for a long time.
    checkOf(falling.target, { ...quick, changingIntervalMs: neverMs, fall: 2 }, httpSpec()),
    checkOf(clock.target, quick, httpSpec()),
  ];
  thread.post({ type: 'configure', checks });
  const stateOf = (index: number) => reports.get(checks[index]?.id ?? '')?.state;
  await until('verdicts', () => stateOf(0) === 'down' && stateOf(1) === 'up');
  await until('many probes at the plain interval', () => falling.probes() > 20);
  sick = true;
  await until('a failure', () => {
    return reports.get(checks[2]?.id ?? '')?.last?.reason === 'unexpected-status';
  });
  const [atFailure, clockAtFailure] = [falling.probes(), clock.probes()];
  await until('the others go on', () => clock.probes() > clockAtFailure + 30);
  assert.equal(dead.probes(), 3);
  assert.equal(well.probes(), 1);
  assert.equal(falling.probes(), atFailure);
  assert.equal(stateOf(2), 'up');
});
