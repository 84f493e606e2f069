import assert from 'node:assert/strict';
import { measureHealth, routeServersHere } from '../bench/healthRun.js';
import { ipvsTest } from './ipvsSupport.js';

const backends = 20;
const measureMs = 3_000;

/** The short form of `npm run bench -- health`. */
ipvsTest('one backend in many services is one probe, and a death is weight 0', async (table, t) => {
  routeServersHere();
  const plain = { kind: 'http', backends, servicesOfBackend: 1, settleMs: 0, measureMs } as const;
  const single = await measureHealth(table, { ...plain, deaths: 2 }, 'tandem');
  t.diagnostic(`deaths ${single.deaths.map(({ afterMs }) => Math.round(afterMs ?? -1))} ms`);
  assert.ok(single.checksPerSecond > 0 && single.memoryMegabytes > 0);
  assert.equal(single.deaths.length, 2);
  assert.ok(single.deaths.every(({ afterMs }) => afterMs !== null));
  assert.notEqual(single.massDeathMs, null);
  const many = { ...plain, servicesOfBackend: 20, deaths: 0 };
  const shared = await measureHealth(table, many, 'tandem');
  t.diagnostic(`${shared.checksPerSecond} checks a second in 20 services`);
  // A slow machine does fewer; more than one each second for each backend would be no sharing.
  const most = backends * (measureMs / 1_000 + 1);
  assert.ok((shared.checksPerSecond * measureMs) / 1_000 <= most + backends);
});
