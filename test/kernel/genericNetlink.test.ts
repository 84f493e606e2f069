/** Generic netlink against the controller family, which every kernel has and anybody may ask. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  createGenericNetlink,
  type GenericNetlink,
  type GenericNetlinkOptions,
  type GenericRequest,
  waitingExchangesMax,
} from '../../src/kernel/genericNetlink.js';
import {
  controlAttributes,
  controlCommands,
  controlFamilyId,
} from '../../src/wire/genericNetlinkControl.js';
import { decodeAttributes, encodeAttributes } from '../../src/wire/netlinkAttributes.js';

const version = 1;

function open(context: TestContext, options: GenericNetlinkOptions = {}): GenericNetlink {
  const netlink = createGenericNetlink(options);
  context.after(() => netlink.close());
  return netlink;
}

function lookup(familyName: string): GenericRequest {
  const payload = encodeAttributes(controlAttributes, { familyName });
  return { command: controlCommands.getFamily, payload, dump: false };
}

const listFamilies: GenericRequest = {
  command: controlCommands.getFamily,
  payload: new Uint8Array(),
  dump: true,
};

test('a family is found by its name, and one that does not exist is not', async (context) => {
  const netlink = open(context);
  assert.equal(await netlink.resolveFamily('nlctrl'), controlFamilyId);
  assert.equal(await netlink.resolveFamily('no-such-family'), undefined);
});

test('a dump gives every entry', async (context) => {
  const [outcome] = await open(context).exchange(controlFamilyId, version, [listFamilies]);
  assert.equal(outcome?.kind, 'done');
  const names = outcome.answers.map(
    (answer) => decodeAttributes(controlAttributes, answer).familyName,
  );
  assert.ok(names.includes('nlctrl'));
});

test('many requests go in windows, and each gets its own outcome in order', async (context) => {
  const netlink = open(context, { windowRequests: 7 });
  const requests = Array.from({ length: 100 }, (_, number) =>
    number % 10 === 9 ? listFamilies : lookup(number % 3 === 0 ? 'nlctrl' : 'no-such-family'),
  );
  const outcomes = await netlink.exchange(controlFamilyId, version, requests);
  assert.equal(outcomes.length, requests.length);
  for (const [number, outcome] of outcomes.entries()) {
    if (number % 10 === 9) {
      assert.ok(outcome.kind === 'done' && outcome.answers.length >= 1);
    } else if (number % 3 === 0) {
      assert.ok(outcome.kind === 'done' && outcome.answers.length === 1);
    } else {
      assert.deepEqual(outcome, { kind: 'refused', errnoName: 'ENOENT' });
    }
  }
});

test('exchanges of several callers run one after the other', async (context) => {
  const netlink = open(context);
  const names = ['nlctrl', 'no-such-family', 'nlctrl', 'no-such-family'];
  const ids = await Promise.all(names.map((name) => netlink.resolveFamily(name)));
  assert.deepEqual(ids, [controlFamilyId, undefined, controlFamilyId, undefined]);
});

test('answers that overrun the buffer are lost, and the socket goes on', async (context) => {
  const netlink = open(context, { receiveBufferBytes: 1 });
  const requests = Array.from({ length: 100 }, () => lookup('nlctrl'));
  const outcomes = await netlink.exchange(controlFamilyId, version, requests);
  const lost = outcomes.filter((outcome) => outcome.kind === 'lost');
  assert.ok(lost.length > 0);
  assert.deepEqual(lost[0], { kind: 'lost', cause: 'overrun' });
  assert.equal(await netlink.resolveFamily('nlctrl'), controlFamilyId);
});

test('a request that the kernel never answers is lost after its time', async (context) => {
  const netlink = open(context);
  // The kernel skips messages of the reserved types, and a dump asks for no acknowledgement.
  const reservedType = 1;
  const asked = netlink.exchange(reservedType, version, [listFamilies], { timeoutMs: 20 });
  assert.deepEqual(await asked, [{ kind: 'lost', cause: 'timeout' }]);
  assert.equal(await netlink.resolveFamily('nlctrl'), controlFamilyId);
});

test('what waits for a socket is bounded', async (context) => {
  const netlink = open(context);
  const asked = Array.from({ length: waitingExchangesMax }, () =>
    netlink.exchange(controlFamilyId, version, [lookup('nlctrl')]),
  );
  await assert.rejects(
    netlink.exchange(controlFamilyId, version, [lookup('nlctrl')]),
    /more than \d+ requests wait/,
  );
  assert.ok((await Promise.all(asked)).every(([outcome]) => outcome?.kind === 'done'));
});

test('closing ends what is under way with an error, and closing again does nothing', async () => {
  const netlink = createGenericNetlink();
  const asked = netlink.resolveFamily('nlctrl');
  netlink.close();
  await assert.rejects(asked, /closed/);
  const other = createGenericNetlink();
  assert.equal(await other.resolveFamily('nlctrl'), controlFamilyId);
  other.close();
  other.close();
  await assert.rejects(other.resolveFamily('nlctrl'), /closed/);
});
