/** One request on an HTTP/2 session of its own (RFC 9113); the gRPC probe uses it as well. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { TLSSocket } from 'node:tls';
import type { ProbeOrigin, TlsSettings } from '../probeSpec.js';
import { openConnection } from './connection.js';
import { failed, type ProbeOutcome, type ProbeTarget } from './probe.js';
import { type NodeError, outcomeOfSystemError } from './systemErrors.js';

/** The request names its authority itself, and the connection is there already. */
const placeholderAuthority = 'http://server.invalid';

/** The header of an answer. */
export type Http2Header = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** The one request of a session. */
export interface Http2Request {
  readonly origin?: ProbeOrigin | undefined;
  readonly tls?: TlsSettings | undefined;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array | undefined;
}

/** Sends the request; `onStream` listens to the stream and settles with what it made of it. */
export function overHttp2<Result>(
  target: ProbeTarget,
  request: Http2Request,
  signal: AbortSignal,
  onStream: (stream: ClientHttp2Stream, settle: (result: Result | ProbeOutcome) => void) => void,
): Promise<Result | ProbeOutcome> {
  return new Promise((resolve, reject) => {
    let session: ClientHttp2Session | undefined;
    const settle = (result: Result | ProbeOutcome): void => {
      signal.removeEventListener('abort', onDeadline);
      resolve(result);
      // The session owns the socket, and ends it.
      if (session === undefined) connection.destroy();
      else session.destroy();
    };
    const onDeadline = (): void => {
      const progress = connection.progress() ?? 'connected, but the answer did not end in time';
      settle(failed('timeout', progress));
    };
    const { origin, tls, headers, body } = request;
    const options = { origin, tls, ...(tls === undefined ? {} : { protocols: ['h2'] }) };
    const connection = openConnection(target, options, {
      failed: settle,
      ready: (socket) => {
        if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
          settle(failed('malformed-response', 'the server does not offer HTTP/2 (ALPN h2)'));
          return;
        }
        session = connect(placeholderAuthority, {
          createConnection: () => socket,
          // What a server may have this side keep, in 16 KiB of header and a few streams.
          maxHeaderListPairs: 128,
          peerMaxConcurrentStreams: 1,
          settings: { enablePush: false },
        });
        session.on('error', (error) => settle(outcomeOfHttp2Error(error)));
        session.on('goaway', (code) => {
          if (code !== 0) settle(failed('malformed-response', `the server gave up: code ${code}`));
        });
        session.on('close', () => settle(failed('truncated', 'the server closed the session')));
        let stream: ClientHttp2Stream;
        try {
          stream = session.request(headers);
        } catch (error) {
          // A request that cannot be sent is a bug of ours, and the caller's to report.
          session.destroy();
          reject(error);
          return;
        }
        stream.on('error', (error) => settle(outcomeOfHttp2Error(error)));
        onStream(stream, settle);
        stream.end(body);
      },
    });
    if (signal.aborted) onDeadline();
    else signal.addEventListener('abort', onDeadline, { once: true });
  });
}

function outcomeOfHttp2Error(error: NodeError): ProbeOutcome {
  const { code } = error;
  if (code === 'ERR_HTTP2_STREAM_ERROR') return failed('truncated', error.message);
  if (code?.startsWith('ERR_HTTP2_')) return failed('malformed-response', error.message);
  return outcomeOfSystemError(error);
}
