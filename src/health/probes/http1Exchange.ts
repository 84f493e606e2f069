/**
 * One request of HTTP/1.1 in the clear, without Node's client: most checks are this, and a thread
 * carries several times as many of them so. With TLS it is `http1Request.ts`.
 */
import { encodeHttp1Request } from '../../wire/http1Request.js';
import {
  type Http1Fault,
  type Http1Progress,
  Http1ResponseParser,
} from '../../wire/http1Response.js';
import type { ProbeFailure } from '../reasons.js';
import {
  type AskHttp,
  bodyBytesMax,
  gatherBody,
  type HttpAnswer,
  type HttpQuestion,
  type HttpRequest,
} from './httpModel.js';
import {
  notConnectedInTime,
  overStream,
  type SettleStream,
  type StreamTalk,
} from './overStream.js';
import { failed, type ProbeOutcome } from './probe.js';

/** Asks on a new connection and resets it. An answer whose status is not wanted is not read. */
export const askHttp1InClear: AskHttp = (target, question, signal) =>
  overStream<HttpAnswer>(target, question.spec.origin, signal, (settle) =>
    talkHttp1(question, settle),
  );

/** A request object is one check, for as long as the check is configured. */
const encodedRequests = new WeakMap<HttpRequest, Uint8Array>();

function encoded(request: HttpRequest): Uint8Array {
  let bytes = encodedRequests.get(request);
  if (bytes === undefined) {
    bytes = encodeHttp1Request(request);
    encodedRequests.set(request, bytes);
  }
  return bytes;
}

function talkHttp1(
  { request, wanted }: HttpQuestion,
  settle: SettleStream<HttpAnswer>,
): StreamTalk {
  let isConnected = false;
  let takePiece: (piece: Buffer) => void = () => undefined;
  let conclude: (() => HttpAnswer) | undefined;
  const parser = new Http1ResponseParser(request.method, {
    head: ({ status, statusLine, fields, contentLength = 0 }) => {
      const answer = { status, statusLine, location: fields.get('location')?.[0] };
      const part = wanted(status);
      if (part === 'no') {
        settle({ ...answer, body: Buffer.alloc(0) });
        return false;
      }
      if (part === 'body' && contentLength > bodyBytesMax) {
        settle(failed('too-large', `a body of ${contentLength} bytes is declared`));
        return false;
      }
      const source = {
        on: (_event: 'data', listener: (chunk: Buffer) => void) => {
          takePiece = listener;
        },
      };
      const gathered = gatherBody(source, part === 'body', answer, settle);
      conclude = () => ({ ...answer, body: gathered.take() });
      return true;
    },
    // The bytes are those of one look at the connection, and are overwritten by the next.
    body: (bytes) => takePiece(Buffer.from(bytes)),
  });
  const judge = (progress: Http1Progress): void => {
    if (progress === 'more') return;
    if (progress !== 'done') settle(outcomeOfFault(progress));
    else if (conclude !== undefined) settle(conclude());
  };
  return {
    connected: () => {
      isConnected = true;
    },
    exchange: {
      request: encoded(request),
      received: (bytes) => judge(parser.take(bytes)),
      ended: () => judge(parser.end()),
    },
    progress: () => {
      if (!isConnected) return notConnectedInTime;
      const { statusLine } = parser;
      return statusLine === undefined
        ? 'connected, but no complete header came in time'
        : `${statusLine}: the body did not end in time`;
    },
  };
}

const faultReasons = {
  malformed: 'malformed-response',
  'too-large': 'too-large',
  truncated: 'truncated',
} as const satisfies Record<Http1Fault['kind'], ProbeFailure>;

function outcomeOfFault({ kind, text }: Http1Fault): ProbeOutcome {
  return failed(faultReasons[kind], text);
}
