import assert from 'node:assert/strict';
import type { DirectorProgram } from '../tools/directorDaemon.js';
import { nodeAddresses } from '../tools/lan.js';
import { lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';
import type { TandemDirector } from '../tools/tandemDirector.js';

const cases: readonly { readonly first: DirectorProgram; readonly second: DirectorProgram }[] = [
  { first: 'tandem', second: 'keepalived' },
  { first: 'keepalived', second: 'tandem' },
];

for (const { first, second } of cases) {
  for (const advertIntervalMs of [100, 1_000]) {
    const title = `${second} with the higher priority takes over from ${first}, which yields`;
    lanTest(`${title} (adverts each ${advertIntervalMs} ms)`, ['keepalived'], async (scene) => {
      const low = { priority: lowPriority, advertIntervalMs };
      const yielding = await scene.start(first, 'lb1', low);
      await scene.waitForHolder('lb1');
      const high = { priority: highPriority, advertIntervalMs };
      const winning = await scene.start(second, 'lb2', high);
      await scene.waitForHolder('lb2');
      await scene.staysWith('lb2', advertIntervalMs);

      const advert = await scene.firstAdvertAfter('lb2', 0);
      assert.equal(advert.priority, highPriority);
      await scene.firstAnnouncementAfter('lb2', advert.atUs);
      scene.assertNeverTwoOwnersForLong(advertIntervalMs);

      for (const daemon of [yielding, winning]) {
        if (daemon.program === 'tandem') await assertStatus(daemon as TandemDirector);
      }
    });
  }
}

async function assertStatus(agent: TandemDirector): Promise<void> {
  const [router] = (await agent.status()).virtualRouters;
  assert.ok(router !== undefined);
  if (agent.node === 'lb2') {
    assert.equal(router.state, 'active');
    assert.equal(router.reason, 'active-down-timer');
    assert.equal(router.active?.self, true);
  } else {
    assert.equal(router.state, 'backup');
    assert.equal(router.reason, 'higher-priority-heard');
    assert.equal(router.active?.address, nodeAddresses.lb2);
    assert.equal(router.active.priority, highPriority);
  }
  assert.deepEqual(router.counters.rejected, {});
  assert.deepEqual(router.counters.warnings, {});
}
