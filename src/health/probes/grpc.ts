/** The gRPC probe: the health service that every implementation has (grpc.health.v1). */

import { decodeHealthResponse, encodeHealthRequest } from '../../wire/grpcHealth.js';
import { formatEndpoint } from '../../wire/ipAddress.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { type Http2Header, overHttp2 } from './http2Session.js';
import { failed, type Probe, type ProbeOutcome, passed } from './probe.js';

/** The answer is a dozen bytes. */
const answerBytesMax = 4096;

/** Codes of gRPC that a health service gives by rights (grpc/statuscodes.md). */
const statusNames = new Map([
  ['5', 'NOT_FOUND: the server does not know this service'],
  ['12', 'UNIMPLEMENTED: the server has no health service'],
  ['14', 'UNAVAILABLE'],
  ['16', 'UNAUTHENTICATED'],
]);

/** Asks for the health of a service. Passes with SERVING alone. */
export const probeGrpc: Probe<ProbeSpecOf<'grpc'>> = (target, spec, signal) => {
  const { origin, tls, service, authority } = spec;
  const headers = {
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    ':scheme': tls === undefined ? 'http' : 'https',
    ':authority': authority ?? formatEndpoint(target.address, target.port),
    'content-type': 'application/grpc',
    'user-agent': 'tandem-health-check',
    te: 'trailers',
  };
  const request = { origin, tls, headers, body: encodeHealthRequest(service) };
  return overHttp2<ProbeOutcome>(target, request, signal, (stream, settle) => {
    let header: Http2Header = {};
    let trailers: Http2Header = {};
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('response', (incoming: Http2Header) => {
      header = incoming;
    });
    stream.on('trailers', (incoming: Http2Header) => {
      trailers = incoming;
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > answerBytesMax) settle(failed('too-large', `more than ${answerBytesMax} bytes`));
      else chunks.push(chunk);
    });
    stream.on('close', () => settle(judge(header, trailers, Buffer.concat(chunks))));
  });
};

function judge(header: Http2Header, trailers: Http2Header, body: Buffer): ProbeOutcome {
  const status = header[':status'];
  if (status === undefined) return failed('truncated', 'the stream ended without an answer');
  if (status !== 200) return failed('unexpected-status', `HTTP/2 ${status}`);
  // An answer of trailers alone has the code in its header.
  const code = trailers['grpc-status'] ?? header['grpc-status'];
  if (code === undefined) return failed('truncated', 'the answer has no grpc-status');
  if (code !== '0') {
    const name = statusNames.get(String(code)) ?? String(trailers['grpc-message'] ?? '');
    return failed('unexpected-answer', `grpc-status ${code} ${name}`);
  }
  const serving = decodeHealthResponse(body);
  if (serving === undefined)
    return failed('malformed-response', 'no message of the health service');
  return serving === 'SERVING' ? passed(serving) : failed('unexpected-answer', serving);
}
