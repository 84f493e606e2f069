import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { TandemError } from '../../../src/errors.js';
import { errnoName } from '../../../src/kernel/errnoName.js';
import { checked, lastErrno, libc, systemCallError } from '../../../src/kernel/systemCall.js';

test('every errno value of Linux has its usual name', () => {
  assert.equal(errnoName(1), 'EPERM');
  assert.equal(errnoName(11), 'EAGAIN');
  assert.equal(errnoName(95), 'EOPNOTSUPP');
  assert.equal(errnoName(112), 'EHOSTDOWN');
  assert.equal(errnoName(133), 'EHWPOISON');
  // 41 and 58 were never given out on these machines.
  const unnamed = Array.from({ length: 133 }, (_, index) => index + 1).filter((value) =>
    errnoName(value).startsWith('errno '),
  );
  assert.deepEqual(unnamed, [41, 58]);
  assert.equal(errnoName(999), 'errno 999');
  for (const [name, value] of Object.entries(constants.errno)) {
    if (name !== 'EWOULDBLOCK' && name !== 'ENOTSUP') assert.equal(errnoName(value), name);
  }
});

test('a failed call tells its name, its arguments, errno and text', () => {
  const error = systemCallError('bind', 98, { context: 'port 80', hint: 'Stop the other.' });
  assert.ok(error instanceof TandemError);
  assert.equal(error.code, 'SYSTEM_CALL');
  assert.equal(error.errnoName, 'EADDRINUSE');
  assert.equal(error.message, 'bind (port 80) failed: EADDRINUSE: Address already in use');
  assert.equal(error.hint, 'Stop the other.');
});

test('a refusal for lack of privilege has a code of its own and names the capability', () => {
  for (const errno of [1, 13]) {
    const error = systemCallError('socket', errno, { capability: 'CAP_NET_RAW' });
    assert.equal(error.code, 'PERMISSION');
    assert.match(error.hint, /needs CAP_NET_RAW: run as root, or grant CAP_NET_RAW/);
  }
});

test('errno is that of the call that has just failed', () => {
  assert.equal(libc.close(-1), -1);
  assert.equal(lastErrno(), constants.errno.EBADF);
  assert.throws(
    () => checked(libc.socket(-1, 2, 0), 'socket'),
    (error) => error instanceof TandemError && error.errnoName === 'EAFNOSUPPORT',
  );
  assert.equal(checked(0, 'socket'), 0);
});
