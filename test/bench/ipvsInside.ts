/** The part of the IPVS benchmark that runs where IPVS is: prints the result as one line. */
import { type IpvsTable, openIpvsTable } from '../../src/kernel/ipvsTable.js';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { measureIpvs } from './ipvsMeasure.js';
import { resultMark } from './ipvsModel.js';

const [services, servers, rounds] = process.argv.slice(2).map(Number);
if (services === undefined || servers === undefined || rounds === undefined) {
  throw new RangeError('usage: ipvsInside SERVICES SERVERS ROUNDS');
}

let namespaces = 0;

/** In a namespace of its own, so that the table of the machine is never touched. */
async function inFreshTable<T>(work: (table: IpvsTable) => Promise<T>): Promise<T> {
  namespaces += 1;
  const namespace = createNetworkNamespace(`tandem-bench-${process.pid}-${namespaces}`);
  namespace.enter();
  const table = await openIpvsTable();
  try {
    return await work(table);
  } finally {
    table.close();
    namespace.remove();
  }
}

const plan = { size: { services, servers }, rounds };
const result = await measureIpvs(inFreshTable, plan, (text) => process.stdout.write(text));
process.stdout.write(`${resultMark}${JSON.stringify(result)}\n`);
