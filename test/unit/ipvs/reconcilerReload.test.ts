import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverId } from '../../../src/ipvs/desired.js';
import { Reconciler } from '../../../src/ipvs/reconciler.js';
import type { ReconcileRun } from '../../../src/ipvs/reconcilerModel.js';
import { formatServiceIdentity } from '../../../src/wire/ipvsText.js';
import { serverConfig, serviceConfig, web, webTls } from './configs.js';
import { ModelTable } from './modelTable.js';

function setUp() {
  const table = new ModelTable();
  const runs: ReconcileRun[] = [];
  const reconciler = new Reconciler({
    table,
    // No audit comes by itself.
    clock: { nowUnixMs: () => 1_000, schedule: () => () => {} },
    auditIntervalMs: 30_000,
    onRun: (run) => runs.push(run),
  });
  return { table, reconciler, runs };
}

test('what a reload changes reaches the kernel before the rest is listed', async () => {
  const { table, reconciler, runs } = setUp();
  const before = serviceConfig();
  const other = serviceConfig({ name: 'other', listeners: [webTls] });
  await reconciler.configure([other, before]);
  table.asked.length = 0;
  const batches = table.batches.length;
  const after = serviceConfig({ servers: [{ ...serverConfig(2), weight: 7 }, serverConfig(3)] });
  await reconciler.configure([other, after]);
  assert.equal(table.weight(web, serverConfig(2)), 7);
  assert.equal(table.batches.length, batches + 1);
  assert.deepEqual(
    runs.at(-1)?.operations.map(({ kind }) => kind),
    ['edit-server'],
  );
  // After the change, and then both services once.
  const [webKey, otherKey] = [formatServiceIdentity(web), formatServiceIdentity(webTls)];
  assert.deepEqual(table.asked.slice(0, 1), [webKey]);
  assert.deepEqual(table.asked.slice(1).toSorted(), [otherKey, webKey].toSorted());
});

test('what a reload changes and the kernel refuses is told once', async () => {
  const { table, reconciler, runs } = setUp();
  await reconciler.configure([serviceConfig()]);
  // The model has no such scheduler, as a kernel without its module.
  const settings = { scheduler: 'nq', onePacket: false, schedulerFlags: 0 };
  const servers = [{ ...serverConfig(2), weight: 7 }, serverConfig(3)];
  await reconciler.configure([serviceConfig({ settings, servers })]);
  assert.equal(table.weight(web, serverConfig(2)), 7);
  assert.equal(runs.at(-1)?.errors.length, 1);
});

test('an operator has only the services listed whose servers get another weight', async () => {
  const { table, reconciler, runs } = setUp();
  const other = serviceConfig({ name: 'other', listeners: [webTls] });
  await reconciler.configure([serviceConfig(), other]);
  const override = {
    kind: 'drain' as const,
    weight: 0,
    user: 'root',
    reason: '',
    node: 'lb1',
    sinceUnixMs: 1,
  };
  const overrides = new Map([[serverId('web', serverConfig(2)), override]]);
  table.asked.length = 0;
  await reconciler.setOverrides(overrides);
  assert.equal(table.weight(web, serverConfig(2)), 0);
  assert.deepEqual([...new Set(table.asked)], [formatServiceIdentity(web)]);
  const runsBefore = runs.length;
  await reconciler.setOverrides(new Map(overrides));
  assert.equal(runs.length, runsBefore);
});
