import assert from 'node:assert/strict';
import { drillLimits } from '../../src/drill/drillLimits.js';
import { Lab } from '../../src/drill/lab.js';
import { natTopology } from '../../src/drill/natTopologies.js';
import { soakFaults } from '../bench/soakModel.js';
import { runSoak } from '../bench/soakRun.js';
import { ipvsTest } from './ipvsSupport.js';

/** The short form of `npm run bench -- soak`: each thing happens once. */
ipvsTest(
  'reloads, a drain and a failing check under traffic lose no request',
  async (_, context) => {
    const lab = new Lab(natTopology, 'embedded', 'drill');
    context.after(() => lab.remove());
    const length = { steadySeconds: 10, changingSeconds: 4 };
    const result = await runSoak(lab, drillLimits('embedded'), length, () => undefined);
    // The heap of a young process grows by itself, and threads and sockets come with the first use.
    const faults = soakFaults({ ...result, agents: {} });
    assert.deepEqual(faults, [], JSON.stringify(result.steady));
    assert.equal(result.reloads, 32);
    assert.deepEqual([result.drains, result.flaps, result.failovers], [2, 1, 1]);
    assert.ok(result.changing.requests > 0);
  },
);
