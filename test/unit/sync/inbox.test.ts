import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inbox } from '../../../src/sync/inbox.js';
import { windowEntries } from '../../../src/sync/outgoing.js';
import type { SyncChannelMessage } from '../../../src/wire/syncChannel.js';
import { WireError } from '../../../src/wire/wireError.js';

test('a burst of messages is answered once, with the last of their numbers', async () => {
  const { inbox, answers, finish } = inboxThatWaits();
  for (const sequence of [1, 2, 3]) assert.ok(inbox.put(entries(sequence, 1)));
  await finish(3);
  assert.deepEqual(answers, [3]);
});

test('a message that means nothing is counted and answered', async () => {
  const { inbox, answers, malformed, finish } = inboxThatWaits(
    new WireError('bad-value', 'nonsense'),
  );
  inbox.put(entries(7, 1));
  await finish(1);
  assert.deepEqual([answers, malformed()], [[7], 1]);
});

test('more than the window is not taken', async () => {
  const { inbox, finish } = inboxThatWaits();
  assert.ok(inbox.put(entries(1, windowEntries)));
  assert.equal(inbox.put(entries(2, 1)), false);
  await finish(1);
  assert.ok(inbox.put(entries(3, 1)));
  await finish(1);
});

test('work for a connection that has gone is not answered to the next one', async () => {
  const { inbox, answers, finish } = inboxThatWaits();
  inbox.put(entries(41, 1));
  inbox.clear();
  inbox.put(entries(1, 1));
  await finish(2);
  assert.deepEqual(answers, [1]);
});

function entries(sequence: number, count: number): SyncChannelMessage {
  return { kind: 'entries', purpose: 'relay', count, sequence, nowDs: 0, bytes: new Uint8Array() };
}

/** An inbox whose work ends when the test says so. */
function inboxThatWaits(failure?: Error) {
  const answers: number[] = [];
  let malformed = 0;
  let ends: (() => void)[] = [];
  const inbox = new Inbox({
    workOff: () =>
      new Promise((resolve, reject) => {
        ends.push(() => (failure === undefined ? resolve() : reject(failure)));
      }),
    answer: (sequence) => answers.push(sequence),
    onMalformed: () => {
      malformed += 1;
    },
  });
  const finish = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 1) {
      const [end, ...rest] = ends;
      assert.ok(end);
      ends = rest;
      end();
      await nextTurn();
    }
  };
  return { inbox, answers, malformed: () => malformed, finish };
}
