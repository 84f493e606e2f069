/** The thread of the peer channel as main sees it. */
import { type Transferable, Worker } from 'node:worker_threads';
import { scriptUrl } from '../scripts.js';
import type { FromPeer, ToPeer } from './protocol.js';

/** How long a polite stop may take before the thread is terminated. */
export const stopTimeoutMs = 2_000;

/** What main hands to the thread at its start. */
export interface PeerThreadData {
  readonly networkNamespacePath?: string;
}

/** How the thread is started. */
export interface PeerThreadOptions extends PeerThreadData {
  /** Called for every message of the thread, in order. */
  readonly onMessage: (message: FromPeer) => void;
  /** `/run/netns/NAME`: the thread works inside it. For labs and tests only. */
  readonly networkNamespacePath?: string;
}

/** A thread that runs, or ran. */
export interface PeerThread {
  /** Sends a message; after the end of the thread it goes nowhere. */
  post(message: ToPeer, transfer?: readonly Transferable[]): void;
  /** Asks the thread to end, and insists after {@link stopTimeoutMs}. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Resolves when the thread is gone: with 0 after a stop, with another code when it failed. */
  readonly exited: Promise<{ readonly code: number }>;
}

/** Starts the thread. It does nothing until the first `configure`. */
export function startPeerThread(options: PeerThreadOptions): PeerThread {
  const { onMessage, networkNamespacePath } = options;
  const data: PeerThreadData = networkNamespacePath === undefined ? {} : { networkNamespacePath };
  const worker = new Worker(scriptUrl('peer/thread'), {
    name: 'tandem-peer',
    workerData: data,
  });
  worker.on('message', onMessage);
  worker.on('error', (error) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const message = 'The thread of the peer channel failed';
    onMessage({ type: 'log', level: 'error', message, fields: { error: text } });
  });
  const exited = new Promise<{ readonly code: number }>((resolve) => {
    worker.once('exit', (code) => resolve({ code }));
  });
  return {
    exited,
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    stop: async () => {
      worker.postMessage({ type: 'stop' } satisfies ToPeer);
      const insist = setTimeout(() => void worker.terminate(), stopTimeoutMs);
      await exited;
      clearTimeout(insist);
    },
  };
}
