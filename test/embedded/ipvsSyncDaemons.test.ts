import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { ConnectionSyncConfig } from '../../src/config/model.js';
import { TandemError } from '../../src/errors.js';
import type { IpvsTable } from '../../src/kernel/ipvsTable.js';
import { KernelSync } from '../../src/sync/kernelSync.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import type { SyncDaemon } from '../../src/wire/ipvsModel.js';
import { eventually, ipvsadm, ipvsTest } from './ipvsSupport.js';

const master: SyncDaemon = { role: 'master', interface: 'lo', syncId: 5 };
const backup: SyncDaemon = {
  role: 'backup',
  interface: 'lo',
  syncId: 6,
  group: ipAddress('224.0.0.82'),
  port: 9_000,
  ttl: 2,
  maxLengthBytes: 2_000,
};
const config: ConnectionSyncConfig = { mode: 'kernel', interface: 'lo', syncId: 5 };

ipvsTest('daemons of both roles are started, listed and stopped', async (table) => {
  assert.deepEqual(await table.daemons(), []);
  await table.startDaemon(master);
  await table.startDaemon(backup);
  assert.deepEqual(await table.daemons(), [
    {
      ...master,
      group: ipAddress('224.0.0.81'),
      port: 8848,
      ttl: 1,
      maxLengthBytes: 1472,
    },
    backup,
  ]);
  assert.equal(
    await ipvsadm('-L', '--daemon'),
    'master sync daemon (mcast=lo, syncid=5, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n' +
      'backup sync daemon (mcast=lo, syncid=6, maxlen=2000, group=224.0.0.82, port=9000, ttl=2)\n',
  );
  await stopBoth(table);
});

ipvsTest(
  'a daemon that is stopped at once is stopped, though the kernel never says so',
  async (table) => {
    // Both requests are in the kernel before the daemon's thread has run for the first time.
    await Promise.all([table.startDaemon(master), table.stopDaemon('master')]);
    assert.deepEqual(await table.daemons(), []);
  },
);

ipvsTest('stopping a daemon that does not run is done already', async (table) => {
  await table.stopDaemon('backup');
});

ipvsTest('each refusal of a daemon is a clear error', async (table) => {
  const refused = async (daemon: SyncDaemon, errnoName: string, words: RegExp): Promise<void> => {
    await assert.rejects(
      table.startDaemon(daemon),
      (error) =>
        error instanceof TandemError &&
        error.code === 'IPVS_REFUSED' &&
        error.errnoName === errnoName &&
        words.test(error.message),
    );
  };
  await refused({ ...master, interface: 'nosuch0' }, 'ENODEV', /no interface nosuch0/);
  await refused(
    { ...master, group: ipAddress('10.0.0.1') },
    'EINVAL',
    /10\.0\.0\.1 is no multicast address/,
  );
  await table.startDaemon(master);
  await refused(master, 'EEXIST', /master sync daemon runs already/);
  await assert.rejects(table.startDaemon({ ...backup, port: 70_000 }), /port: 70000 does not fit/);
  await stopBoth(table);
});

ipvsTest('the daemons of the kernel follow the election', async (table, context) => {
  const errors: TandemError[] = [];
  const sync = new KernelSync({ table, config, onError: (error) => errors.push(error) });
  context.after(() => sync.stop());
  for (const [role, expected] of [
    ['backup', 'backup'],
    ['active', 'master'],
    ['active', 'master'],
    ['backup', 'backup'],
  ] as const) {
    await sync.setRole(role);
    assert.deepEqual(await roles(table), [expected]);
    assert.deepEqual(
      sync.status().daemons.map((daemon) => daemon.role),
      [expected],
    );
  }
  assert.equal(sync.status().lastError, null);
  assert.deepEqual(errors, []);
  await sync.stop();
  assert.deepEqual(await roles(table), []);
});

ipvsTest(
  'settings that the kernel clamps do not make the daemon start anew',
  async (table, context) => {
    const small: ConnectionSyncConfig = { ...config, maxLengthBytes: 100 };
    let actions = 0;
    const sync = new KernelSync({
      table,
      config: small,
      onAction: () => {
        actions += 1;
      },
    });
    context.after(() => sync.stop());
    await sync.setRole('backup');
    await sync.audit();
    assert.equal(actions, 1);
    assert.equal((await table.daemons())[0]?.maxLengthBytes, 1024);
    await sync.setRole('active');
    await sync.audit();
    assert.equal(actions, 3);
    assert.equal((await table.daemons())[0]?.maxLengthBytes, 100);
  },
);

ipvsTest(
  'a daemon that ipvsadm stopped or changed is put right by the audit',
  async (table, context) => {
    const sync = new KernelSync({ table, config });
    context.after(() => sync.stop());
    await sync.setRole('active');
    await eventually(async () => (await masterThreads()).length > 0, 'the master thread runs');
    await ipvsadm('--stop-daemon', 'master');
    await sync.audit();
    assert.deepEqual(await roles(table), ['master']);
    await eventually(async () => (await masterThreads()).length > 0, 'the master thread runs');
    await ipvsadm('--stop-daemon', 'master');
    await ipvsadm('--start-daemon', 'master', '--mcast-interface', 'lo', '--syncid', '9');
    await sync.audit();
    assert.equal((await table.daemons())[0]?.syncId, 5);
  },
);

ipvsTest('a missing interface is in the status until it is mended', async (table, context) => {
  const errors: TandemError[] = [];
  const sync = new KernelSync({
    table,
    config: { ...config, interface: 'nosuch0' },
    onError: (error) => errors.push(error),
  });
  context.after(() => sync.stop());
  await sync.setRole('active');
  assert.match(sync.status().lastError ?? '', /no interface nosuch0/);
  assert.equal(errors.length, 1);
  await sync.configure(config);
  assert.equal(sync.status().lastError, null);
  assert.deepEqual(await roles(table), ['master']);
});

async function roles(table: IpvsTable): Promise<readonly string[]> {
  return (await table.daemons()).map((daemon) => daemon.role);
}

async function stopBoth(table: IpvsTable): Promise<void> {
  await table.stopDaemon('master');
  await table.stopDaemon('backup');
  assert.deepEqual(await table.daemons(), []);
}

/**
 * The kernel's master threads (`ipvs-m:0:0`). A stop by ipvsadm before the thread has run would
 * never be acknowledged, and ipvsadm waits for ever.
 */
async function masterThreads(): Promise<readonly string[]> {
  const names = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/comm`, 'utf8').trim();
      } catch {
        return '';
      }
    });
  return names.filter((name) => name.startsWith('ipvs-m:'));
}
