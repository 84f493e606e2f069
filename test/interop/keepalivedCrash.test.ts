import assert from 'node:assert/strict';
import { activeDownUs } from '../../src/vrrp/timing.js';
import { resignPriority } from '../../src/wire/vrrp.js';
import { virtualAddress } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';
import { runTandem, type TandemDirector } from '../tools/tandemDirector.js';

const advertIntervalMs = 100;
const activeDown = activeDownUs(lowPriority, advertIntervalMs * 1_000);
/** A timer may not fire early; the two captured frames may be stamped this much apart. */
const stampToleranceUs = 5_000;

lanTest(
  'our agent is killed, keepalived takes over, and release takes our address off',
  ['keepalived'],
  async (scene) => {
    const { lb1 } = await scene.startPair({ lb1: 'tandem', lb2: 'keepalived' }, advertIntervalMs);
    await lb1.kill();
    await assertTakeoverAfterSilence(scene);
    assert.deepEqual(scene.lan.holders(), ['lb1', 'lb2'], 'a crash leaves the address behind');
    const { configPath } = (lb1 as TandemDirector).files;
    const released = await runTandem(scene.lan, 'lb1', [
      'release',
      '-c',
      configPath,
      '--node',
      'lb1',
    ]);
    assert.equal(released.exitCode, 0, released.stderr);
    await scene.staysWith('lb2', advertIntervalMs);
  },
);

lanTest('keepalived is killed, and our agent takes over', ['keepalived'], async (scene) => {
  const { lb1 } = await scene.startPair({ lb1: 'keepalived', lb2: 'tandem' }, advertIntervalMs);
  await lb1.kill();
  await assertTakeoverAfterSilence(scene);
  // Nothing of keepalived gives the address up that its killed process has left.
  scene.lan.removeAddress('lb1', virtualAddress);
  await scene.staysWith('lb2', advertIntervalMs);
});

lanTest(
  'our cable is pulled and plugged again: keepalived takes over and yields again',
  ['keepalived'],
  async (scene) => {
    const { lb1 } = await scene.startPair({ lb1: 'tandem', lb2: 'keepalived' }, advertIntervalMs);
    const agent = lb1 as TandemDirector;
    scene.lan.setLink('lb1', false);
    await scene.waitForHolder('lb2');
    await agent.waitForStatus('the agent knows of it', ({ virtualRouters: [router] }) => {
      return router?.state === 'initialize' && router.reason === 'interface-down';
    });
    scene.lan.setLink('lb1', true);
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    scene.assertNeverTwoOwnersForLong(advertIntervalMs);
  },
);

lanTest(
  "keepalived's cable is pulled and plugged again: our agent takes over and yields",
  ['keepalived'],
  async (scene) => {
    const { lb2 } = await scene.startPair({ lb1: 'keepalived', lb2: 'tandem' }, advertIntervalMs);
    const agent = lb2 as TandemDirector;
    scene.lan.setLink('lb1', false);
    await scene.waitForHolder('lb2');
    scene.lan.setLink('lb1', true);
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    const [router] = (await agent.status()).virtualRouters;
    assert.equal(router?.reason, 'higher-priority-heard');
    assert.equal(router.active?.priority, highPriority);
    scene.assertNeverTwoOwnersForLong(advertIntervalMs);
  },
);

/** The new Active waited for the Active_Down_Interval since the last advert of the dead one. */
async function assertTakeoverAfterSilence(scene: LanScene): Promise<void> {
  const last = scene.advertsOf('lb1').at(-1);
  assert.ok(last !== undefined && last.priority !== resignPriority, 'it said no goodbye');
  const advert = await scene.firstAdvertAfter('lb2', last.atUs);
  await scene.firstAnnouncementAfter('lb2', advert.atUs);
  const silenceUs = advert.atUs - last.atUs;
  assert.ok(silenceUs > activeDown - stampToleranceUs, `it took over after ${silenceUs} us`);
  assert.ok(silenceUs < 3 * activeDown, `it took over only after ${silenceUs} us`);
}
