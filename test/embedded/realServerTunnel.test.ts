import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyRealServer, realServerGaps, revertRealServer } from '../../src/host/realServer.js';
import { joinedPlan, realServerPlan } from '../../src/host/realServerPlan.js';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { openRouteNetlink } from '../../src/kernel/routeNetlink.js';
import { readSysctl } from '../../src/kernel/sysctl.js';
import { ipAddress } from '../../src/wire/ipAddress.js';

test('a server for tunnels gets devices and addresses, and gives them back', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-tunnel-server-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const namespace = createNetworkNamespace(`tandem-tun-${process.pid}`);
  context.after(() => namespace.remove());
  const statePath = join(folder, 'state.json');
  const server = ipAddress('2001:db8:1::10');
  const plan = joinedPlan([
    realServerPlan('tunnel', [ipAddress('192.0.2.1')]),
    realServerPlan('tunnel', [ipAddress('2001:db8::1')], { server }),
  ]);
  namespace.run(() => {
    const netlink = openRouteNetlink();
    try {
      const isUp = (name: string): boolean => netlink.link(name)?.up === true;
      const kinds = realServerGaps(plan).map(({ kind }) => kind);
      assert.deepEqual([...new Set(kinds)].sort(), ['address', 'setting', 'tunnel']);
      assert.deepEqual(applyRealServer(plan, statePath), []);
      assert.deepEqual([isUp('tunl0'), isUp('tandem-ip6tnl')], [true, true]);
      const interfaceIndex = netlink.link('tunl0')?.index ?? 0;
      const own = netlink.addresses({ interfaceIndex, family: 4 });
      assert.deepEqual(
        own.map(({ prefix }) => prefix),
        [{ address: '192.0.2.1', length: 32 }],
      );
      assert.equal(readSysctl('net.ipv4.conf.tunl0.rp_filter'), '2');
      const undone = revertRealServer(statePath);
      assert.ok(undone.includes('tunl0 down'), undone.join());
      assert.ok(undone.includes('tandem-ip6tnl removed'), undone.join());
      assert.deepEqual([isUp('tunl0'), netlink.link('tandem-ip6tnl')], [false, undefined]);
      assert.deepEqual(netlink.addresses({ interfaceIndex, family: 4 }), []);
    } finally {
      netlink.close();
    }
  });
});
