/** The entry of the health thread. Started by `startHealthThread`, never imported. */
import { basename, dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { TandemError } from '../errors.js';
import type { HealthThreadData } from './client.js';
import { concurrentProbes, readDescriptorLimit } from './descriptorBudget.js';
import { HealthEngine } from './engine.js';
import { takeSessions } from './probes/bfd.js';
import { runProbe } from './probes/runProbe.js';
import type { FromHealth, ToHealth } from './protocol.js';
import { closeThreadSweep } from './streamSweep.js';

if (parentPort === null) {
  throw new TandemError('INTERNAL', 'health/thread.js must run as a worker thread');
}
const port = parentPort;
const data: HealthThreadData = workerData;
if (data.networkNamespacePath !== undefined) await enterNamespace(data.networkNamespacePath);

const post = (message: FromHealth): void => port.postMessage(message);
const engine = new HealthEngine({
  probe: runProbe,
  post,
  random: Math.random,
  probesConcurrentMax: concurrentProbes(readDescriptorLimit(), data.threads ?? 1),
});

port.on('message', (message: ToHealth) => {
  switch (message.type) {
    case 'configure':
      engine.configure(message.checks);
      break;
    case 'hint':
      engine.hint(message.ids);
      break;
    case 'sessions':
      takeSessions(message.sessions);
      engine.hint(engine.idsOf('bfd'));
      break;
    case 'stop':
      engine.stop();
      closeThreadSweep();
      post({ type: 'stopped' });
      // With the port closed and the sockets gone nothing keeps the thread alive.
      port.close();
      break;
  }
});

/** Moves this thread into a named network namespace; for labs, where one machine plays many. */
async function enterNamespace(path: string): Promise<void> {
  // Loaded only here: checks as such need nothing from the kernel layer, nor its foreign calls.
  const { namespaceDirectory, openNetworkNamespace } = await import(
    '../kernel/networkNamespace.js'
  );
  if (dirname(path) !== namespaceDirectory) {
    const message = `no network namespace in ${namespaceDirectory}: ${path}`;
    throw new TandemError('INTERNAL', message);
  }
  const namespace = openNetworkNamespace(basename(path));
  namespace.enter();
  namespace.close();
}
