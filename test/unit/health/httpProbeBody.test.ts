import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyBytesMax } from '../../../src/health/probes/httpModel.js';
import { regexInputLengthMax } from '../../../src/health/probes/timedMatch.js';
import { answerWith, httpServer, httpSpec, probeOnce, type TestServer } from './support/servers.js';

type Spec = NonNullable<Parameters<typeof httpSpec>[0]>;
type Context = Parameters<typeof httpServer>[0];

/** A server that sends a body in one piece; without a declared length if `chunked`. */
function bodyServer(t: Context, body: string | Buffer, chunked = false): Promise<TestServer> {
  return httpServer(t, (_request, response) => {
    if (chunked) response.write(body, () => response.end());
    else response.end(body);
  });
}

const table: readonly {
  readonly title: string;
  readonly body: string;
  readonly expect: Spec;
  readonly reason: string;
}[] = [
  { title: 'text', body: 'all is ok.', expect: { bodyContains: 'is ok' }, reason: 'passed' },
  {
    title: 'text in UTF-8',
    body: 'Größe: gut',
    expect: { bodyContains: 'Größe' },
    reason: 'passed',
  },
  {
    title: 'other text',
    body: 'all is bad',
    expect: { bodyContains: 'ok' },
    reason: 'body-mismatch',
  },
  { title: 'no text', body: '', expect: { bodyContains: 'ok' }, reason: 'body-mismatch' },
  {
    title: 'a match',
    body: '{"status":"UP"}',
    expect: { bodyMatches: '"status":\\s*"UP"' },
    reason: 'passed',
  },
  {
    title: 'no match',
    body: '{"status":"DOWN"}',
    expect: { bodyMatches: '"status":\\s*"UP"' },
    reason: 'body-mismatch',
  },
  {
    title: 'the text but no match',
    body: 'ok',
    expect: { bodyContains: 'ok', bodyMatches: 'fine' },
    reason: 'body-mismatch',
  },
  {
    title: 'Unicode by its properties',
    body: 'наверху',
    expect: { bodyMatches: '^\\p{Script=Cyrillic}+$' },
    reason: 'passed',
  },
];

for (const { title, body, expect, reason } of table) {
  for (const chunked of [false, true]) {
    const form = chunked ? 'chunked' : 'of declared length';
    test(`a body ${form} with ${title}: ${reason}`, async (t) => {
      const server = await bodyServer(t, body, chunked);
      const outcome = await probeOnce(server.target, httpSpec(expect));
      assert.equal(outcome.reason, reason);
    });
  }
}

test('a mismatch shows what was expected and what came', async (t) => {
  const server = await bodyServer(t, 'database \x1b[31munreachable');
  const outcome = await probeOnce(server.target, httpSpec({ bodyContains: 'ready' }));
  assert.equal(outcome.detail, 'the body does not contain "ready": database .[31munreachable');
});

test('a body is looked at only when the status is as expected', async (t) => {
  const server = await httpServer(t, (_request, response) => response.writeHead(500).end('ok'));
  const outcome = await probeOnce(server.target, httpSpec({ bodyContains: 'ok' }));
  assert.equal(outcome.reason, 'unexpected-status');
});

test('a body that ends with the connection is whole, also a large one', async (t) => {
  const server = await answerWith(t, `HTTP/1.0 200 OK\r\n\r\n${'x'.repeat(500_000)} fine`);
  const outcome = await probeOnce(server.target, httpSpec({ bodyContains: 'x fine' }));
  assert.equal(outcome.reason, 'passed');
});

test('HEAD has no body, whatever length is declared', async (t) => {
  const server = await httpServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 * bodyBytesMax }).end();
  });
  const spec = httpSpec({ method: 'HEAD', bodyMatches: '^$' });
  assert.equal((await probeOnce(server.target, spec)).reason, 'passed');
});

for (const chunked of [false, true]) {
  test(`the largest body that is read, ${chunked ? 'chunked' : 'declared'}`, async (t) => {
    const body = Buffer.alloc(bodyBytesMax, 'x');
    body.write('the end', bodyBytesMax - 7);
    const server = await bodyServer(t, body, chunked);
    const outcome = await probeOnce(server.target, httpSpec({ bodyContains: 'the end' }));
    assert.equal(outcome.reason, 'passed');
  });

  test(`a body one byte larger than that, ${chunked ? 'chunked' : 'declared'}`, async (t) => {
    const server = await bodyServer(t, Buffer.alloc(bodyBytesMax + 1, 'x'), chunked);
    const outcome = await probeOnce(server.target, httpSpec({ bodyContains: 'x' }));
    assert.equal(outcome.reason, 'too-large');
  });
}

test('an expression sees the beginning of a large body, and no more', async (t) => {
  const filler = 'x'.repeat(regexInputLengthMax - 5);
  const server = await bodyServer(t, `${filler}first last`);
  const seen = await probeOnce(server.target, httpSpec({ bodyMatches: 'first' }));
  assert.equal(seen.reason, 'passed');
  const unseen = await probeOnce(server.target, httpSpec({ bodyMatches: 'last' }));
  assert.equal(unseen.reason, 'body-mismatch');
});

test('an expression that backtracks without end is stopped, and blames nobody', async (t) => {
  const server = await bodyServer(t, `${'a'.repeat(60)}!`);
  const outcome = await probeOnce(server.target, httpSpec({ bodyMatches: '^(a+)+$' }));
  assert.equal(outcome.result, 'inconclusive');
  assert.equal(outcome.reason, 'internal-error');
  assert.match(outcome.detail, /took more than \d+ ms/);
});

test('an expression that is none blames nobody', async (t) => {
  const server = await bodyServer(t, 'ok');
  const outcome = await probeOnce(server.target, httpSpec({ bodyMatches: '(' }));
  assert.equal(outcome.reason, 'internal-error');
  assert.equal(outcome.detail, '/(/ is no regular expression');
});
