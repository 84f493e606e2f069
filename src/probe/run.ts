/** Sends requests to a URL, each on a connection of its own, and notes who answered. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ProbeAnswer } from './summary.js';

/** How an answer tells which server it is from. */
export type ServerMark =
  | { readonly kind: 'body' }
  | { readonly kind: 'header'; readonly name: string };

/** A series. */
export interface ProbeOptions {
  readonly url: URL;
  readonly count: number;
  /** Requests under way at once. */
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly by: ServerMark;
  readonly onAnswer?: (done: number) => void;
}

/** This much of a body is looked at for its first line. */
const bodyBytesMax = 4096;

const nameCharactersMax = 60;

/** Sends the whole series. */
export async function runProbe(options: ProbeOptions): Promise<readonly ProbeAnswer[]> {
  const answers: ProbeAnswer[] = [];
  let sent = 0;
  const sendNext = async (): Promise<void> => {
    while (sent < options.count) {
      sent += 1;
      answers.push(await ask(options));
      options.onAnswer?.(answers.length);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, sendNext));
  return answers;
}

function ask({ url, timeoutMs, by }: ProbeOptions): Promise<ProbeAnswer> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const end = (answer: Omit<ProbeAnswer, 'latencyMs'>): void => {
      clearTimeout(timer);
      request.destroy();
      resolve({ ...answer, latencyMs: performance.now() - startedMs });
    };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    // Certificates are for the name of the service, which a probe by address does not have.
    const request: ClientRequest = send(url, { agent: false, rejectUnauthorized: false });
    const timer = setTimeout(() => end({ failure: 'timeout' }), timeoutMs);
    request.once('error', (error) => end({ failure: failureName(error) }));
    request.once('response', (response) => {
      readServer(response, by)
        .then((server) => end({ server }))
        .catch((error: unknown) => end({ failure: failureName(error) }));
    });
    request.end();
  });
}

async function readServer(response: IncomingMessage, by: ServerMark): Promise<string> {
  let body = '';
  for await (const chunk of response) {
    if (body.length < bodyBytesMax) body += String(chunk);
  }
  const header = by.kind === 'header' ? response.headers[by.name.toLowerCase()] : undefined;
  const text = by.kind === 'header' ? String(header ?? '') : (body.split('\n')[0] ?? '');
  const name = text.trim().slice(0, nameCharactersMax);
  return name === '' ? `(status ${response.statusCode}, no name)` : name;
}

function failureName(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
