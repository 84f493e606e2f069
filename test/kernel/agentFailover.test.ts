import assert from 'node:assert/strict';
import type { FailoverResult } from '../../src/api/failoverModel.js';
import { activeDownUs } from '../../src/vrrp/timing.js';
import { nodeAddresses } from '../tools/lan.js';
import { lanTest } from '../tools/lanTest.js';
import type { OwnershipLook } from '../tools/ownership.js';

const advertIntervalMs = 100;

function longestWithoutOwnerUs(looks: readonly OwnershipLook[]): number {
  const first = looks.findIndex(({ holders }) => holders.length > 0);
  const gaps = looks.slice(first).flatMap(({ atUs, holders }, index, all) => {
    const next = all[index + 1];
    return holders.length > 0 || next === undefined ? [] : [next.atUs - atUs];
  });
  return Math.max(0, ...gaps);
}

lanTest('tandem failover hands the address over and takes it back in time', [], async (scene) => {
  const lb1 = await scene.startTandem('lb1', { priority: 200, advertIntervalMs });
  await scene.waitForHolder('lb1');
  await scene.startTandem('lb2', { priority: 100, advertIntervalMs });
  await scene.staysWith('lb1', advertIntervalMs);

  const command = ['failover', '--for', '3s', '--socket', lb1.files.socketPath, '--json', 'vip'];
  const { exitCode, stdout, stderr } = await lb1.command(...command);
  assert.equal(exitCode, 0, stderr);
  const result = JSON.parse(stdout) as FailoverResult;
  assert.deepEqual(result.routers, [{ name: 'vip', takenBy: nodeAddresses.lb2 }]);
  await scene.waitForHolder('lb2');
  const [router] = (await lb1.status()).virtualRouters;
  assert.equal(router?.reason, 'operator');
  assert.ok((router?.stepDown?.untilUnixMs ?? 0) > Date.now() - 1_000);
  assert.ok(router?.priority.demotions.some(({ reason }) => reason === 'operator-step-down'));
  assert.match(
    (await lb1.command('status', '--socket', lb1.files.socketPath)).stdout,
    /stepped down on request/,
  );

  await scene.waitForHolder('lb1');
  const [back] = (await lb1.status()).virtualRouters;
  assert.equal(back?.stepDown, null);
  // Each side advertises before it takes the address, so the other may let go a moment too soon.
  const withoutUs = longestWithoutOwnerUs(scene.ownership());
  const boundUs = activeDownUs(100, advertIntervalMs * 1_000);
  assert.ok(withoutUs < boundUs, `nobody held the address for ${withoutUs} us`);
});

lanTest('alone on the link a failover is refused, unless it is forced', [], async (scene) => {
  const lb1 = await scene.startTandem('lb1', { priority: 200, advertIntervalMs });
  await scene.waitForHolder('lb1');
  const socket = ['--socket', lb1.files.socketPath];
  const refused = await lb1.command('failover', ...socket);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /no peer was heard to take over vip\n {2}hint: .*--force/);
  assert.equal((await lb1.status()).virtualRouters[0]?.priority.effective, 200);
  assert.deepEqual(scene.lan.holders(), ['lb1']);

  const forced = await lb1.command('failover', '--force', ...socket);
  assert.equal(forced.exitCode, 0, forced.stderr);
  assert.match(forced.stdout, /^nobody has taken over yet: vip; the lowest priority for 1m/);
  assert.equal((await lb1.status()).virtualRouters[0]?.priority.effective, 1);
  assert.deepEqual(scene.lan.holders(), ['lb1']);

  const cancelled = await lb1.command('failover', '--cancel', ...socket);
  assert.equal(cancelled.exitCode, 0, cancelled.stderr);
  await lb1.waitForStatus('the full priority', ({ virtualRouters }) =>
    virtualRouters.every(({ priority }) => priority.effective === 200),
  );
});

lanTest('what cannot step down says why', [], async (scene) => {
  const lb1 = await scene.startTandem('lb1', { priority: 200, advertIntervalMs });
  await scene.waitForHolder('lb1');
  const lb2 = await scene.startTandem('lb2', { priority: 100, advertIntervalMs });
  for (const [director, args, message] of [
    [lb2, [], /no virtual router is Active on this node\n {2}hint: Ask the director that is/],
    [lb1, ['vap'], /there is no virtual router vap\n {2}hint: There are: vip\./],
  ] as const) {
    const { socketPath } = director.files;
    const { exitCode, stderr } = await director.command(
      'failover',
      '--socket',
      socketPath,
      ...args,
    );
    assert.equal(exitCode, 1);
    assert.match(stderr, message);
  }
  const usage = await lb1.command('failover', '--for', 'soon');
  assert.equal(usage.exitCode, 2);
  assert.match(usage.stderr, /must be a duration from 1s to 24h/);
});
