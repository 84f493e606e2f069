/** The entry of the sync thread. Started by `startSyncThread`, never imported. */
import { randomInt } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { TandemError } from '../errors.js';
import { SyncEngine } from './engine.js';
import type { FromSync, ToSync } from './protocol.js';

if (parentPort === null) {
  throw new TandemError('INTERNAL', 'sync/thread.js must run as a worker thread');
}
const port = parentPort;
const post = (message: FromSync): void => port.postMessage(message);
let engine: SyncEngine | undefined;

port.on('message', (message: ToSync) => {
  switch (message.type) {
    case 'configure':
      engine ??= new SyncEngine(message.settings, randomInt(1, 0xffff_ffff), post);
      break;
    case 'services':
      engine?.setServices(message.services);
      break;
    case 'start':
      // A failure ends the thread, and main starts it again.
      void engine?.start();
      break;
    case 'channel':
      engine?.setChannel(message.port);
      break;
    case 'resync':
      engine?.resync();
      break;
    case 'stop':
      engine?.stop();
      post({ type: 'stopped' });
      port.close();
      break;
  }
});
