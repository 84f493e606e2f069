import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { encodeSyncEntry } from '../../../src/wire/syncMessage.js';
import { connection, RelayPair, template } from './relaySupport.js';

test('a connection that our kernel tells is given to the kernel of the peer', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  pair.hear(0, [connection(1), template]);
  await pair.settle();
  assert.deepEqual(pair.sides[1].injected.flat(), [connection(1), template]);
  await pair.compare();
  for (const { relay } of pair.sides) {
    const report = relay.report();
    assert.equal(report.inSync, true);
    assert.equal(report.tableEntries, 2);
    assert.equal(report.waitingEntries, 0);
  }
  assert.notEqual(pair.sides[0].relay.report().lagMs, null);
});

test('a director that joins is sent all there is, templates first and ends last', async () => {
  const pair = new RelayPair();
  const closing = connection(7, { flags: 0x0100, state: 5, timeoutSeconds: 120 });
  const many = Array.from({ length: 3_000 }, (_, index) => connection(index + 100));
  pair.hear(0, [closing, ...many, template]);
  pair.replace(1, 33);
  pair.sides[0].relay.table.expire(0, 1);
  pair.open();
  await pair.settle();
  const got = pair.sides[1].injected.flat();
  assert.equal(new Set(got.map((entry) => JSON.stringify(entry))).size, 3_002);
  assert.equal(got.length, 3_002, 'none is told twice');
  assert.deepEqual([got[0], got.at(-1)], [template, closing]);
  assert.equal(pair.sides[1].relay.report().phase, 'received');
  assert.equal(pair.sides[1].relay.report().lastBulk?.finished, true);
  pair.sides[1].injected.length = 0;
  pair.sides[1].relay.resync('operator');
  await pair.settle();
  assert.deepEqual(pair.sides[1].injected.flat()[0], template);
  assert.deepEqual(pair.sides[1].injected.flat().at(-1), closing);
});

test('changes gather until the peer has answered, but a full message does not wait', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  const [one, two] = pair.sides;
  const messages = (): number => two.injected.length;
  const tell = (from: number, count: number): void =>
    pair.hear(
      0,
      Array.from({ length: count }, (_, index) => connection(from + index)),
    );
  // Nothing has arrived yet, so the first is under way alone.
  for (let index = 0; index < 100; index += 1) tell(index, 1);
  assert.equal(one.relay.counts.sent, 1);
  await pair.settle();
  assert.equal(one.relay.counts.sent, 100);
  assert.equal(messages(), 2);
  tell(1_000, 1);
  tell(2_000, 600);
  assert.equal(one.relay.counts.sent, 101 + 512);
  await pair.settle();
  assert.equal(one.relay.counts.sent, 701);
  assert.equal(one.relay.report().waitingEntries, 0);
});

test('a comparison does not wait for changes to gather', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  pair.hear(0, [connection(1)]);
  pair.hear(0, [connection(2)]);
  assert.equal(pair.sides[0].relay.counts.sent, 1);
  pair.sides[0].relay.compare();
  assert.equal(pair.sides[0].relay.counts.sent, 2);
});

test('what an agent forgot by a restart comes back from its peer', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  pair.hear(0, [connection(1), connection(2)]);
  await pair.settle();
  pair.close();
  pair.replace(0, 44);
  pair.open();
  await pair.settle();
  assert.equal(pair.sides[0].relay.report().tableEntries, 2);
  await pair.compare();
  assert.equal(pair.sides[0].relay.report().inSync, true);
});

test('a difference is seen by the sums, and its buckets alone are sent again', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  pair.hear(
    0,
    Array.from({ length: 2_000 }, (_, index) => connection(index)),
  );
  await pair.settle();
  pair.sides[1].deaf = true;
  pair.hear(0, [connection(9_000)]);
  await pair.settle();
  pair.sides[1].deaf = false;
  assert.equal(pair.sides[1].relay.report().tableEntries, 2_000);
  pair.sides[1].injected.length = 0;
  for (let round = 0; round < 4; round += 1) await pair.compare();
  assert.equal(pair.sides[1].relay.report().tableEntries, 2_001);
  assert.equal(pair.sides[1].relay.report().inSync, true);
  const again = pair.sides[1].injected.flat();
  assert.ok(again.length >= 1 && again.length < 20, `${again.length} entries were sent again`);
});

test('an entry that is not for a service or server of ours is refused and counted', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  const foreign = { virtualAddress: ipAddress('10.1.0.66') };
  pair.hear(0, [
    connection(1, foreign),
    connection(2, { virtualPort: 81 }),
    connection(3, { serverAddress: ipAddress('10.66.0.1') }),
    connection(4, { state: 11 }),
    connection(5, { flags: 0x2000 }),
    connection(6, { timeoutSeconds: 0xffff_ffff }),
    connection(7, { protocol: 17, state: 0 }),
    connection(8),
  ]);
  await pair.settle();
  const { counters } = pair.sides[1].relay.report();
  assert.deepEqual(pair.sides[1].injected.flat(), [connection(8)]);
  assert.deepEqual(counters.rejected, {
    'family-not-served': 0,
    'unknown-service': 3,
    'unknown-server': 1,
    'bad-state': 1,
    'bad-flags': 1,
    'bad-timeout': 1,
  });
});

test('a full table takes nothing more, and says so', async () => {
  const pair = new RelayPair(10);
  pair.open();
  await pair.settle();
  pair.hear(
    0,
    Array.from({ length: 15 }, (_, index) => connection(index)),
  );
  await pair.settle();
  const { tableEntries, counters } = pair.sides[0].relay.report();
  assert.equal(tableEntries, 10);
  assert.equal(counters.dropped.tableFull, 5);
});

test('a peer that does not wait for answers is not listened to beyond its window', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  const sent: Uint8Array[] = [];
  const { Outgoing } = await import('../../../src/sync/outgoing.js');
  const { relay } = pair.sides[0];
  const entries = Array.from({ length: 9_000 }, (_, index) => connection(index));
  const outgoing = new Outgoing({
    table: relay.table,
    counts: relay.counts,
    nowMs: () => 0,
    nowDs: () => 1,
    send: (bytes) => sent.push(bytes),
    isWhole: () => true,
    onBulkSent: () => undefined,
  });
  relay.closed();
  pair.hear(0, entries);
  outgoing.open(false);
  outgoing.startBulk();
  outgoing.flush();
  assert.ok(outgoing.waiting <= 8_192, `${outgoing.waiting} entries under way`);
  for (const bytes of [...sent, ...sent]) pair.sides[1].relay.take(bytes);
  await pair.settle();
  assert.ok(pair.sides[1].relay.report().counters.dropped.overWindow > 0);
});

test('bytes of the peer that mean nothing are counted and change nothing', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  for (const bytes of [[], [0], [0, 123], [1, 0, 0], [1, 9, 0, 1], [2, 0], [77]]) {
    pair.sides[1].relay.take(Uint8Array.from(bytes));
  }
  await pair.settle();
  assert.equal(pair.sides[1].relay.report().counters.malformed, 7);
  assert.equal(pair.sides[1].relay.report().tableEntries, 0);
});

test('datagrams of another sync id or broken ones are counted', () => {
  const { relay } = new RelayPair().sides[0];
  relay.hear(Uint8Array.of(0, 6, 0, 8, 0, 1, 0, 0), 5, 0);
  relay.hear(Uint8Array.of(0, 5, 0, 9, 0, 1, 0, 0), 5, 0);
  const { refusedDatagrams } = relay.report().counters;
  assert.deepEqual(refusedDatagrams, { 'not-from-kernel': 0, malformed: 1, 'wrong-sync-id': 1 });
});

test('an entry ends by its timeout on both sides', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  pair.hear(0, [connection(1), connection(2, { state: 5, flags: 0x100, timeoutSeconds: 10 })]);
  await pair.settle();
  pair.nowMs += 60_000;
  for (const { relay } of pair.sides) relay.expire();
  assert.deepEqual(
    pair.sides.map(({ relay }) => relay.report().tableEntries),
    [1, 1],
  );
});

test('what the kernel knew at the start yields to what the peer knows of it', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  const closing = connection(1, { state: 5, flags: 0x0100, timeoutSeconds: 120 });
  pair.hear(0, [closing]);
  await pair.settle();
  // The agent of the second director starts anew; its kernel missed how the connection ended.
  pair.close();
  pair.replace(1, 55);
  const [one, two] = pair.sides;
  for (const entry of [connection(1), connection(2)]) two.relay.seed(encodeSyncEntry(entry));
  one.injected.length = 0;
  two.injected.length = 0;
  pair.open();
  two.relay.setSeed({ entries: 2, finished: true });
  await pair.settle();
  assert.deepEqual(two.injected.flat(), [closing]);
  // What only that kernel knew is told; what the peer knew better is not.
  assert.deepEqual(one.injected.flat(), [connection(2)]);
  for (let round = 0; round < 3; round += 1) await pair.compare();
  assert.deepEqual(
    pair.sides.map(({ relay }) => [relay.report().inSync, relay.report().tableEntries]),
    [
      [true, 2],
      [true, 2],
    ],
  );
});

test('entries that are refused do not keep the directors from agreeing on the others', async () => {
  const pair = new RelayPair();
  pair.open();
  await pair.settle();
  pair.hear(0, [connection(1), connection(2, { virtualPort: 81 })]);
  await pair.settle();
  for (let round = 0; round < 4; round += 1) await pair.compare();
  const { inSync, refusedBuckets, counters } = pair.sides[1].relay.report();
  assert.deepEqual([inSync, refusedBuckets], [true, 1]);
  const refused = counters.rejected['unknown-service'];
  for (let round = 0; round < 4; round += 1) await pair.compare();
  const later = pair.sides[1].relay.report().counters.rejected['unknown-service'];
  assert.equal(later, refused, 'it is not asked for again and again');
});

test('parts of any number of entries are repaired within the window', async () => {
  const pair = new RelayPair(40_000);
  pair.open();
  await pair.settle();
  pair.sides[1].deaf = true;
  const many = Array.from({ length: 30_000 }, (_, index) => connection(index));
  pair.hear(0, many);
  await pair.settle();
  pair.sides[1].deaf = false;
  pair.sides[0].relay.lost(1);
  for (let round = 0; round < 6; round += 1) await pair.compare();
  const { tableEntries, inSync, counters } = pair.sides[1].relay.report();
  assert.deepEqual([tableEntries, inSync, counters.dropped.overWindow], [30_000, true, 0]);
});

test('changes that wait for a peer that is away take no more room than the table', () => {
  const pair = new RelayPair(1_000);
  const { relay } = pair.sides[0];
  for (let round = 0; round < 300; round += 1) {
    const closing = { state: 5, flags: 0x0100, timeoutSeconds: 10 } as const;
    pair.hear(
      0,
      Array.from({ length: 500 }, (_, index) => connection(round * 500 + index, closing)),
    );
    pair.nowMs += 30_000;
    relay.expire();
  }
  assert.ok(relay.report().waitingEntries <= 66_000, `${relay.report().waitingEntries} wait`);
});
