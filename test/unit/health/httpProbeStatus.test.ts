import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerWith, httpServer, httpSpec, probeOnce } from './support/servers.js';

const table = [
  { answer: 'HTTP/1.1 200 OK', expect: [200, 299], reason: 'passed' },
  { answer: 'HTTP/1.1 299 Odd', expect: [200, 299], reason: 'passed' },
  { answer: 'HTTP/1.0 200 OK', expect: [200, 299], reason: 'passed' },
  { answer: 'HTTP/1.1 204 No Content', expect: [200, 299], reason: 'passed' },
  { answer: 'HTTP/1.1 302 Found', expect: [200, 299], reason: 'unexpected-status' },
  { answer: 'HTTP/1.1 302 Found', expect: [302, 302], reason: 'passed' },
  { answer: 'HTTP/1.1 503 Service Unavailable', expect: [200, 299], reason: 'unexpected-status' },
  { answer: 'HTTP/1.1 199 Almost', expect: [200, 299], reason: 'unexpected-status' },
  { answer: 'HTTP/1.1 300 Just over', expect: [200, 299], reason: 'unexpected-status' },
] as const;

for (const { answer, expect, reason } of table) {
  const [from, to] = expect;
  test(`"${answer}" where ${from} to ${to} is expected: ${reason}`, async (t) => {
    // Answers of class 1xx are not final, so a final one follows; others stand alone.
    const final = answer.includes(' 1') ? 'HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n' : '';
    const server = await answerWith(t, `${answer}\r\n\r\n${final}`);
    const outcome = await probeOnce(server.target, httpSpec({ expectStatus: [{ from, to }] }));
    assert.equal(outcome.reason, reason);
    if (final === '') assert.equal(outcome.detail, answer);
  });
}

test('a status in any one of several ranges passes', async (t) => {
  const server = await httpServer(t, (_request, response) => response.writeHead(401).end());
  const expectStatus = [
    { from: 200, to: 204 },
    { from: 401, to: 401 },
  ];
  const outcome = await probeOnce(server.target, httpSpec({ expectStatus }));
  assert.deepEqual(outcome, {
    result: 'passed',
    reason: 'passed',
    detail: 'HTTP/1.1 401 Unauthorized',
  });
});

test('an interim answer is passed over', async (t) => {
  const server = await answerWith(
    t,
    'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  );
  assert.equal((await probeOnce(server.target, httpSpec())).detail, 'HTTP/1.1 200 OK');
});

test('a server that switches protocols unasked has an unexpected status', async (t) => {
  const server = await answerWith(
    t,
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00',
  );
  const outcome = await probeOnce(server.target, httpSpec());
  assert.equal(outcome.reason, 'unexpected-status');
  assert.equal(outcome.detail, 'HTTP/1.1 101 Switching Protocols');
});
