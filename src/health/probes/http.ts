/**
 * The HTTP probe: one request on a connection of its own, judged by the status of the answer and,
 * where the check says so, by its body.
 *
 * There is one deadline for all of it. A timeout per read would let a server that drips one byte a
 * second pass for healthy for ever.
 */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { formatEndpoint } from '../../wire/ipAddress.js';
import type { ProbeSpec } from '../probeSpec.js';
import { expectsBody, judgeBody } from './bodyExpectation.js';
import { failed, type Probe, type ProbeOutcome, type ProbeTarget, passed } from './probe.js';
import { type NodeError, outcomeOfSystemError } from './systemErrors.js';

/** The specification of an HTTP probe. */
export type HttpProbeSpec = Extract<ProbeSpec, { readonly type: 'http' }>;

/**
 * Bytes of a body that a probe reads; a larger one fails with `too-large`, if the body matters.
 * The header is bounded by Node's own limit of 16 KiB.
 */
export const bodyBytesMax = 1_048_576;

/** Sends one request. Without an expectation of the body it ends when the header is in. */
export const probeHttp: Probe<HttpProbeSpec> = (target, spec, signal) =>
  new Promise((resolve) => {
    const client = openRequest(target, spec);
    const progress = trackProgress(client);
    const settle = (outcome: ProbeOutcome): void => {
      signal.removeEventListener('abort', onDeadline);
      client.destroy();
      resolve(outcome);
    };
    const onDeadline = (): void => settle(failed('timeout', progress()));
    // The error listeners stay, so that an error after the end is not an uncaught one.
    client.on('error', (error) => settle(outcomeOfHttpError(error)));
    client.on('response', (response) => {
      judgeResponse(spec, response, settle);
    });
    client.on('upgrade', (response, socket) => {
      socket.destroy();
      judgeResponse(spec, response, settle);
    });
    if (signal.aborted) onDeadline();
    else signal.addEventListener('abort', onDeadline, { once: true });
    client.end();
  });

function openRequest(target: ProbeTarget, spec: HttpProbeSpec): ClientRequest {
  return request({
    host: target.address,
    port: target.port,
    method: spec.method,
    path: spec.path,
    // No pool: each probe is a connection of its own, and says so (`connection: close`).
    agent: false,
    insecureHTTPParser: false,
    headers: {
      host: spec.host ?? formatEndpoint(target.address, target.port),
      'user-agent': 'tandem-health-check',
      accept: '*/*',
    },
  });
}

/** Gives a function that says how far the request has come, for the detail of a timeout. */
function trackProgress(client: ClientRequest): () => string {
  let connected = false;
  let response: IncomingMessage | undefined;
  client.on('socket', (socket) => {
    socket.once('connect', () => {
      connected = true;
    });
  });
  client.on('response', (incoming) => {
    response = incoming;
  });
  return () => {
    if (response !== undefined) return `${statusLine(response)}: the body did not end in time`;
    return connected
      ? 'connected, but no complete header came in time'
      : 'the connection was not established in time';
  };
}

function judgeResponse(
  spec: HttpProbeSpec,
  response: IncomingMessage,
  settle: (outcome: ProbeOutcome) => void,
): void {
  response.on('error', (error) => settle(outcomeOfHttpError(error)));
  response.on('close', () => settle(failed('truncated', 'the connection was closed')));
  const status = response.statusCode ?? 0;
  if (!spec.expectStatus.some(({ from, to }) => from <= status && status <= to)) {
    settle(failed('unexpected-status', statusLine(response)));
  } else if (!expectsBody(spec)) {
    settle(passed(statusLine(response)));
  } else if (spec.method !== 'HEAD' && declaredLength(response) > bodyBytesMax) {
    settle(failed('too-large', `a body of ${declaredLength(response)} bytes is declared`));
  } else {
    collectBody(response, settle, (body) => {
      settle(judgeBody(spec, body) ?? passed(statusLine(response)));
    });
  }
}

function declaredLength(response: IncomingMessage): number {
  return Number(response.headers['content-length'] ?? 0);
}

/** Reads a body to its end, or to {@link bodyBytesMax}. */
function collectBody(
  response: IncomingMessage,
  settle: (outcome: ProbeOutcome) => void,
  onBody: (body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) {
      settle(failed('too-large', `the body is larger than ${bodyBytesMax} bytes`));
      return;
    }
    chunks.push(chunk);
  });
  response.on('end', () => {
    if (response.complete) onBody(Buffer.concat(chunks));
    else settle(failed('truncated', `the body ended after ${bytes} bytes`));
  });
}

function statusLine(response: IncomingMessage): string {
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
