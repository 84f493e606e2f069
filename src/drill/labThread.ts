/** A worker thread of a lab that lives in a node's namespace and answers requests. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { TandemError } from '../errors.js';
import { openNetworkNamespace } from '../kernel/networkNamespace.js';
import { type ScriptName, scriptUrl } from '../scripts.js';

interface NumberedRequest<Request> {
  readonly id: number;
  readonly request: Request;
}

type NumberedReply<Reply> =
  | { readonly id: number; readonly reply: Reply }
  | { readonly id: number; readonly error: string };

/** What every thread of a lab is given, besides its own settings. */
interface LabThreadData<Settings> {
  readonly namespace: string;
  readonly settings: Settings;
}

/** How long a thread may take to start or to answer, in milliseconds; embedded kernels are slow. */
const answerTimeoutMs = 30_000;

interface Waiting<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: TandemError) => void;
  readonly timer: NodeJS.Timeout;
}

/** The lab's side of a thread. Requests are answered one by one, in order. */
export class LabThread<Settings, Request, Reply> {
  readonly #name: string;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting<Reply>>();
  #nextId = 0;
  #failure: TandemError | undefined;

  /** Starts a script inside a namespace. */
  constructor(script: ScriptName, name: string, namespace: string, settings: Settings) {
    this.#name = name;
    const data: LabThreadData<Settings> = { namespace, settings };
    this.#worker = new Worker(scriptUrl(script), { workerData: data, name });
    this.#worker.on('message', (message: NumberedReply<Reply>) => this.#receive(message));
    this.#worker.on('error', (cause) => {
      this.#fail(`failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
    });
    this.#worker.on('exit', () => this.#fail('has ended'));
  }

  /** Sends a request and waits for its reply. Throws `LAB_FAILED` when the thread cannot answer. */
  call(request: Request): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(this.#error(`did not answer within ${answerTimeoutMs} ms`));
      }, answerTimeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#worker.postMessage({ id, request } satisfies NumberedRequest<Request>);
    });
  }

  /** Ends the thread with all of its sockets. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive(message: NumberedReply<Reply>): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if ('error' in message) waiting.reject(this.#error(message.error));
    else waiting.resolve(message.reply);
  }

  #fail(what: string, cause?: unknown): void {
    this.#failure ??= this.#error(what, cause);
    for (const [id, waiting] of [...this.#waiting]) {
      this.#waiting.delete(id);
      clearTimeout(waiting.timer);
      waiting.reject(this.#failure);
    }
  }

  #error(what: string, cause?: unknown): TandemError {
    return new TandemError('LAB_FAILED', `the thread ${this.#name} ${what}`, { cause });
  }
}

/**
 * The thread's side: enters the namespace for good, then answers requests with the handler that
 * `prepare` returns.
 */
export function serveLabThread<Settings, Request, Reply>(
  prepare: (settings: Settings) => (request: Request) => Reply | Promise<Reply>,
): void {
  const port = parentPort;
  if (isMainThread || port === null) return;
  const { namespace, settings } = workerData as LabThreadData<Settings>;
  openNetworkNamespace(namespace).enter();
  const handle = prepare(settings);
  let previous: Promise<void> = Promise.resolve();
  port.on('message', ({ id, request }: NumberedRequest<Request>) => {
    previous = previous.then(async () => {
      try {
        const reply = await handle(request);
        port.postMessage({ id, reply } satisfies NumberedReply<Reply>);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        port.postMessage({ id, error: message } satisfies NumberedReply<Reply>);
      }
    });
  });
}
