/** The entry of the thread of the peer channel. Started by `startPeerThread`, never imported. */
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { TandemError } from '../errors.js';
import type { PeerThreadData } from './client.js';
import { PeerEngine } from './engine.js';
import type { FromPeer, ToPeer } from './protocol.js';

if (parentPort === null) {
  throw new TandemError('INTERNAL', 'peer/thread.js must run as a worker thread');
}
const port = parentPort;
const data: PeerThreadData = workerData;
if (data.networkNamespacePath !== undefined) await enterNamespace(data.networkNamespacePath);

const post = (message: FromPeer): void => port.postMessage(message);
const engine = new PeerEngine({ post, random: Math.random });

port.on('message', (message: ToPeer) => {
  switch (message.type) {
    case 'configure':
      engine.configure(message.settings);
      break;
    case 'routers':
      engine.setRouters(message.routers);
      break;
    case 'sharedConfig':
      engine.setSharedConfig(message.config);
      break;
    case 'overrides':
      engine.setOverrides(message.records);
      break;
    case 'dataPort':
      engine.setDataPort(message.port);
      break;
    case 'stop':
      engine.stop();
      post({ type: 'stopped' });
      // With the port closed and the sockets gone nothing keeps the thread alive.
      port.close();
      break;
  }
});

/** Moves this thread into a named network namespace; for labs, where one machine plays many. */
async function enterNamespace(path: string): Promise<void> {
  // Loaded only here: the channel as such needs nothing from the kernel layer.
  const { openNetworkNamespace } = await import('../kernel/networkNamespace.js');
  const namespace = openNetworkNamespace(basename(path));
  namespace.enter();
  namespace.close();
}
