/** One request of HTTP/1.1. */
import { type ClientRequest, type IncomingMessage, request as startRequest } from 'node:http';
import type { Socket } from 'node:net';
import { openConnection } from './connection.js';
import {
  type AskHttp,
  bodyBytesMax,
  gatherBody,
  type HttpAnswer,
  type HttpQuestion,
  type HttpRequest,
} from './httpModel.js';
import { failed, type ProbeOutcome } from './probe.js';
import { type NodeError, outcomeOfSystemError } from './systemErrors.js';

type Settle = (result: HttpAnswer | ProbeOutcome) => void;

/**
 * Asks on a new connection and ends it. An answer whose status is not wanted is not read to its
 * end. The header is bounded by Node's own limit of 16 KiB.
 */
export const askHttp1: AskHttp = (target, question, signal) =>
  new Promise((resolve, reject) => {
    const { spec, request } = question;
    let client: ClientRequest | undefined;
    let response: IncomingMessage | undefined;
    const settle: Settle = (result) => {
      resolve(result);
      signal.removeEventListener('abort', onDeadline);
      client?.destroy();
      connection.destroy();
    };
    const onDeadline = (): void => {
      settle(failed('timeout', connection.progress() ?? progressOf(response)));
    };
    const options = {
      origin: spec.origin,
      tls: spec.tls,
      ...(spec.tls === undefined ? {} : { protocols: ['http/1.1'] }),
    };
    const connection = openConnection(target, options, {
      failed: settle,
      ready: (socket) => {
        try {
          client = send(socket, request);
        } catch (error) {
          // A request that cannot be sent is a bug of ours, and the caller's to report.
          connection.destroy();
          reject(error);
          return;
        }
        // The error listeners stay, so that an error after the end is not an uncaught one.
        client.on('error', (error) => settle(outcomeOfHttpError(error)));
        client.on('response', (incoming) => {
          response = incoming;
          takeResponse(question, incoming, settle);
        });
        client.on('upgrade', (incoming, upgraded) => {
          // What follows is another protocol, and no body.
          upgraded.destroy();
          settle({ ...answerOf(incoming), body: Buffer.alloc(0) });
        });
        client.end(request.body);
      },
    });
    if (signal.aborted) onDeadline();
    else signal.addEventListener('abort', onDeadline, { once: true });
  });

/** No agent, hence no pool: the connection is this request's, and the request says so. */
function send(socket: Socket, { method, path, host, headers, body }: HttpRequest): ClientRequest {
  return startRequest({
    createConnection: () => socket,
    method,
    path,
    insecureHTTPParser: false,
    setHost: false,
    headers: {
      host,
      ...headers,
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    },
  });
}

function progressOf(response: IncomingMessage | undefined): string {
  return response === undefined
    ? 'connected, but no complete header came in time'
    : `${statusLineOf(response)}: the body did not end in time`;
}

function takeResponse(question: HttpQuestion, response: IncomingMessage, settle: Settle): void {
  response.on('error', (error) => settle(outcomeOfHttpError(error)));
  response.on('close', () => settle(failed('truncated', 'the connection was closed')));
  const answer = answerOf(response);
  const declared = Number(response.headers['content-length'] ?? 0);
  const part = question.wanted(answer.status);
  if (part === 'no') {
    settle({ ...answer, body: Buffer.alloc(0) });
  } else if (part === 'body' && question.request.method !== 'HEAD' && declared > bodyBytesMax) {
    settle(failed('too-large', `a body of ${declared} bytes is declared`));
  } else {
    const gathered = gatherBody(response, part === 'body', answer, settle);
    response.on('end', () => {
      if (response.complete) settle({ ...answer, body: gathered.take() });
      else settle(failed('truncated', `the body ended after ${gathered.length} bytes`));
    });
  }
}

function answerOf(response: IncomingMessage): Omit<HttpAnswer, 'body'> {
  const { location } = response.headers;
  return { status: response.statusCode ?? 0, statusLine: statusLineOf(response), location };
}

function statusLineOf(response: IncomingMessage): string {
  return `HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage ?? ''}`;
}

/** An error of Node's HTTP client: of the parser, of the connection, or of a system call. */
function outcomeOfHttpError(error: NodeError & { readonly rawPacket?: unknown }): ProbeOutcome {
  const { code } = error;
  if (code === 'HPE_HEADER_OVERFLOW') return failed('too-large', 'the header is over 16 KiB');
  if (code === 'HPE_INVALID_EOF_STATE') return failed('truncated', error.message);
  if (code?.startsWith('HPE_')) {
    const raw = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1', 0, 60) : '';
    return failed('malformed-response', `${error.message}: "${raw}"`);
  }
  // Node has no errno when the server closed politely: "socket hang up" before the header was in,
  // "aborted" before the body was.
  if (code === 'ECONNRESET' && error.syscall === undefined) {
    const detail =
      error.message === 'aborted'
        ? 'the server closed the connection in the body'
        : 'the server closed the connection before its header was in';
    return failed('truncated', detail);
  }
  return outcomeOfSystemError(error);
}
