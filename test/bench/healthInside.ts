/**
 * The part of `npm run bench -- health` that runs on a kernel with IPVS: for each setting both
 * programs, one after the other. Prints one line of JSON for each result.
 */
import { openIpvsTable } from '../../src/kernel/ipvsTable.js';
import type { CheckingProgram, HealthSetting } from './healthModel.js';
import { measureHealth, routeServersHere } from './healthRun.js';

const [settingsText = '[]', programsText = '[]'] = process.argv.slice(2);
const settings: readonly HealthSetting[] = JSON.parse(settingsText);
const programs: readonly CheckingProgram[] = JSON.parse(programsText);

routeServersHere();
const table = await openIpvsTable();
for (const setting of settings) {
  for (const program of programs) {
    const result = await measureHealth(table, setting, program, (mark) => {
      process.stdout.write(`MEASURE ${mark}\n`);
    });
    process.stdout.write(`RESULT ${JSON.stringify(result)}\n`);
  }
}
table.close();
process.exit(0);
