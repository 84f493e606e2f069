import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rejectionText } from '../../../src/vrrp/rejectionText.js';

test('the log line of a refused packet has its reason', () => {
  assert.equal(rejectionText('wrong-ttl'), 'an advertisement was discarded: wrong-ttl');
});

test('the log line of an Authentication Header says what to use in its place', () => {
  assert.match(rejectionText('authentication-header'), /auth_type AH.*auth_type PASS.*HMAC/);
});
