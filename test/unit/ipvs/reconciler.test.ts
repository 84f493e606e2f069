import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TandemError } from '../../../src/errors.js';
import { Reconciler } from '../../../src/ipvs/reconciler.js';
import type { ReconcileRun, ReconcilerClock } from '../../../src/ipvs/reconcilerModel.js';
import type { TableService } from '../../../src/ipvs/table.js';
import { formatServiceIdentity } from '../../../src/wire/ipvsText.js';
import { mark, report, serverConfig, serviceConfig, web, webTls } from './configs.js';
import { ModelTable } from './modelTable.js';

/** Time that passes only when a test says so. */
class ManualClock implements ReconcilerClock {
  now = 1_000_000;
  #timers: { readonly dueAt: number; readonly callback: () => void }[] = [];

  nowUnixMs(): number {
    return this.now;
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const timer = { dueAt: this.now + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  get waiting(): number {
    return this.#timers.length;
  }

  pass(durationMs: number): void {
    this.now += durationMs;
    const due = this.#timers.filter((timer) => timer.dueAt <= this.now);
    this.#timers = this.#timers.filter((timer) => timer.dueAt > this.now);
    for (const timer of due) timer.callback();
  }
}

interface Setup {
  readonly table: ModelTable;
  readonly clock: ManualClock;
  readonly reconciler: Reconciler;
  readonly runs: ReconcileRun[];
}

function setUp(initial: readonly TableService[] = []): Setup {
  const table = new ModelTable(initial);
  const clock = new ManualClock();
  const runs: ReconcileRun[] = [];
  const reconciler = new Reconciler({
    table,
    clock,
    auditIntervalMs: 30_000,
    onRun: (run) => runs.push(run),
  });
  return { table, clock, reconciler, runs };
}

function listed(weights: Readonly<Record<number, number>>, scheduler = 'wrr'): TableService {
  return {
    service: { identity: web, scheduler, onePacket: false, schedulerFlags: 0 },
    servers: Object.entries(weights).map(([number, weight]) => ({
      ...serverConfig(Number(number)),
      weight,
    })),
  };
}

const foreign: TableService = {
  service: { identity: mark, scheduler: 'rr', onePacket: false, schedulerFlags: 0 },
  servers: [serverConfig(9)],
};

test('a start on an empty kernel programs every service', async () => {
  const { table, reconciler, runs } = setUp();
  await reconciler.configure([serviceConfig({ listeners: [web, webTls] })]);
  assert.equal(table.weight(web, serverConfig(2)), 2);
  assert.equal(table.weight(webTls, serverConfig(3)), 3);
  assert.deepEqual(
    runs.map(({ trigger, errors }) => [trigger, errors.length]),
    [['start', 0]],
  );
  const status = reconciler.status();
  assert.equal(status.available, true);
  assert.equal(status.lastOperations, 6);
  assert.equal(status.lastError, null);
});

test('a start on a kernel that is right already sends nothing', async () => {
  const { table, reconciler } = setUp([listed({ 2: 2, 3: 3 })]);
  await reconciler.configure([serviceConfig()]);
  assert.deepEqual(table.batches, []);
  assert.equal(reconciler.status().lastOperations, 0);
});

test('a start keeps the weights that it finds until the checks have a verdict', async () => {
  const { table, reconciler } = setUp([listed({ 2: 0, 3: 3 })]);
  await reconciler.configure([serviceConfig()]);
  assert.equal(table.weight(web, serverConfig(2)), 0);
  assert.equal(reconciler.serviceStatuses()[0]?.servers[0]?.weight.reason, 'adopted');
  reconciler.update([report(2, 'up'), report(3, 'down')]);
  await reconciler.settled();
  assert.equal(table.weight(web, serverConfig(2)), 2);
  assert.equal(table.weight(web, serverConfig(3)), 0);
});

test('a service that a reload adds keeps the weights that it finds in the kernel', async () => {
  const { table, reconciler } = setUp([listed({ 2: 7, 3: 3 })]);
  await reconciler.configure([]);
  assert.equal(reconciler.status().foreignServices, 1);
  await reconciler.configure([serviceConfig()]);
  assert.equal(table.weight(web, serverConfig(2)), 7);
  assert.equal(reconciler.status().foreignServices, 0);
});

test('services of others are left alone and counted', async () => {
  const { table, reconciler } = setUp([foreign]);
  await reconciler.configure([serviceConfig()]);
  await reconciler.audit();
  assert.equal(table.weight(mark, serverConfig(9)), 9);
  assert.equal(reconciler.status().foreignServices, 1);
});

test('a verdict sends one change, and reports without a change of state send none', async () => {
  const { table, reconciler, runs } = setUp();
  await reconciler.configure([serviceConfig()], [report(2, 'up'), report(3, 'up')]);
  reconciler.update([report(2, 'down'), report(3, 'up')]);
  await reconciler.settled();
  assert.deepEqual(
    table.batches.at(-1)?.map((operation) => operation.kind),
    ['edit-server'],
  );
  assert.equal(table.weight(web, serverConfig(2)), 0);
  const runsBefore = runs.length;
  reconciler.update([report(2, 'down', 5), report(3, 'up', 6)]);
  await reconciler.settled();
  assert.equal(runs.length, runsBefore);
});

test('a verdict has only the services listed that it changes', async () => {
  const { table, reconciler } = setUp();
  const other = serviceConfig({ name: 'other', listeners: [webTls] });
  await reconciler.configure([serviceConfig(), other], [report(2, 'up'), report(3, 'up')]);
  table.asked.length = 0;
  reconciler.update([report(2, 'down'), report(3, 'up')]);
  await reconciler.settled();
  assert.equal(table.weight(web, serverConfig(2)), 0);
  assert.deepEqual([...new Set(table.asked)], [formatServiceIdentity(web)]);
  reconciler.update([report(2, 'up'), report(3, 'up')]);
  await reconciler.settled();
  assert.equal(table.weight(web, serverConfig(2)), 2);
});

test('a verdict reaches the kernel before its service is listed', async () => {
  const { table, reconciler } = setUp();
  await reconciler.configure([serviceConfig()], [report(2, 'up'), report(3, 'up')]);
  table.asked.length = 0;
  const askedBefore = new Promise<number>((resolve) => {
    table.intruder = () => resolve(table.asked.length);
  });
  reconciler.update([report(2, 'down'), report(3, 'up')]);
  assert.equal(await askedBefore, 0);
  await reconciler.settled();
  assert.deepEqual(table.asked, [formatServiceIdentity(web)]);
});

test('a verdict on a server that somebody has changed is carried out all the same', async () => {
  const { table, reconciler } = setUp();
  await reconciler.configure([serviceConfig()], [report(2, 'up'), report(3, 'up')]);
  table.change({ kind: 'delete-server', service: web, server: serverConfig(2) });
  const edited = serverConfig(3, { weight: 9 });
  table.change({ kind: 'edit-server', service: web, server: edited });
  reconciler.update([report(2, 'down'), report(3, 'up')]);
  await reconciler.settled();
  assert.equal(table.weight(web, serverConfig(2)), 0);
  assert.equal(table.weight(web, serverConfig(3)), 3);
});

test('a verdict on a service that somebody has deleted has it made again', async () => {
  const { table, reconciler } = setUp();
  await reconciler.configure([serviceConfig()], [report(2, 'up'), report(3, 'up')]);
  table.change({ kind: 'delete-service', service: web });
  reconciler.update([report(2, 'down'), report(3, 'up')]);
  await reconciler.settled();
  assert.equal(table.weight(web, serverConfig(2)), 0);
  assert.equal(table.weight(web, serverConfig(3)), 3);
});

test('changes that come while one is carried out are carried out together after it', async () => {
  const { table, reconciler, runs } = setUp();
  const configured = reconciler.configure([serviceConfig()], [report(2, 'up'), report(3, 'up')]);
  reconciler.update([report(2, 'down'), report(3, 'up')]);
  reconciler.update([report(2, 'down'), report(3, 'down')]);
  reconciler.update([report(2, 'up'), report(3, 'down')]);
  await configured;
  await reconciler.settled();
  assert.ok(runs.length <= 2);
  assert.equal(table.weight(web, serverConfig(2)), 2);
  assert.equal(table.weight(web, serverConfig(3)), 0);
});

test('a reload deletes what it configures no longer, and only that', async () => {
  const { table, reconciler } = setUp([foreign]);
  await reconciler.configure([
    serviceConfig(),
    serviceConfig({ name: 'tls', listeners: [webTls] }),
  ]);
  await reconciler.configure([serviceConfig({ servers: [serverConfig(2)] })]);
  assert.equal(table.weight(webTls, serverConfig(2)), undefined);
  assert.equal(table.weight(web, serverConfig(3)), undefined);
  assert.equal(table.weight(web, serverConfig(2)), 2);
  assert.equal(table.weight(mark, serverConfig(9)), 9);
});

test('a deleted service that another program adds again belongs to that program', async () => {
  const { table, reconciler } = setUp();
  await reconciler.configure([serviceConfig()]);
  await reconciler.configure([]);
  assert.equal(table.change({ kind: 'add-service', service: listed({}).service }), undefined);
  await reconciler.audit();
  assert.equal(table.content().length, 1);
  assert.equal(reconciler.status().foreignServices, 1);
});

test('a service whose deletion failed is deleted at the next audit', async () => {
  const { table, reconciler } = setUp();
  await reconciler.configure([serviceConfig()]);
  table.failure = new TandemError('NETLINK_TIMEOUT', 'no answer');
  await reconciler.configure([]);
  assert.equal(reconciler.status().lastError, 'no answer');
  table.failure = undefined;
  await reconciler.audit();
  assert.deepEqual(table.content(), []);
});

test('the audit comes by itself, repairs what others broke, and comes again', async () => {
  const { table, clock, reconciler, runs } = setUp();
  await reconciler.configure([serviceConfig()]);
  const right = table.content();
  for (let round = 0; round < 3; round += 1) {
    table.change({ kind: 'edit-service', service: { ...listed({}).service, scheduler: 'rr' } });
    table.change({ kind: 'delete-server', service: web, server: serverConfig(2) });
    table.change({ kind: 'add-server', service: web, server: serverConfig(8) });
    table.change({
      kind: 'edit-server',
      service: web,
      server: { ...serverConfig(3), weight: 99, forwarding: 'dr' },
    });
    clock.pass(29_999);
    await reconciler.settled();
    assert.equal(table.weight(web, serverConfig(8)), 8);
    clock.pass(1);
    await reconciler.settled();
    assert.deepEqual(sorted(table.content()), sorted(right));
    assert.equal(runs.at(-1)?.trigger, 'audit');
    assert.equal(runs.at(-1)?.operations.length, 4);
  }
});

test('a change that another program made first is carried out all the same', async () => {
  const { table, reconciler } = setUp();
  await reconciler.configure([serviceConfig()]);
  table.intruder = (): void => {
    table.change({ kind: 'delete-server', service: web, server: serverConfig(2) });
    table.change({ kind: 'add-server', service: web, server: serverConfig(4, { weight: 77 }) });
    table.change({ kind: 'delete-server', service: web, server: serverConfig(3) });
  };
  const servers = [serverConfig(2, { weight: 5 }), serverConfig(4)];
  await reconciler.configure([serviceConfig({ servers })]);
  assert.equal(table.weight(web, serverConfig(2)), 5);
  assert.equal(table.weight(web, serverConfig(4)), 4);
  assert.equal(reconciler.status().errorsTotal, 0);
});

test('a refusal does not stop the rest, and is tried again by the audit', async () => {
  const { table, clock, reconciler, runs } = setUp();
  const bad = { scheduler: 'nosuch', onePacket: false, schedulerFlags: 0 };
  await reconciler.configure([
    serviceConfig({ name: 'bad', listeners: [webTls], settings: bad, servers: [] }),
    serviceConfig({ servers: [serverConfig(2, { lowerThreshold: 9 }), serverConfig(3)] }),
  ]);
  assert.equal(table.weight(web, serverConfig(3)), 3);
  assert.deepEqual(
    runs[0]?.errors.map((error) => error.errnoName),
    ['ENOENT', 'ERANGE'],
  );
  assert.equal(reconciler.status().errorsTotal, 2);
  assert.match(reconciler.status().lastError ?? '', /ERANGE/);
  clock.pass(30_000);
  await reconciler.settled();
  assert.equal(reconciler.status().errorsTotal, 4);
  assert.equal(runs.at(-1)?.operations.length, 2);
});

test('a kernel without IPVS is reported and asked again by the audit', async () => {
  const { table, clock, reconciler } = setUp();
  table.failure = new TandemError('IPVS_UNAVAILABLE', 'the running kernel offers no IPVS');
  await reconciler.configure([serviceConfig()]);
  assert.equal(reconciler.status().available, false);
  assert.match(reconciler.status().lastError ?? '', /no IPVS/);
  table.failure = undefined;
  clock.pass(30_000);
  await reconciler.settled();
  assert.equal(reconciler.status().available, true);
  assert.equal(reconciler.status().lastError, null);
  assert.equal(table.weight(web, serverConfig(2)), 2);
});

test('the status tells of every server what is wanted, what the kernel has, and why', async () => {
  const { table, reconciler, clock } = setUp();
  const checks = [report(2, 'down'), report(3, 'up')];
  await reconciler.configure([serviceConfig({ listeners: [web, webTls] })], checks);
  const [service] = reconciler.serviceStatuses();
  assert.equal(service?.state, 'up');
  assert.deepEqual(service?.listeners, ['tcp://10.0.0.1:80', 'tcp://10.0.0.1:443']);
  assert.deepEqual(service?.servers[0]?.weight, {
    configured: 2,
    desired: 0,
    kernel: 0,
    reason: 'check-failed',
  });
  assert.deepEqual(service?.servers[0]?.check, checks[0]);
  assert.deepEqual(service?.servers[1]?.connections, {
    active: 0,
    inactive: 0,
    persistent: 0,
    total: 0,
  });
  // What another program changes is seen by a refresh, without being repaired yet.
  table.change({ kind: 'delete-server', service: web, server: serverConfig(3) });
  table.change({ kind: 'delete-server', service: webTls, server: serverConfig(3) });
  await reconciler.refresh();
  assert.equal(reconciler.serviceStatuses()[0]?.servers[1]?.weight.kernel, 3);
  clock.pass(1_001);
  await reconciler.refresh();
  assert.equal(reconciler.serviceStatuses()[0]?.servers[1]?.weight.kernel, null);
  assert.equal(reconciler.serviceStatuses()[0]?.servers[1]?.connections, null);
});

test('a service is down when every server is, and unknown while one may be up', async () => {
  const { reconciler } = setUp();
  await reconciler.configure([serviceConfig()], [report(2, 'down')]);
  assert.equal(reconciler.serviceStatuses()[0]?.state, 'unknown');
  reconciler.update([report(2, 'down'), report(3, 'down')]);
  await reconciler.settled();
  assert.equal(reconciler.serviceStatuses()[0]?.state, 'down');
});

test('a stop keeps the table and ends audits; a withdrawal takes our services out', async () => {
  const { table, clock, reconciler } = setUp([foreign]);
  await reconciler.configure([serviceConfig()]);
  await reconciler.withdraw();
  assert.deepEqual(
    table.content().map(({ service }) => service.identity),
    [mark],
  );
  await reconciler.configure([serviceConfig()]);
  await reconciler.stop();
  assert.equal(clock.waiting, 0);
  assert.equal(table.content().length, 2);
  reconciler.update([report(2, 'down')]);
  await reconciler.audit();
  assert.equal(table.weight(web, serverConfig(2)), 2);
});

function sorted(content: ReturnType<ModelTable['content']>): ReturnType<ModelTable['content']> {
  return content.map(({ service, servers }) => ({
    service,
    servers: servers.toSorted((left, right) => (left.address < right.address ? -1 : 1)),
  }));
}
