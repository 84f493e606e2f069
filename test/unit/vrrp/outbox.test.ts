import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldMessagesMax, Outbox, takeoverQuietUs } from '../../../src/vrrp/outbox.js';
import type { FromVrrp } from '../../../src/vrrp/protocol.js';

const message: FromVrrp = { type: 'configured' };

function makeOutbox() {
  const sent: FromVrrp[] = [];
  return { sent, outbox: new Outbox((each) => sent.push(each)) };
}

test('messages go at once unless a takeover has just been', () => {
  const { sent, outbox } = makeOutbox();
  outbox.post(message);
  assert.equal(sent.length, 1);
  assert.equal(outbox.nextDeadlineUs, Number.POSITIVE_INFINITY);
});

test('after a takeover they wait, in their order, for a time that does not grow', () => {
  const { sent, outbox } = makeOutbox();
  outbox.keepQuiet(1_000);
  outbox.keepQuiet(3_000);
  outbox.post(message);
  outbox.post({ type: 'stopped' });
  assert.equal(outbox.nextDeadlineUs, 1_000 + takeoverQuietUs);
  outbox.flushDue(999 + takeoverQuietUs);
  assert.deepEqual(sent, []);
  outbox.flushDue(1_000 + takeoverQuietUs);
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['configured', 'stopped'],
  );
  outbox.post(message);
  assert.equal(sent.length, 3);
});

test('too many of them end the wait', () => {
  const { sent, outbox } = makeOutbox();
  outbox.keepQuiet(0);
  for (let count = 0; count < heldMessagesMax; count += 1) outbox.post(message);
  assert.equal(sent.length, heldMessagesMax);
});
