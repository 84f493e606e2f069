/** HTTP/1.1 as checks write and read it: vectors, and the same answer however its bytes come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeHttp1Request } from '../../../src/wire/http1Request.js';
import {
  type Http1Head,
  type Http1Progress,
  Http1ResponseParser,
  headerBytesMax,
} from '../../../src/wire/http1Response.js';

/** What became of an answer whose bytes came in these pieces, before the server ended its side. */
function read(pieces: readonly Uint8Array[], { method = 'GET', ends = true } = {}) {
  let head: Http1Head | undefined;
  const body: Uint8Array[] = [];
  const parser = new Http1ResponseParser(method, {
    head: (found) => {
      assert.equal(head, undefined, 'a head is told once');
      head = found;
      return true;
    },
    body: (bytes) => body.push(Uint8Array.from(bytes)),
  });
  let progress: Http1Progress = 'more';
  for (const piece of pieces) progress = parser.take(piece);
  if (ends) progress = parser.end();
  const kind = typeof progress === 'string' ? progress : progress.kind;
  return { kind, progress, head, body: Buffer.concat(body).toString('latin1') };
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const whole = (text: string, options = {}) => read([bytesOf(text)], options);

const vectors: readonly {
  readonly title: string;
  readonly bytes: string;
  readonly kind: string;
  readonly body?: string;
  readonly method?: string;
  readonly ends?: boolean;
}[] = [
  {
    title: 'a body of declared length, and no more of it',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n',
    kind: 'done',
    body: 'ok',
    ends: false,
  },
  {
    title: 'the same length twice, with spaces and a leading zero-free list',
    bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 2 \r\nContent-Length:\t2, 2\r\n\r\nok',
    kind: 'done',
    body: 'ok',
    ends: false,
  },
  {
    title: 'no body where its length is 0',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    kind: 'done',
    ends: false,
  },
  {
    title: 'a body that ends with the connection',
    bytes: 'HTTP/1.0 200 OK\r\n\r\nall of it',
    kind: 'done',
    body: 'all of it',
  },
  {
    title: 'chunks with an extension and a trailer',
    bytes:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n' +
      '3;a="b"\r\nabc\r\n00A \r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n',
    kind: 'done',
    body: 'abc0123456789',
    ends: false,
  },
  {
    title: 'a coding that is not chunks, to the end of the connection',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nok',
    kind: 'done',
    body: '2\r\nok',
  },
  {
    title: 'lines that end in LF alone',
    bytes: 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n',
    kind: 'done',
    body: 'ok',
    ends: false,
  },
  {
    title: 'no reason, and no space before it',
    bytes: 'HTTP/1.1 204\r\n\r\n',
    kind: 'done',
    ends: false,
  },
  {
    title: 'interim answers before the final one',
    bytes:
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    kind: 'done',
    body: 'x',
    ends: false,
  },
  {
    title: 'a change of protocols, which is final',
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x81\x00',
    kind: 'done',
    ends: false,
  },
  {
    title: 'no body of an answer to HEAD',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n',
    kind: 'done',
    method: 'HEAD',
    ends: false,
  },
  {
    title: 'no body of a 304 that declares one',
    bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n',
    kind: 'done',
    ends: false,
  },
  {
    title: 'a field that is folded',
    bytes: 'HTTP/1.1 200 OK\r\nX-Long: a\r\n\t b\r\nContent-Length: 0\r\n\r\n',
    kind: 'done',
    ends: false,
  },
  { title: 'nothing', bytes: '', kind: 'truncated' },
  { title: 'half a header', bytes: 'HTTP/1.1 200 OK\r\nX: y\r\n', kind: 'truncated' },
  {
    title: 'half a body',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok',
    kind: 'truncated',
    body: 'ok',
  },
  {
    title: 'chunks without the last',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
    kind: 'truncated',
    body: 'ok',
  },
  {
    title: 'a trailer that does not end',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n',
    kind: 'truncated',
  },
  ...[
    ['another protocol', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
    ['another protocol without a line', '\x16\x03\x01\x02\x00'],
    ['an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 Low\r\n\r\n'],
    ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
    ['a bare CR in a field', 'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n'],
    ['a zero byte in a field', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'],
    ['a field without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    ['a field without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok'],
    ['a header that begins folded', 'HTTP/1.1 200 OK\r\n X: y\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    ['two lengths in one field', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
    ['a length beyond numbers', `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(16)}\r\n\r\nok`],
    [
      'a length beside chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '2\r\nok\r\n0\r\n\r\n',
    ],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['no chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n'],
    [
      'a chunk that is longer than its size',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n',
    ],
  ].map(([title = '', bytes = '']) => ({ title, bytes, kind: 'malformed' })),
  {
    title: 'a chunk beyond numbers',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n',
    kind: 'too-large',
  },
  {
    title: 'a header that is too long, in one field',
    bytes: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(headerBytesMax)}\r\n\r\n`,
    kind: 'too-large',
  },
  {
    title: 'a header that is too long, in many fields',
    bytes: `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(headerBytesMax / 5)}\r\n`,
    kind: 'too-large',
  },
  {
    title: 'interim answers without end',
    bytes: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(headerBytesMax / 20),
    kind: 'too-large',
  },
  {
    title: 'a trailer that is too long',
    bytes:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n' +
      'X: y\r\n'.repeat(headerBytesMax / 5),
    kind: 'too-large',
  },
  {
    title: 'extensions of chunks that are too long',
    bytes:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
      `1;${'e'.repeat(1_000)}\r\nx\r\n`.repeat(20),
    kind: 'too-large',
  },
];

for (const { title, bytes, kind, body, method, ends } of vectors) {
  test(`HTTP/1.1: ${title} (${kind})`, () => {
    const found = whole(bytes, { ...(method && { method }), ...(ends === false && { ends }) });
    assert.equal(found.kind, kind, JSON.stringify(found.progress));
    if (kind === 'done') assert.equal(found.body, body ?? '');
  });
}

test('a head has the status line as it was, and the values of a field in their order', () => {
  const { head } = whole(
    'HTTP/1.1 302 Gefund\xe9n\r\nLocation: /a\r\nlocation:  /b \r\nX-Fold: one\r\n  two\r\n\r\n',
  );
  assert.equal(head?.status, 302);
  assert.equal(head?.statusLine, 'HTTP/1.1 302 Gefund\xe9n');
  assert.deepEqual(head?.fields.get('location'), ['/a', '/b']);
  assert.deepEqual(head?.fields.get('x-fold'), ['one two']);
});

test('fields of an interim answer are not those of the final one', () => {
  const { head } = whole('HTTP/1.1 103 Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\n');
  assert.equal(head?.contentLength, undefined);
  assert.equal(head?.fields.size, 0);
});

test('a body that nobody wants is not read', () => {
  const reader = { head: () => false, body: () => assert.fail('a body was told') };
  const parser = new Http1ResponseParser('GET', reader);
  assert.equal(parser.take(bytesOf('HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok')), 'done');
  assert.equal(parser.take(bytesOf('more')), 'done');
  assert.equal(parser.end(), 'done');
});

/** What may be in an answer, sound or not. */
const fragment = fc.oneof(
  fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.0 204 None\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Transfer-Encoding: chunked\r\n',
    'X-Field: value\r\n',
    ' folded\r\n',
    '\r\n',
    '\n',
    '5\r\nhello\r\n',
    '1;x\r\na\r\n',
    '0\r\n\r\n',
    '0\r\nX-Sum: 1\r\n\r\n',
    'hello',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 6 }),
);
const answer = fc
  .tuple(
    fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n',
      '',
    ),
    fc.array(fragment, { maxLength: 8 }),
    fc.constantFrom('', `X: ${'x'.repeat(headerBytesMax - 60)}\r\n`),
  )
  .map(([first, rest, long]) => bytesOf(first + rest.join('') + long + rest.join('')));

test('an answer is the same however its bytes are cut', () => {
  fc.assert(
    fc.property(answer, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), (bytes, at, ends) => {
      const cuts = at.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
      const edges = [0, ...cuts, bytes.length];
      const pieces = edges.slice(1).map((to, index) => bytes.subarray(edges[index], to));
      // The text of a fault quotes what was there when it was seen.
      const { progress: _one, ...inOne } = read([bytes], { ends });
      const { progress: _many, ...inMany } = read(pieces, { ends });
      const { progress: _each, ...inBytes } = read(
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
        { ends },
      );
      assert.deepEqual(inMany, inOne);
      assert.deepEqual(inBytes, inOne);
    }),
  );
});

test('a sound answer is read as it was written, whatever its body and its chunks', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { maxLength: 6 });
  fc.assert(
    fc.property(
      bodies,
      fc.boolean(),
      fc.integer({ min: 200, max: 203 }),
      (parts, isChunked, status) => {
        const body = Buffer.concat(parts);
        const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
        const chunks = parts.map((part) =>
          Buffer.concat([
            Buffer.from(`${part.length.toString(16)}\r\n`),
            part,
            Buffer.from('\r\n'),
          ]),
        );
        const content = isChunked ? [...chunks, Buffer.from('0\r\n\r\n')] : [body];
        const header = Buffer.from(`HTTP/1.1 ${status} Fine\r\n${framing}\r\n\r\n`);
        const found = read([Buffer.concat([header, ...content])], { ends: false });
        assert.equal(found.kind, 'done');
        assert.equal(found.head?.status, status);
        assert.equal(found.body, body.toString('latin1'));
      },
    ),
  );
});

test('no bytes make the parser throw, or keep more than a header', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (pieces) => {
      read(pieces);
    }),
  );
  const line = bytesOf('x'.repeat(65_536));
  for (const begin of ['HTTP/1.1 200 ', 'HTTP/1.1 200 OK\r\nX']) {
    assert.equal(read([bytesOf(begin), line, line], { ends: false }).kind, 'too-large');
  }
});

test('a request is the bytes that RFC 9112 wants', () => {
  const request = { method: 'GET', path: '/a?b=c', host: 'x.example', headers: { accept: '*/*' } };
  assert.equal(
    encodeHttp1Request(request).toString('latin1'),
    'GET /a?b=c HTTP/1.1\r\nhost: x.example\r\naccept: */*\r\nconnection: close\r\n\r\n',
  );
  assert.equal(
    encodeHttp1Request({ ...request, method: 'POST', headers: {}, body: 'grün' }).toString('utf8'),
    'POST /a?b=c HTTP/1.1\r\nhost: x.example\r\ncontent-length: 5\r\nconnection: close\r\n\r\ngrün',
  );
  const withoutBody = encodeHttp1Request({ ...request, method: 'PUT', headers: {} });
  assert.match(withoutBody.toString('latin1'), /\r\ncontent-length: 0\r\n/);
});

test('a request that could be read as two is not written', () => {
  const request = { method: 'GET', path: '/', host: 'x', headers: {} };
  for (const wrong of [
    { path: '/ HTTP/1.1' },
    { path: '' },
    { host: 'x\r\nx: y' },
    { method: 'GET /' },
    { headers: { 'a b': 'c' } },
    { headers: { a: 'b\nc' } },
  ]) {
    assert.throws(() => encodeHttp1Request({ ...request, ...wrong }), { name: 'WireError' });
  }
});
