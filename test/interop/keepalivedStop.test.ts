import assert from 'node:assert/strict';
import { activeDownUs, skewUs } from '../../src/vrrp/timing.js';
import { resignPriority } from '../../src/wire/vrrp.js';
import type { DirectorName } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { lowPriority } from '../tools/startDirector.js';

// At one second the skew and the Active_Down_Interval are far enough apart to be told from noise.
const advertIntervalMs = 1_000;
const boundsUs = {
  skew: skewUs(lowPriority, advertIntervalMs * 1_000),
  activeDown: activeDownUs(lowPriority, advertIntervalMs * 1_000),
};
/** A timer may not fire early; the two captured frames may be stamped this much apart. */
const stampToleranceUs = 5_000;

// Ours waits for nobody: its configuration names two nodes, so there is no other Backup.
const pairs = [
  { lb1: 'tandem', lb2: 'keepalived', when: 'after the skew time' },
  { lb1: 'keepalived', lb2: 'tandem', when: 'before the skew time is over' },
] as const;

for (const pair of pairs) {
  lanTest(
    `${pair.lb1} stops politely, and ${pair.lb2} takes over ${pair.when}`,
    ['keepalived'],
    async (scene) => {
      const { lb1 } = await scene.startPair(pair, advertIntervalMs);
      await lb1.stop();
      await scene.waitForHolder('lb2');
      const resignation = scene.advertsOf('lb1').at(-1);
      assert.equal(resignation?.priority, resignPriority, 'the last word was priority 0');
      const waitedUs = await takeoverUs(scene, 'lb2', resignation.atUs);
      if (pair.lb2 === 'keepalived') {
        assert.ok(waitedUs > boundsUs.skew - stampToleranceUs, `it took over after ${waitedUs} us`);
      } else {
        assert.ok(waitedUs < boundsUs.skew, `it took over only after ${waitedUs} us`);
      }
      assert.ok(waitedUs < boundsUs.activeDown, `it took over only after ${waitedUs} us`);
      await scene.staysWith('lb2', advertIntervalMs);
      scene.assertNeverTwoOwnersForLong(advertIntervalMs);
    },
  );
}

/** From a frame to the first advert of the new Active, which must also announce the address. */
async function takeoverUs(scene: LanScene, node: DirectorName, sinceUs: number): Promise<number> {
  const advert = await scene.firstAdvertAfter(node, sinceUs);
  await scene.firstAnnouncementAfter(node, advert.atUs);
  return advert.atUs - sinceUs;
}
