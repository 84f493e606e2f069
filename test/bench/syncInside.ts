/** The part of `npm run bench -- sync` that runs on a kernel with IPVS: a line for each result. */
import '../embedded/ipvsSupport.js';
import type { SyncPlan } from './syncModel.js';
import { runSync } from './syncRun.js';

const plan: SyncPlan = JSON.parse(process.argv[2] ?? '');
await runSync(plan, (part) => void process.stdout.write(`RESULT ${JSON.stringify(part)}\n`));
process.exit(0);
