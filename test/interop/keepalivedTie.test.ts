import assert from 'node:assert/strict';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import { lanTest } from '../tools/lanTest.js';
import { lowPriority } from '../tools/startDirector.js';
import type { TandemDirector } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';

const advertIntervalMs = 100;
/** keepalived pauses five seconds between bursts; to wait for the second would be too late. */
const announcedWithinUs = 3_000_000;
/**
 * When the other yields at our first advert, it says nothing, and nobody can know that there were
 * two: then it is the delayed burst after the promotion, of both programs, that tells the link.
 */
const delayedBurstWithinUs = 8_000_000;

const pairs = [
  { lb1: 'tandem', lb2: 'keepalived' },
  { lb1: 'keepalived', lb2: 'tandem' },
] as const;

for (const pair of pairs) {
  const title = `two Actives of equal priority meet: ${pair.lb2}, with the higher address, stays`;
  lanTest(title, ['keepalived'], async (scene) => {
    const settings = { priority: lowPriority, advertIntervalMs };
    const lower = await scene.start(pair.lb1, 'lb1', settings);
    await scene.waitForHolder('lb1');
    const higher = await scene.start(pair.lb2, 'lb2', settings);
    // An equal priority is no reason to take over from a router that works, whatever its address.
    await scene.staysWith('lb1', advertIntervalMs);

    scene.lan.setApart('lb2', true);
    await waitFor('two owners while they are apart', () => scene.lan.holders().length === 2);
    const healedUs = nowUs();
    scene.lan.setApart('lb2', false);
    await scene.waitForHolder('lb2');
    await scene.staysWith('lb2', advertIntervalMs);
    // Nobody on this side has heard the announcements of the election, which was on the other.
    const announcement = await scene.firstAnnouncementAfter('lb2', healedUs);
    const silenceUs = announcement.atUs - healedUs;
    const otherWasHeard = scene.advertsOf('lb1').some((advert) => advert.atUs > healedUs);
    const boundUs = otherWasHeard ? announcedWithinUs : delayedBurstWithinUs;
    assert.ok(silenceUs < boundUs, `the link was told after ${silenceUs} us, not ${boundUs}`);

    const agent = [lower, higher].find((daemon) => daemon.program === 'tandem') as TandemDirector;
    const [router] = (await agent.status()).virtualRouters;
    const expected = agent.node === 'lb1' ? 'higher-address-heard' : 'active-down-timer';
    assert.equal(router?.reason, expected);
  });
}
