/** The health thread as main sees it. */
import { Worker } from 'node:worker_threads';
import { scriptUrl } from '../scripts.js';
import type { FromHealth, ToHealth } from './protocol.js';

/** How long a polite stop may take before the thread is terminated. */
export const stopTimeoutMs = 2_000;

/** What main hands to the thread at its start. */
export interface HealthThreadData {
  readonly networkNamespacePath?: string;
  /** How many threads share the descriptors of the process; absent: this one alone. */
  readonly threads?: number;
}

/** How a health thread is started. */
export interface HealthThreadOptions extends HealthThreadData {
  /** Called for every message of the thread, in order. */
  readonly onMessage: (message: FromHealth) => void;
  /** `/run/netns/NAME`: the thread probes from inside it. For labs and tests only. */
  readonly networkNamespacePath?: string;
}

/** A health thread that runs, or ran. */
export interface HealthThread {
  /** Sends a message; after the end of the thread it goes nowhere. */
  post(message: ToHealth): void;
  /** Asks the thread to end, and insists after {@link stopTimeoutMs}. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Resolves when the thread is gone: with 0 after a stop, with another code when it failed. */
  readonly exited: Promise<{ readonly code: number }>;
}

/** Starts the thread. It has no checks until the first `configure`. */
export function startHealthThread(options: HealthThreadOptions): HealthThread {
  const { onMessage, ...data } = options;
  const worker = new Worker(scriptUrl('health/thread'), {
    name: 'tandem-health',
    workerData: data satisfies HealthThreadData,
  });
  worker.on('message', onMessage);
  worker.on('error', (error) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const message = 'The health thread failed';
    onMessage({ type: 'log', level: 'error', message, fields: { error: text } });
  });
  const exited = new Promise<{ readonly code: number }>((resolve) => {
    worker.once('exit', (code) => resolve({ code }));
  });
  return {
    exited,
    post: (message) => worker.postMessage(message),
    stop: async () => {
      worker.postMessage({ type: 'stop' } satisfies ToHealth);
      const insist = setTimeout(() => void worker.terminate(), stopTimeoutMs);
      await exited;
      clearTimeout(insist);
    },
  };
}
