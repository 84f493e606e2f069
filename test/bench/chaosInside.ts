/** The part of `npm run bench -- chaos` that runs on a kernel with IPVS. */
import type { ChaosSetting } from './chaosModel.js';
import { runChaos } from './chaosRun.js';

const setting: ChaosSetting = JSON.parse(process.argv[2] ?? '{}');
for (const result of await runChaos(setting)) {
  process.stdout.write(`RESULT ${JSON.stringify(result)}\n`);
}
process.exit(0);
