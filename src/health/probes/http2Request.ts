/** One request of HTTP/2, in its place as in HTTP/1.1. */

import { type Http2Header, overHttp2 } from './http2Session.js';
import { type AskHttp, gatherBody, type HttpAnswer } from './httpModel.js';
import { failed, type ProbeOutcome } from './probe.js';

/** Asks on a session of its own, and reads the answer to its end where its status is wanted. */
export const askHttp2: AskHttp = (target, { spec, request, wanted }, signal) => {
  const { method, path, scheme, host, headers, body } = request;
  const pseudo = { ':method': method, ':path': path, ':scheme': scheme, ':authority': host };
  // It may be left out (RFC 9113, 8.1.1), but some applications refuse a body without it.
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const fields = { ...pseudo, ...headers, ...length };
  const wire = { origin: spec.origin, tls: spec.tls, headers: fields, body };
  return overHttp2<HttpAnswer>(target, wire, signal, (stream, settle) => {
    let conclude = (): HttpAnswer | ProbeOutcome =>
      failed('truncated', 'the stream ended without an answer');
    stream.on('response', (header: Http2Header) => {
      const status = header[':status'] ?? 0;
      const answer = { status, statusLine: `HTTP/2 ${status}`, location: header.location };
      const part = wanted(status);
      if (part === 'no') {
        settle({ ...answer, body: Buffer.alloc(0) });
        return;
      }
      const gathered = gatherBody(stream, part === 'body', answer, settle);
      // An answer to HEAD declares the length of what it does not send.
      const declared = method === 'HEAD' ? undefined : header['content-length'];
      conclude = () => {
        if (stream.rstCode !== 0) {
          return failed('truncated', `the body ended after ${gathered.length} bytes`);
        }
        if (declared !== undefined && Number(declared) !== gathered.length) {
          return failed('truncated', `${gathered.length} bytes of ${declared} came`);
        }
        return { ...answer, body: gathered.take() };
      };
    });
    stream.on('end', () => settle(conclude()));
    stream.on('close', () => settle(failed('truncated', 'the stream was closed')));
  });
};
