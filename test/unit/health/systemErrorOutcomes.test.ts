import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeOfSystemError } from '../../../src/health/probes/systemErrors.js';

const table = [
  ['ECONNREFUSED', 'connect', 'failed', 'connection-refused'],
  ['ECONNRESET', 'read', 'failed', 'connection-reset'],
  ['EPIPE', 'write', 'failed', 'connection-reset'],
  ['EHOSTUNREACH', 'connect', 'failed', 'host-unreachable'],
  ['ENETUNREACH', 'connect', 'failed', 'network-unreachable'],
  ['ETIMEDOUT', 'connect', 'failed', 'timeout'],
  ['EADDRNOTAVAIL', 'connect', 'inconclusive', 'local-resources'],
  ['EADDRNOTAVAIL', 'bind', 'inconclusive', 'local-address'],
  ['EMFILE', 'connect', 'inconclusive', 'local-resources'],
  ['ENFILE', 'connect', 'inconclusive', 'local-resources'],
  ['ENOBUFS', 'connect', 'inconclusive', 'local-resources'],
  ['EAGAIN', 'connect', 'inconclusive', 'local-resources'],
  ['ENETDOWN', 'connect', 'inconclusive', 'local-address'],
  ['EPERM', 'connect', 'inconclusive', 'local-permission'],
  ['ESOMETHINGNEW', 'connect', 'inconclusive', 'internal-error'],
] as const;

for (const [code, syscall, result, reason] of table) {
  test(`${code} of ${syscall} is ${result}: ${reason}`, () => {
    const error = Object.assign(new Error(`${syscall} ${code} 192.0.2.1:80`), { code, syscall });
    const detail = `${syscall}: ${code}`;
    assert.deepEqual(outcomeOfSystemError(error), { result, reason, detail });
  });
}

test('an error that is none of the kernel says nothing about the server', () => {
  const outcome = outcomeOfSystemError(new RangeError('out of range'));
  assert.deepEqual(outcome, {
    result: 'inconclusive',
    reason: 'internal-error',
    detail: 'out of range',
  });
});
