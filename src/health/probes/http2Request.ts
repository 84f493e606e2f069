/** One request of HTTP/2, in its place as in HTTP/1.1. */

import { type Http2Header, overHttp2 } from './http2Session.js';
import { type AskHttp, gatherBody, type HttpAnswer } from './httpModel.js';
import { failed } from './probe.js';

/** Asks on a session of its own. A body that nobody wants is not read. */
export const askHttp2: AskHttp = (target, { spec, request, wanted }, signal) => {
  const { method, path, scheme, host, headers, body } = request;
  const pseudo = { ':method': method, ':path': path, ':scheme': scheme, ':authority': host };
  const wire = { origin: spec.origin, tls: spec.tls, headers: { ...pseudo, ...headers }, body };
  return overHttp2<HttpAnswer>(target, wire, signal, (stream, settle) => {
    stream.on('response', (header: Http2Header) => {
      const status = header[':status'] ?? 0;
      const answer = { status, statusLine: `HTTP/2 ${status}`, location: header.location };
      if (wanted(status) !== 'body') {
        settle({ ...answer, body: Buffer.alloc(0) });
        return;
      }
      const gathered = gatherBody(stream, settle);
      stream.on('end', () => {
        const taken = gathered.take();
        const declared = header['content-length'];
        if (stream.rstCode !== 0) {
          settle(failed('truncated', `the body ended after ${taken.length} bytes`));
        } else if (
          method !== 'HEAD' &&
          declared !== undefined &&
          Number(declared) !== taken.length
        ) {
          settle(failed('truncated', `${taken.length} bytes of ${declared} came`));
        } else {
          settle({ ...answer, body: taken });
        }
      });
      stream.on('close', () => settle(failed('truncated', 'the stream was closed')));
    });
    stream.on('end', () => settle(failed('truncated', 'the stream ended without an answer')));
  });
};
