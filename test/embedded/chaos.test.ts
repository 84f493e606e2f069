import assert from 'node:assert/strict';
import { runChaos } from '../bench/chaosRun.js';
import { ipvsTest } from './ipvsSupport.js';

/** The short form of `npm run bench -- chaos`. */
ipvsTest('servers die and return at random, and every weight follows in time', async (_, t) => {
  const [result] = await runChaos({ servers: 8, seconds: 14, seed: 5, programs: ['tandem'] });
  t.diagnostic(`death ms ${result?.deathMs.map(Math.round)}, return ms ${result?.returnMs}`);
  assert.ok(result !== undefined);
  assert.deepEqual(result.violations, []);
  assert.ok(result.deathMs.length >= 3, `${result.deathMs.length} deaths were followed`);
  assert.ok(result.returnMs.length >= 1, `${result.returnMs.length} returns were followed`);
});
