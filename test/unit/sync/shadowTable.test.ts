import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyHashAt } from '../../../src/sync/entryBytes.js';
import { EntrySlots } from '../../../src/sync/entrySlots.js';
import { entryOfRow } from '../../../src/sync/procConnections.js';
import { ShadowTable } from '../../../src/sync/shadowTable.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { encodeSyncEntry } from '../../../src/wire/syncMessage.js';
import { connection, services, template } from './relaySupport.js';

test('slots are found, added and removed as in a map, whatever the order', () => {
  const step = fc.record({ add: fc.boolean(), key: fc.integer({ min: 0, max: 40 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const slots = new EntrySlots(36);
      const model = new Map<number, number>();
      for (const { add, key } of steps) {
        const bytes = encodeSyncEntry(connection(key));
        // Few hashes, so that they collide.
        const hash = keyHashAt(bytes, 0, 1) & 7;
        const slot = slots.find(bytes, 0, hash);
        assert.equal(slot, model.get(key) ?? -1);
        if (add && slot < 0) {
          const added = slots.add(hash, 5);
          slots.bytesOf(added).set(bytes, slots.offsetOf(added));
          model.set(key, added);
        } else if (!add && slot >= 0) {
          slots.remove(slot);
          model.delete(key);
        }
        assert.equal(slots.count, model.size);
      }
    }),
  );
});

for (const family of [4, 6] as const) {
  test(`an entry of IPv${family} costs at most 100 bytes`, () => {
    const table = new ShadowTable(1_000_000, 7);
    for (let index = 0; index < 100_000; index += 1) {
      const entry = connection(
        index,
        family === 4
          ? {}
          : {
              family,
              clientAddress: ipAddress(`2001:db8::${(index >> 16) + 1}`),
              virtualAddress: ipAddress('2001:db8::10'),
              serverAddress: ipAddress('2001:db8::12'),
            },
      );
      const bytes = encodeSyncEntry(entry);
      table.put(bytes, 0, bytes.length, { source: 'stream', stampDs: 1 });
    }
    assert.equal(table.count, 100_000);
    assert.ok(table.memoryBytes / table.count <= 100, `${table.memoryBytes / table.count}`);
  });
}

test('what the stream told is not replaced by the older table of the kernel', () => {
  const table = new ShadowTable(10, 7);
  const put = (source: 'stream' | 'seed', timeoutSeconds: number): string => {
    const bytes = encodeSyncEntry(connection(1, { timeoutSeconds }));
    return table.put(bytes, 0, bytes.length, { source, stampDs: 10 }).outcome;
  };
  assert.equal(put('stream', 900), 'added');
  assert.equal(put('seed', 5), 'known-better');
  assert.equal(table.remainingDs(0, 10), 9_000);
});

test('rows of the kernel become entries, with mark and flags found by the services', () => {
  const known = services.map(({ identity, servers }) => ({
    identity,
    servers: servers.map((server) => ({ ...server, forwarding: 'nat' as const })),
  }));
  const row = (text: string) => entryOfRow(text, known);
  assert.deepEqual(
    row('TCP 0A090064 0001 0A01000A 0050 0A02000C 1F90 ESTABLISHED     900'),
    connection(1),
  );
  assert.deepEqual(
    row('TCP 0A090064 0000 0A01000A 0050 0A02000C 1F90 ASSURED         360'),
    template,
  );
  const marked = row(
    'IP  2001:0db8:0001:0000:0000:0000:0000:0064 0000 0000:0009:0000:0000:0000:0000:0000:0000 ' +
      '0000 2001:0db8:0000:0000:0000:0000:0000:0012 0000 NONE 195',
  );
  assert.deepEqual([marked?.protocol, marked?.firewallMark, marked?.flags], [0, 9, 0x1100]);
  for (const other of [
    'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData',
    'TCP 0A010064 0000 0A01000B FFFF 0A02000B FFFF ASSURED 91',
    'TCP 0A010064 0000 0A01000B 0050 0A02000B 0050 ERR! 91',
    '',
  ]) {
    assert.equal(row(other), undefined);
  }
});
