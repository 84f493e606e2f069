/**
 * The exchange of our own and that of Node's HTTP client, an independent judge, on the same
 * servers: they must come to the same outcome. Node's is used where there is TLS.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askHttp1InClear } from '../../../src/health/probes/http1Exchange.js';
import { askHttp1 } from '../../../src/health/probes/http1Request.js';
import type { AskHttp, HttpQuestion } from '../../../src/health/probes/httpModel.js';
import { misbehaviours } from './support/misbehaviour.js';
import { answerWith, httpSpec, tcpServer } from './support/servers.js';

/** Enough for what ends by itself; for what does not, both must run into it. */
const deadlineMs = 400;

type Part = ReturnType<HttpQuestion['wanted']>;

async function outcomeOf(
  ask: AskHttp,
  target: Parameters<AskHttp>[0],
  method: 'GET' | 'HEAD',
  wanted: Part,
) {
  const spec = httpSpec({ method });
  const request = { scheme: 'http', host: 'x.example', method, path: '/', headers: {} } as const;
  const question = { spec, request, wanted: () => wanted };
  const found = await ask(target, question, AbortSignal.timeout(deadlineMs));
  return 'result' in found
    ? { reason: found.reason }
    : { ...found, statusLine: found.statusLine.trim(), body: found.body.toString('latin1') };
}

const answers: Readonly<Record<string, string>> = {
  plain: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'without a length': 'HTTP/1.1 200 OK\r\n\r\nall of it',
  'of HTTP/1.0': 'HTTP/1.0 404 Not Found\r\nLocation: /else\r\n\r\n',
  'without a reason': 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n',
  'in chunks':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nA: b\r\n\r\n',
  'after an interim one': 'HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 204 None\r\n\r\n',
  'without a body': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n',
  'cut in the header': 'HTTP/1.1 200 OK\r\nContent-Le',
  'cut in the body': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok',
  'cut in the chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
  'with a bad chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'with two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  'with a length beside chunks':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '2\r\nok\r\n0\r\n\r\n',
  'with a field that is none': 'HTTP/1.1 200 OK\r\nno field\r\n\r\n',
  'with a space in a name': 'HTTP/1.1 200 OK\r\nA b: c\r\n\r\n',
  'with a zero byte': 'HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n',
  'of another protocol': 'SSH-2.0-OpenSSH_9.2p1\r\n',
  'of another version': 'HTTP/3.0 200 OK\r\n\r\n',
  'with a long header': `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`,
  'that is empty': '',
};

for (const [title, bytes] of Object.entries(answers)) {
  test(`an answer ${title} is to us what it is to Node`, async (t) => {
    const server = await answerWith(t, Buffer.from(bytes, 'latin1'));
    // To Node what comes behind an answer to HEAD is a fault, if it comes along with it.
    const hasBody = /\r\n\r\n./s.test(bytes);
    for (const method of hasBody ? (['GET'] as const) : (['GET', 'HEAD'] as const)) {
      for (const wanted of ['no', 'header', 'body'] as const) {
        const ours = await outcomeOf(askHttp1InClear, server.target, method, wanted);
        const theirs = await outcomeOf(askHttp1, server.target, method, wanted);
        assert.deepEqual(ours, theirs, `${method}, ${wanted} wanted`);
      }
    }
  });
}

for (const { title, serve } of misbehaviours) {
  test(`a server that ${title} fails with us as with Node`, async (t) => {
    const server = await tcpServer(t, serve);
    const ours = await outcomeOf(askHttp1InClear, server.target, 'GET', 'body');
    const theirs = await outcomeOf(askHttp1, server.target, 'GET', 'body');
    const reasons = [ours, theirs].map((outcome) => 'reason' in outcome && outcome.reason);
    // Whether the reset or the end is seen first is a race between the two machines.
    const race = ['truncated', 'connection-reset'];
    if (reasons.every((reason) => reason !== false && race.includes(reason))) return;
    assert.deepEqual(reasons[0], reasons[1]);
  });
}
