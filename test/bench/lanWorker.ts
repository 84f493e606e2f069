/**
 * Worker threads of a benchmark that live in a namespace of the LAN. They carry the client and the
 * echo servers, so that what they do is not delayed by the thread that starts and stops daemons.
 */
import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { openNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { scheduleRoundRobin } from '../../src/kernel/realtime.js';

/** How long a thread may take to answer, in milliseconds. */
const answerTimeoutMs = 20_000;

/** Real-time priority of the client and the echo servers; directors have 10. */
const loadPriority = 20;

interface LanWorkerData {
  readonly namespace: string;
}

/** The starter's side. One request at a time; every request has exactly one reply. */
export class LanWorker<Request, Reply> {
  readonly #name: string;
  readonly #worker: Worker;

  /** Starts a script of this folder inside a namespace. */
  constructor(script: string, namespace: string) {
    this.#name = script;
    const workerData: LanWorkerData = { namespace };
    this.#worker = new Worker(new URL(`./${script}.js`, import.meta.url), { workerData });
  }

  /** Sends a request and waits for its reply. Throws when the thread has failed or is silent. */
  async call(request: Request): Promise<Reply> {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    try {
      const reply = once(this.#worker, 'message', { signal });
      this.#worker.postMessage(request);
      const [message] = await reply;
      return message as Reply;
    } catch (cause) {
      const why = signal.aborted ? 'does not answer' : String(cause);
      throw new Error(`the thread ${this.#name}: ${why}`, { cause });
    }
  }

  /** Ends the thread with its sockets. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The thread's side: enters its namespace for good, then answers each request. */
export function serveLanWorker<Request, Reply>(
  handle: (request: Request) => Reply | Promise<Reply>,
): void {
  const port = parentPort;
  if (port === null) throw new Error('this runs as a worker thread only');
  port.on('message', async (request: Request) => port.postMessage(await handle(request)));
}

/**
 * Enters the namespace that the thread was started for; to be called before sockets are opened.
 * From then on the thread goes before the directors: in the field it has a machine of its own.
 */
export function enterOwnNamespace(): void {
  openNetworkNamespace((workerData as LanWorkerData).namespace).enter();
  scheduleRoundRobin(loadPriority);
}
