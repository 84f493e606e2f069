import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { missingSettings, SettingsKeeper } from '../../src/host/settings.js';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.js';
import { rootTest } from './support/rootTest.js';

const forwarding = { setting: 'net.ipv4.ip_forward', accepted: ['1'], wanted: '1' };
const filter = { setting: 'net.ipv4.conf.all.rp_filter', accepted: ['0', '2'], wanted: '2' };

rootTest('settings are set, kept over a death of the agent, and put back', (context) => {
  inNamespace(context, (path) => {
    writeSysctl(forwarding.setting, 0);
    writeSysctl(filter.setting, 1);
    assert.deepEqual(
      missingSettings([forwarding, filter]).map(({ found }) => found),
      ['0', '1'],
    );
    assert.deepEqual(new SettingsKeeper(path).apply([forwarding, filter]), {
      complaints: [],
      set: [forwarding.setting, filter.setting],
    });
    assert.equal(readSysctl(forwarding.setting), '1');
    assert.equal(readSysctl(filter.setting), '2');
    assert.ok(existsSync(path));

    // A later agent knows from the file alone what was before.
    const later = new SettingsKeeper(path);
    assert.deepEqual(later.apply([forwarding, filter]), { complaints: [], set: [] });
    assert.deepEqual(later.restore(), [forwarding.setting, filter.setting]);
    assert.equal(readSysctl(forwarding.setting), '0');
    assert.equal(readSysctl(filter.setting), '1');
    assert.ok(!existsSync(path));
  });
});

rootTest(
  'a setting that is asked for no more is put back, and what others set stays',
  (context) => {
    inNamespace(context, (path) => {
      writeSysctl(forwarding.setting, 0);
      writeSysctl(filter.setting, 1);
      const keeper = new SettingsKeeper(path);
      keeper.apply([forwarding, filter]);
      keeper.apply([filter]);
      assert.equal(readSysctl(forwarding.setting), '0');
      writeSysctl(filter.setting, 0);
      assert.deepEqual(keeper.restore(), []);
      assert.equal(readSysctl(filter.setting), '0');
    });
  },
);

rootTest('a setting that the kernel does not have is told, not set', (context) => {
  inNamespace(context, (path) => {
    const missing = { setting: 'net.ipv4.no_such_thing', accepted: ['1'], wanted: '1' };
    const { complaints } = new SettingsKeeper(path).apply([missing]);
    assert.deepEqual(complaints, [{ change: missing }]);
    assert.ok(!existsSync(path));
  });
});

function inNamespace(context: TestContext, body: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-settings-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const namespace = createNetworkNamespace(`tandem-settings-${process.pid}`);
  try {
    namespace.run(() => body(join(folder, 'settings.json')));
  } finally {
    namespace.remove();
  }
}
