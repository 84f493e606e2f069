import assert from 'node:assert/strict';
import { offeredRows, type SyncPart, syncFaults } from '../bench/syncModel.js';
import { runSync } from '../bench/syncRun.js';
import { ipvsTest } from './ipvsSupport.js';

/** The short form of `npm run bench -- sync`: every part once. */
ipvsTest('what is offered to the relay arrives, and a joiner gets the whole table', async () => {
  const parts: SyncPart[] = [];
  const rates = [{ perSecond: 250, connections: 500 }];
  await runSync({ rates, bulks: [1_000], readsProc: true }, (part) => parts.push(part));
  assert.deepEqual(syncFaults(parts), []);
  const [kernel, relay, bulk] = parts;
  assert.ok(kernel?.part === 'offered' && relay?.part === 'offered' && bulk?.part === 'bulk');
  assert.deepEqual([kernel.way, relay.way], ['kernel', 'relay']);
  assert.equal(relay.arrived, 500);
  assert.equal(bulk.arrived, 1_000);
  assert.ok(bulk.tableBytesPerEntry <= 100, `${bulk.tableBytesPerEntry} bytes an entry`);
  assert.equal(offeredRows([kernel, relay]).length, 3);
});
