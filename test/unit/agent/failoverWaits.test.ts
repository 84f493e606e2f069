import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failover, type FailoverElection } from '../../../src/agent/failover.js';
import type { VirtualRouterReport } from '../../../src/vrrp/protocol.js';

/** An election whose one router is taken by the peer as soon as it steps down. */
function setUp(isInSync: () => boolean | undefined, syncWaitMs: number) {
  const report = {
    name: 'outside',
    state: 'active',
    active: null,
    activeAdvertIntervalCs: 100,
    priority: { configured: 150 },
  };
  const steps: boolean[] = [];
  const election: FailoverElection = {
    // The part of a report that a failover looks at.
    reports: [report as unknown as VirtualRouterReport],
    movingWith: () => ['outside'],
    stepDown: ({ force }) => {
      steps.push(force);
      report.state = 'backup';
      setImmediate(() => failover.takeReports());
    },
  };
  const failover = new Failover(election, isInSync, syncWaitMs);
  return { failover, steps };
}

test('a failover waits until the peer knows all connections', async () => {
  let inSync = false;
  const { failover, steps } = setUp(() => inSync, 60_000);
  const done = failover.request({ forMs: 60_000, force: false });
  failover.takeReports();
  await new Promise(setImmediate);
  assert.deepEqual(steps, []);
  inSync = true;
  failover.takeReports();
  assert.match((await done).message, /^stepped down for 1m/);
  assert.deepEqual(steps, [false]);
});

test('a failover to a peer that never knows them is refused, and nothing moves', async () => {
  const { failover, steps } = setUp(() => false, 1);
  await assert.rejects(failover.request({ forMs: 60_000, force: false }), {
    code: 'AGENT_REFUSED',
    message: 'the peer does not know all connections',
  });
  assert.deepEqual(steps, []);
});

test('a forced failover does not wait, and neither does one where nobody can tell', async () => {
  for (const [isInSync, force] of [
    [false, true],
    [undefined, false],
  ] as const) {
    const { failover, steps } = setUp(() => isInSync, 60_000);
    await failover.request({ forMs: 60_000, force });
    assert.deepEqual(steps, [force]);
  }
});
