/** The part of the IPVS benchmark that runs where IPVS is: prints the result as one line. */
import { execFileSync } from 'node:child_process';
import { openIpvsTable } from '../../src/kernel/ipvsTable.js';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { measureIpvs } from './ipvsMeasure.js';
import { resultMark } from './ipvsModel.js';

const [services = '0', servers = '0'] = process.argv.slice(2);

// A namespace of its own, so that the table of the machine is never touched.
const namespace = createNetworkNamespace(`tandem-bench-${process.pid}`);
namespace.enter();
process.on('exit', () => namespace.remove());
execFileSync('ip', ['link', 'set', 'lo', 'up']);

const table = await openIpvsTable();
try {
  const size = { services: Number(services), servers: Number(servers) };
  const result = await measureIpvs(table, size, (text) => process.stdout.write(text));
  process.stdout.write(`${resultMark}${JSON.stringify(result)}\n`);
} finally {
  table.close();
}
