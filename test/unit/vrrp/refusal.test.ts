import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TandemError } from '../../../src/errors.js';
import { refusal } from '../../../src/vrrp/refusal.js';

for (const code of ['INTERFACE_MISSING', 'PERMISSION', 'SYSTEM_CALL'] as const) {
  test(`a configuration that fails with ${code} is refused with that code and its hint`, () => {
    assert.deepEqual(refusal(new TandemError(code, 'what happened', { hint: 'what to do' })), {
      type: 'refused',
      code,
      message: 'what happened',
      hint: 'what to do',
    });
  });
}

test('what main has no code for is refused as INTERNAL, its message kept', () => {
  for (const error of [new TandemError('NETLINK_TIMEOUT', 'no answer'), new Error('no answer')]) {
    const { code, message, hint } = refusal(error);
    assert.equal(code, 'INTERNAL');
    assert.equal(message, 'no answer');
    assert.notEqual(hint, '');
  }
});
