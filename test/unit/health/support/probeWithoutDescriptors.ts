/** Run as a process of its own: uses up its descriptors, then probes the port that it is given. */
import { closeSync, openSync } from 'node:fs';
import { httpSpec, loopback, probeOnce } from './servers.js';

const target = { address: loopback, port: Number(process.argv[2]) };
// Once with descriptors to spare, so that all that is opened on first use is open.
await probeOnce(target, { type: 'tcp' });

const opened: number[] = [];
try {
  for (;;) opened.push(openSync('/dev/null', 'r'));
} catch {
  // Every descriptor is in use now.
}
const outcomes = [await probeOnce(target, { type: 'tcp' }), await probeOnce(target, httpSpec())];
for (const descriptor of opened) closeSync(descriptor);
process.stdout.write(JSON.stringify(outcomes));
