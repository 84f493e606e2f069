/** What the HTTP probe asks and gets, whichever version of the protocol carries it. */
import type { HttpMethod, HttpProbeSpec } from '../probeSpec.js';
import { failed, type ProbeOutcome, type ProbeTarget } from './probe.js';

/** Bytes of a body that a probe reads; a larger one fails with `too-large`, if it matters. */
export const bodyBytesMax = 1_048_576;

/** One request. */
export interface HttpRequest {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly method: HttpMethod;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One answer; the body is empty where nobody wanted it. */
export interface HttpAnswer {
  readonly status: number;
  readonly statusLine: string;
  readonly location: string | undefined;
  readonly body: Buffer;
}

/** What is asked, and how much of the answer is wanted once its status is known. */
export interface HttpQuestion {
  readonly spec: HttpProbeSpec;
  readonly request: HttpRequest;
  readonly wanted: (status: number) => 'no' | 'header' | 'body';
}

/** Asks once, on a connection of its own. An outcome is what kept the answer from coming. */
export type AskHttp = (
  target: ProbeTarget,
  question: HttpQuestion,
  signal: AbortSignal,
) => Promise<HttpAnswer | ProbeOutcome>;

/** A part of a stream that gives a body; both versions have it. */
interface BodySource {
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
}

/** Gathers a body up to {@link bodyBytesMax}; gives what has been gathered when asked. */
export function gatherBody(
  source: BodySource,
  settle: (outcome: ProbeOutcome) => void,
): { take(): Buffer } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  source.on('data', (chunk) => {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) {
      chunks.length = 0;
      settle(failed('too-large', `the body is larger than ${bodyBytesMax} bytes`));
      return;
    }
    chunks.push(chunk);
  });
  return { take: () => Buffer.concat(chunks) };
}
