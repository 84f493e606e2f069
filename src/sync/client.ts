/** The sync thread as main sees it. */
import { type Transferable, Worker } from 'node:worker_threads';
import { scriptUrl } from '../scripts.js';
import type { FromSync, ToSync } from './protocol.js';

/** How long a polite stop may take before the thread is terminated, in milliseconds. */
const stopTimeoutMs = 2_000;

/** A thread that runs, or ran. */
export interface SyncThread {
  post(message: ToSync, transfer?: readonly Transferable[]): void;
  /** Asks the thread to end, and insists. Resolves when it is gone. */
  stop(): Promise<void>;
  readonly exited: Promise<{ readonly code: number }>;
}

/** Starts the thread; the first message must be `configure`. */
export function startSyncThread(onMessage: (message: FromSync) => void): SyncThread {
  const worker = new Worker(scriptUrl('sync/thread'), { name: 'tandem-sync' });
  worker.on('message', onMessage);
  worker.on('error', (error) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const message = 'The sync thread failed';
    onMessage({ type: 'log', level: 'error', message, fields: { error: text } });
  });
  const exited = new Promise<{ readonly code: number }>((resolve) => {
    worker.once('exit', (code) => resolve({ code }));
  });
  return {
    exited,
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    stop: async () => {
      worker.postMessage({ type: 'stop' } satisfies ToSync);
      const insist = setTimeout(() => void worker.terminate(), stopTimeoutMs);
      await exited;
      clearTimeout(insist);
    },
  };
}
