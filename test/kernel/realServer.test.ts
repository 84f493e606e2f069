import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  applyRealServer,
  realServerGaps,
  removePersistentFiles,
  revertRealServer,
  writePersistentFiles,
} from '../../src/host/realServer.js';
import { realServerPlan } from '../../src/host/realServerPlan.js';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { readSysctl } from '../../src/kernel/sysctl.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { rootTest } from './support/rootTest.js';

rootTest(
  'a server for direct routing is prepared, checked, and left without a trace',
  (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-realserver-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const namespace = createNetworkNamespace(`tandem-rs-${process.pid}`);
    context.after(() => namespace.remove());
    const plan = realServerPlan('dr', [ipAddress('192.0.2.1'), ipAddress('2001:db8::1')]);
    const statePath = join(folder, 'state.json');
    const announce = 'net.ipv4.conf.all.arp_announce';
    namespace.run(() => {
      const before = readSysctl(announce);
      assert.deepEqual(
        realServerGaps(plan).filter(({ kind }) => kind === 'address').length,
        2,
        'both addresses are missing at first',
      );
      assert.deepEqual(applyRealServer(plan, statePath), []);
      assert.deepEqual(realServerGaps(plan), []);
      assert.equal(readSysctl(announce), '2');
      assert.deepEqual(applyRealServer(plan, statePath), [], 'a second time does nothing');
      assert.ok(revertRealServer(statePath).includes('address 192.0.2.1/32 off lo'));
      assert.equal(readSysctl(announce), before);
      assert.equal(realServerGaps(plan).filter(({ kind }) => kind === 'address').length, 2);
      assert.ok(!existsSync(statePath));
      assert.deepEqual(revertRealServer(statePath), []);
    });
    const [sysctl, network] = writePersistentFiles(plan, folder);
    assert.match(readFileSync(sysctl ?? '', 'utf8'), /^net\.ipv4\.conf\.all\.arp_ignore = 1$/m);
    assert.match(readFileSync(network ?? '', 'utf8'), /^\[Address\]\nAddress=2001:db8::1\/128$/m);
    assert.equal(removePersistentFiles(folder).length, 2);
    assert.deepEqual(removePersistentFiles(folder), []);
  },
);

rootTest('the end of a tunnel has the virtual address, or its packets were dropped', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-realserver-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const virtual = [ipAddress('192.0.2.1'), ipAddress('2001:db8::1')];
  const plan = realServerPlan('tunnel', virtual, { server: ipAddress('192.0.2.10') });
  assert.deepEqual(
    plan.addresses.map(({ device, prefix }) => [device, prefix.address]),
    [
      ['tunl0', '192.0.2.1'],
      ['lo', '2001:db8::1'],
    ],
  );
  const paths = writePersistentFiles(plan, folder);
  const files = new Map(
    paths.map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]),
  );
  const textOf = (device: string): string =>
    files.get(`/etc/systemd/network/50-tandem-${device}.network`) ?? '';
  assert.match(textOf('tunl0'), /^Address=192\.0\.2\.1\/32$/m);
  assert.match(textOf('lo'), /^Address=2001:db8::1\/128$/m);
  assert.ok(!textOf('lo').includes('192.0.2.1'));
});
