import assert from 'node:assert/strict';
import { lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';

/** Version 2 has whole seconds only. */
const advertIntervalMs = 1_000;

lanTest(
  'keepalived behind the Authentication Header is heard, refused by name, and told of once',
  ['keepalived'],
  async (scene) => {
    const common = { version: 2, advertIntervalMs } as const;
    const agent = await scene.startTandem('lb2', { ...common, priority: lowPriority });
    await scene.start('keepalived', 'lb1', {
      ...common,
      priority: highPriority,
      authenticationHeader: true,
    });
    const status = await agent.waitForStatus('two are refused', ({ virtualRouters: [router] }) => {
      return (router?.counters.rejected['authentication-header'] ?? 0) >= 2;
    });
    const [router] = status.virtualRouters;
    assert.equal(router?.lastRejected?.source, '192.0.2.101');
    assert.equal(router.counters.advertisementsReceived, 0);
    const told = agent.logTail.match(/keepalived's auth_type AH/g);
    assert.equal(told?.length, 1, agent.logTail);
  },
);
