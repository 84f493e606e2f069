import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf, parseAnswer } from '../../../src/drill/plainRequest.js';

for (const [title, answer, result] of [
  [
    'an answer names its server',
    'HTTP/1.1 200 OK\r\nX-Server: rs2\r\n\r\nrs2\n',
    { server: 'rs2' },
  ],
  [
    'an answer with another status is a failure',
    'HTTP/1.1 500 No\r\nX-Server: rs2\r\n\r\n',
    { failure: 'bad-status' },
  ],
  ['an empty answer is malformed', '', { failure: 'malformed' }],
  ['an answer without a server is malformed', 'HTTP/1.1 200 OK\r\n\r\n', { failure: 'malformed' }],
  [
    'an answer that ends in its head is malformed',
    'HTTP/1.1 200 OK\r\nX-Server: rs2\r\n',
    { failure: 'malformed' },
  ],
] as const) {
  test(title, () => assert.deepEqual(parseAnswer(answer), result));
}

test('socket errors become words of a closed set', () => {
  const error = (code: string): Error => Object.assign(new Error(code), { code });
  assert.equal(failureOf(error('ECONNREFUSED')), 'refused');
  assert.equal(failureOf(error('EHOSTUNREACH')), 'unreachable');
  assert.equal(failureOf(error('EADDRNOTAVAIL')), 'local');
  assert.equal(failureOf(new Error('no code')), 'local');
});
