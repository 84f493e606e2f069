import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { lanTest } from '../tools/lanTest.js';
import { agentConfig } from '../tools/tandemDirector.js';

const advertIntervalMs = 100;
/** So high that a demotion for lateness of the machine that tests leaves it the higher one. */
const priority = 200;
/** Longer than every Active_Down_Interval at this advert interval. */
const frozenMs = 1_500;

lanTest(
  'a frozen Active that thaws sends no burst, and preempts as configured',
  [],
  async (scene) => {
    const lb1 = await scene.startTandem('lb1', { priority, advertIntervalMs });
    await scene.waitForHolder('lb1');
    await scene.startTandem('lb2', { priority: 100, advertIntervalMs });
    await scene.staysWith('lb1', advertIntervalMs);
    lb1.signal('SIGSTOP');
    await sleep(frozenMs);
    const thawedUs = scene.frames().at(-1)?.atUs ?? 0;
    lb1.signal('SIGCONT');
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    const sent = scene.advertsOf('lb1').filter(({ atUs }) => atUs > thawedUs);
    const first = sent[0]?.atUs ?? 0;
    const atOnce = sent.filter(({ atUs }) => atUs < first + (advertIntervalMs * 1_000) / 2);
    assert.equal(atOnce.length, 1, 'one advert, whatever waited');
    const [router] = (await lb1.status()).virtualRouters;
    assert.ok((router?.lateness.pastBound ?? 0) >= 1);
  },
);

lanTest('without preemption a frozen Active that thaws leaves the address', [], async (scene) => {
  const settings = { priority, advertIntervalMs };
  const config = agentConfig(scene.lan, 'lb1', settings).replace(
    `    priority: ${priority}\n`,
    `    priority: ${priority}\n    preempt: { enabled: false }\n`,
  );
  const lb1 = await scene.startTandem('lb1', config);
  await scene.waitForHolder('lb1');
  await scene.startTandem('lb2', { priority: 100, advertIntervalMs });
  await scene.staysWith('lb1', advertIntervalMs);
  lb1.signal('SIGSTOP');
  await sleep(frozenMs);
  lb1.signal('SIGCONT');
  await scene.waitForHolder('lb2');
  await scene.staysWith('lb2', advertIntervalMs);
  await lb1.waitForStatus('the reason', ({ virtualRouters }) =>
    virtualRouters.some(({ reason }) => reason === 'own-loop-late'),
  );
});

lanTest(
  'alone, a frozen Active keeps its address and listens before it advertises',
  [],
  async (scene) => {
    const lb1 = await scene.startTandem('lb1', { priority, advertIntervalMs });
    await scene.waitForHolder('lb1');
    await scene.firstAdvertAfter('lb1', 0);
    lb1.signal('SIGSTOP');
    await sleep(frozenMs);
    const before = scene.advertsOf('lb1').at(-1)?.atUs ?? 0;
    lb1.signal('SIGCONT');
    const next = await scene.firstAdvertAfter('lb1', before);
    await scene.firstAnnouncementAfter('lb1', next.atUs - 1_000);
    assert.deepEqual(
      scene.ownership().filter(({ holders }, index) => index > 0 && holders.length === 0),
      [],
    );
    const [router] = (await lb1.status()).virtualRouters;
    assert.equal(router?.reason, 'active-down-timer', 'it never left');
    assert.ok((router?.lateness.pastBound ?? 0) >= 1);
  },
);
