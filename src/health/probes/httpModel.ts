/** What the HTTP probe asks and gets, whichever version of the protocol carries it. */
import type { HttpMethod, HttpProbeSpec } from '../probeSpec.js';
import { failed, type ProbeOutcome, type ProbeTarget } from './probe.js';

/** Bytes of a body that a probe reads; a larger one fails with `too-large`, if it matters. */
export const bodyBytesMax = 1_048_576;

/**
 * Bytes of a body that nobody looks at, which are read all the same: a server that breaks off or
 * drips in them is not healthy. What comes after them is not waited for.
 */
export const indifferentBytesMax = 65_536;

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

/** A body as it comes in. */
export interface GatheredBody {
  /** Bytes so far. */
  readonly length: number;
  /** All of it; nothing of a body that nobody looks at. */
  take(): Buffer;
}

/**
 * Gathers a body of which nothing else is known than whether it matters. One that matters and is
 * larger than {@link bodyBytesMax} is a failure; one that does not is whole enough after
 * {@link indifferentBytesMax}, and the answer is settled without its end.
 */
export function gatherBody(
  source: BodySource,
  matters: boolean,
  answer: Omit<HttpAnswer, 'body'>,
  settle: (result: HttpAnswer | ProbeOutcome) => void,
): GatheredBody {
  const chunks: Buffer[] = [];
  let length = 0;
  source.on('data', (chunk) => {
    length += chunk.length;
    if (matters && length > bodyBytesMax) {
      chunks.length = 0;
      settle(failed('too-large', `the body is larger than ${bodyBytesMax} bytes`));
    } else if (matters) {
      chunks.push(chunk);
    } else if (length > indifferentBytesMax) {
      settle({ ...answer, body: Buffer.alloc(0) });
    }
  });
  return {
    get length() {
      return length;
    },
    take: () => Buffer.concat(chunks),
  };
}
