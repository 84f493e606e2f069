import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConnectionSyncConfig } from '../../../src/config/model.js';
import { TandemError } from '../../../src/errors.js';
import { type DaemonAction, decideDaemons } from '../../../src/sync/daemonDecision.js';
import { KernelSync, type SyncDaemonTable } from '../../../src/sync/kernelSync.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import type { SyncDaemon, SyncDaemonRole } from '../../../src/wire/ipvsModel.js';

type KernelConfig = Extract<ConnectionSyncConfig, { readonly mode: 'kernel' }>;

const config: KernelConfig = { mode: 'kernel', interface: 'eth0', syncId: 5 };
const off: ConnectionSyncConfig = { mode: 'off' };

/** The daemon as a kernel reports it, with its defaults. */
function running(role: SyncDaemonRole, change: Partial<SyncDaemon> = {}): SyncDaemon {
  return {
    role,
    interface: 'eth0',
    syncId: 5,
    group: ipAddress('224.0.0.81'),
    port: 8848,
    ttl: 1,
    maxLengthBytes: 1472,
    ...change,
  };
}

/** At most one daemon of each role, as the kernel has it. */
class ModelDaemons implements SyncDaemonTable {
  running: SyncDaemon[] = [];
  failure: TandemError | undefined;

  async daemons(): Promise<readonly SyncDaemon[]> {
    return [...this.running];
  }

  async startDaemon(daemon: SyncDaemon): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    assert.ok(!this.running.some(({ role }) => role === daemon.role), 'EEXIST');
    this.running.push(running(daemon.role, daemon));
  }

  async stopDaemon(role: SyncDaemonRole): Promise<void> {
    this.running = this.running.filter((daemon) => daemon.role !== role);
  }
}

function setUp(initial: readonly SyncDaemon[] = []): {
  readonly table: ModelDaemons;
  readonly sync: KernelSync;
  readonly actions: DaemonAction[];
  readonly errors: TandemError[];
} {
  const table = new ModelDaemons();
  table.running = [...initial];
  const actions: DaemonAction[] = [];
  const errors: TandemError[] = [];
  const sync = new KernelSync({
    table,
    config,
    onAction: (action) => actions.push(action),
    onError: (error) => errors.push(error),
  });
  return { table, sync, actions, errors };
}

describe('which daemons must be started and stopped', () => {
  const start = (role: SyncDaemonRole): DaemonAction => ({
    kind: 'start',
    daemon: { role, interface: 'eth0', syncId: 5 },
  });
  const stop = (role: SyncDaemonRole): DaemonAction => ({ kind: 'stop', role });
  const cases: readonly (readonly [
    string,
    'active' | 'backup',
    readonly SyncDaemon[],
    readonly DaemonAction[],
  ])[] = [
    ['an Active without daemons starts the master', 'active', [], [start('master')]],
    ['a Backup without daemons starts the backup', 'backup', [], [start('backup')]],
    ['an Active with its master does nothing', 'active', [running('master')], []],
    ['a Backup with its backup does nothing', 'backup', [running('backup')], []],
    [
      'a Backup that becomes Active stops the backup, then starts the master',
      'active',
      [running('backup')],
      [stop('backup'), start('master')],
    ],
    [
      'an Active that becomes Backup stops the master, then starts the backup',
      'backup',
      [running('master')],
      [stop('master'), start('backup')],
    ],
    [
      'an Active with both stops the backup alone',
      'active',
      [running('master'), running('backup')],
      [stop('backup')],
    ],
    [
      'a daemon on another interface is started anew',
      'active',
      [running('master', { interface: 'eth1' })],
      [stop('master'), start('master')],
    ],
    [
      'a daemon with another id is started anew',
      'active',
      [running('master', { syncId: 6 })],
      [stop('master'), start('master')],
    ],
    [
      'a daemon with another group than the default is started anew',
      'active',
      [running('master', { group: ipAddress('224.0.0.82') })],
      [stop('master'), start('master')],
    ],
  ];
  for (const [name, role, daemons, actions] of cases) {
    test(name, () => {
      assert.deepEqual(decideDaemons({ config, role, running: daemons }), actions);
    });
  }

  test('every configured setting is compared, and lengths as the kernel clamps them', () => {
    const full: KernelConfig = {
      ...config,
      group: ipAddress('ff02::81'),
      port: 9_000,
      ttl: 3,
      maxLengthBytes: 500,
    };
    const { mode: _mode, ...settings } = full;
    // A backup daemon's buffer is never smaller than 1024 bytes, whatever it was started with.
    const backup = running('backup', { ...settings, maxLengthBytes: 1024 });
    assert.deepEqual(decideDaemons({ config: full, role: 'backup', running: [backup] }), []);
    const master = running('master', settings);
    assert.deepEqual(decideDaemons({ config: full, role: 'active', running: [master] }), []);
    for (const wrong of [{ port: 1 }, { ttl: 1 }, { maxLengthBytes: 1 }]) {
      const daemons = [running('master', { ...settings, ...wrong })];
      const actions = decideDaemons({ config: full, role: 'active', running: daemons });
      assert.deepEqual(
        actions.map(({ kind }) => kind),
        ['stop', 'start'],
      );
    }
  });

  test('with mode off the daemons of others are left alone', () => {
    const daemons = [running('master'), running('backup')];
    assert.deepEqual(decideDaemons({ config: off, role: 'active', running: daemons }), []);
  });
});

test('the daemons follow the election there and back', async () => {
  const { table, sync } = setUp();
  for (const [role, daemon] of [
    ['backup', 'backup'],
    ['active', 'master'],
    ['backup', 'backup'],
  ] as const) {
    await sync.setRole(role);
    assert.deepEqual(
      table.running.map((each) => each.role),
      [daemon],
    );
    assert.deepEqual(sync.status().daemons, table.running);
  }
});

test('telling the same role again changes nothing', async () => {
  const { sync, actions } = setUp();
  await sync.setRole('active');
  await sync.setRole('active');
  await sync.audit();
  assert.equal(actions.length, 1);
});

test('roles that change faster than the kernel end with the last one', async () => {
  const { table, sync } = setUp();
  void sync.setRole('active');
  void sync.setRole('backup');
  void sync.setRole('active');
  await sync.setRole('backup');
  assert.deepEqual(
    table.running.map((each) => each.role),
    ['backup'],
  );
});

test('an audit starts a daemon again that another program stopped', async () => {
  const { table, sync } = setUp();
  await sync.setRole('active');
  table.running = [];
  await sync.audit();
  assert.equal(table.running.length, 1);
});

test('what fails is visible in the status and mended by the next audit', async () => {
  const { table, sync, errors } = setUp();
  table.failure = new TandemError('IPVS_REFUSED', 'there is no interface eth0');
  await sync.setRole('active');
  assert.equal(sync.status().lastError, 'there is no interface eth0');
  assert.equal(errors.length, 1);
  table.failure = undefined;
  await sync.audit();
  assert.equal(sync.status().lastError, null);
  assert.equal(table.running.length, 1);
});

test('a stop of the agent stops its daemon', async () => {
  const { table, sync } = setUp();
  await sync.setRole('active');
  await sync.stop();
  assert.deepEqual(table.running, []);
  // And nothing starts it again.
  await sync.audit();
  assert.deepEqual(table.running, []);
});

test('a restarted agent takes its daemon over, and stops it in the end', async () => {
  const { table, sync, actions } = setUp([running('master')]);
  await sync.setRole('active');
  assert.deepEqual(actions, []);
  await sync.stop();
  assert.deepEqual(table.running, []);
});

test('a stop before any role was told leaves the daemons of others alone', async () => {
  const { table, sync } = setUp([running('master')]);
  await sync.stop();
  assert.equal(table.running.length, 1);
});

test('a reload that turns synchronisation off stops the daemon of the agent', async () => {
  const { table, sync } = setUp();
  await sync.setRole('active');
  await sync.configure(off);
  assert.deepEqual(table.running, []);
  assert.equal(sync.status().mode, 'off');
  await sync.configure(config);
  assert.equal(table.running.length, 1);
});

test('a reload with other settings starts the daemon anew', async () => {
  const { table, sync } = setUp();
  await sync.setRole('backup');
  await sync.configure({ ...config, syncId: 7 });
  assert.deepEqual(
    table.running.map((each) => [each.role, each.syncId]),
    [['backup', 7]],
  );
});
