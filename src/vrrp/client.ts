/** The main thread's end of the vrrp thread. */
import { basename } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { createWakeEvent, signalWakeEvent } from '../kernel/wakeEvent.js';
import { scriptUrl } from '../scripts.js';
import { compileEagerly } from './eagerCompilation.js';
import { mainHeartbeatMs } from './mainWatch.js';
import type { FromVrrp, ToVrrp } from './protocol.js';
import type { VrrpThreadData } from './threadData.js';

/** How long a stop may take before the thread is ended by force, in milliseconds. */
const stopWaitMaxMs = 5000;

/** How to start the thread. */
export interface VrrpThreadOptions {
  /** Called on the main thread for each message; the thread does not wait for it. */
  readonly onMessage: (message: FromVrrp) => void;
  /** A named network namespace, by its path, for labs and tests; the process's own unless given. */
  readonly networkNamespacePath?: string;
}

/** How the thread ended. */
export interface VrrpThreadExit {
  /** Exit code of the worker: 0 after a stop. */
  readonly code: number;
  /** What it died of. */
  readonly error?: Error;
}

/** A running vrrp thread. */
export interface VrrpThread {
  /** Sends a message and wakes the thread. Does nothing when it has ended. */
  post(message: ToVrrp): void;
  /** Priority 0, addresses off, thread ended; by force when it does not end in time. */
  stop(): Promise<void>;
  /** Ends the thread at once: no priority 0, addresses left behind, as in a crash. For drills. */
  kill(): Promise<void>;
  /** Settles when the thread has ended, however it did. Never rejects. */
  readonly exited: Promise<VrrpThreadExit>;
}

/** Starts the vrrp thread, without virtual routers until it is configured. */
export function startVrrpThread(options: VrrpThreadOptions): VrrpThread {
  const { onMessage, networkNamespacePath } = options;
  const wakeEvent = createWakeEvent();
  const { port1: port, port2: threadPort } = new MessageChannel();
  const workerData: VrrpThreadData = {
    port: threadPort,
    wakeFd: wakeEvent.fd,
    ...(networkNamespacePath === undefined
      ? {}
      : { networkNamespace: basename(networkNamespacePath) }),
  };
  compileEagerly();
  const worker = new Worker(scriptUrl('vrrp/thread'), {
    name: 'vrrp',
    workerData,
    transferList: [threadPort],
  });
  port.on('message', onMessage);
  // The thread demotes this node while main does not get to say this.
  const heartbeat = setInterval(() => post({ type: 'alive' }), mainHeartbeatMs);
  heartbeat.unref();
  let error: Error | undefined;
  let ended = false;
  worker.on('error', (cause) => {
    error = cause instanceof Error ? cause : new Error(String(cause));
  });
  const exited = new Promise<VrrpThreadExit>((resolve) => {
    worker.on('exit', (code) => {
      ended = true;
      clearInterval(heartbeat);
      // What it said last may still be on its way.
      for (
        let last = receiveMessageOnPort(port);
        last !== undefined;
        last = receiveMessageOnPort(port)
      ) {
        onMessage(last.message as FromVrrp);
      }
      port.close();
      wakeEvent.close();
      resolve(error === undefined ? { code } : { code, error });
    });
  });
  const post = (message: ToVrrp): void => {
    if (ended) return;
    port.postMessage(message);
    signalWakeEvent(wakeEvent.fd);
  };
  const kill = async (): Promise<void> => {
    if (!ended) {
      void worker.terminate();
      // It ends when its wait does, so the wait is ended.
      signalWakeEvent(wakeEvent.fd);
    }
    await exited;
  };
  return { post, kill, exited, stop: () => stopThread(post, kill, exited) };
}

async function stopThread(
  post: (message: ToVrrp) => void,
  kill: () => Promise<void>,
  exited: Promise<VrrpThreadExit>,
): Promise<void> {
  post({ type: 'stop' });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), stopWaitMaxMs);
  });
  const outcome = await Promise.race([exited, late]);
  clearTimeout(timer);
  if (outcome === 'late') await kill();
}
