/**
 * The vrrp thread: enters its network namespace and runs the engine until it is stopped.
 *
 * The loop never yields to this thread's event loop: messages are taken synchronously, so nothing
 * in libuv can delay the election.
 */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { TandemError } from '../errors.js';
import { openNetworkNamespace } from '../kernel/networkNamespace.js';
import { compileWhenCalled } from './eagerCompilation.js';
import { VrrpEngine } from './engine.js';
import type { FromVrrp, ToVrrp } from './protocol.js';
import { rehearsePromotion } from './rehearsal.js';
import type { VrrpThreadData } from './threadData.js';

compileWhenCalled();

const { port, wakeFd, networkNamespace }: VrrpThreadData = workerData;

if (networkNamespace !== undefined) {
  const namespace = openNetworkNamespace(networkNamespace);
  namespace.enter();
  namespace.close();
}

const engine = new VrrpEngine({
  wakeFd,
  takeMessage: () => receiveMessageOnPort(port)?.message as ToVrrp | undefined,
  post: (message: FromVrrp) => port.postMessage(message),
});
try {
  rehearsePromotion();
} catch (error) {
  // What may not be rehearsed may be needed by nothing; who needs it says better what is missing.
  if (!(error instanceof TandemError && error.code === 'PERMISSION')) throw error;
}
try {
  engine.run();
} finally {
  port.close();
}
