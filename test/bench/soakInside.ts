/** The part of the soak that runs where IPVS is: prints the result as one line. */
import { drillLimits } from '../../src/drill/drillLimits.js';
import { readKernelFacts } from '../../src/drill/kernelChoice.js';
import { Lab } from '../../src/drill/lab.js';
import { natTopology } from '../../src/drill/natTopologies.js';
import { soakMark } from './soakModel.js';
import { runSoak } from './soakRun.js';

const [steady = '0', changing = '0'] = process.argv.slice(2);
const kernel = (await readKernelFacts()).inside ? 'embedded' : 'host';
const lab = new Lab(natTopology, kernel, 'drill');
try {
  const length = { steadySeconds: Number(steady), changingSeconds: Number(changing) };
  const result = await runSoak(lab, drillLimits(kernel), length, (text) => {
    process.stdout.write(`${text}\n`);
  });
  process.stdout.write(`${soakMark}${JSON.stringify(result)}\n`);
} finally {
  await lab.remove();
}
