import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { TandemError } from '../../src/errors.js';
import type { NetworkChange, RouteEntry, RuleEntry } from '../../src/kernel/routeNetlink.js';
import { openRuleMonitor } from '../../src/kernel/ruleMonitor.js';
import { type IpPrefix, ipAddress, parseIpPrefix } from '../../src/wire/ipAddress.js';
import { rootTest } from './support/rootTest.js';
import { indexOf, type VethEnd, vethPair } from './support/vethPair.js';
import { eventually } from './support/vrrpLab.js';

const protocol = 84;

function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new Error(`no prefix: ${text}`);
  return parsed;
}

async function ip(end: VethEnd, ...args: readonly string[]): Promise<string> {
  const child: ChildProcess = end.namespace.spawn('ip', [...args]);
  assert.ok(child.stdout !== null);
  return await text(child.stdout);
}

rootTest(
  'an address is added with label, scope, far end and route metric, and deleted by its far end',
  async (context) => {
    const { left } = vethPair(context);
    const { interfaceIndex, netlink } = left;
    const labelled: NetworkChange = {
      kind: 'address',
      action: 'add',
      interfaceIndex,
      prefix: prefix('198.51.100.7/24'),
      label: 'eth0:vip',
      scope: 'link',
      routeMetric: 32_768,
    };
    const farEnd: NetworkChange = {
      kind: 'address',
      action: 'add',
      interfaceIndex,
      prefix: prefix('203.0.113.1/32'),
      peer: ipAddress('203.0.113.2'),
    };
    const bare: NetworkChange = {
      kind: 'address',
      action: 'add',
      interfaceIndex,
      prefix: prefix('10.9.9.9/24'),
      prefixRoute: false,
    };
    assert.deepEqual(netlink.change([labelled, farEnd, bare, bare]), [
      'done',
      'done',
      'done',
      'already',
    ]);
    const shown = await ip(left, '-4', 'address', 'show', 'dev', 'eth0');
    assert.match(shown, /inet 198\.51\.100\.7\/24 metric 32768 scope link eth0:vip/);
    assert.match(shown, /inet 203\.0\.113\.1 peer 203\.0\.113\.2\/32/);
    const routes = await ip(left, 'route', 'show');
    assert.match(routes, /198\.51\.100\.0\/24 .* metric 32768/);
    assert.doesNotMatch(routes, /10\.9\.9\.0/);
    const found = netlink.addresses({ interfaceIndex, family: 4 });
    assert.equal(found.find(({ peer }) => peer !== undefined)?.peer, '203.0.113.2');
    const { peer: _peer, ...withoutPeer } = farEnd;
    assert.deepEqual(netlink.change([{ ...withoutPeer, action: 'delete' }]), ['already']);
    assert.deepEqual(netlink.change([{ ...farEnd, action: 'delete' }]), ['done']);
  },
);

rootTest('routes of both families go into any table and out again', async (context) => {
  const { left } = vethPair(context);
  const { interfaceIndex, netlink } = left;
  netlink.changeAddresses([
    { action: 'add', interfaceIndex, prefix: prefix('2001:db8::1/64') },
    { action: 'add', interfaceIndex, prefix: prefix('192.0.2.100/24') },
  ]);
  const entries: readonly RouteEntry[] = [
    {
      destination: 'default',
      family: 4,
      gateway: ipAddress('192.0.2.2'),
      source: ipAddress('192.0.2.100'),
      metric: 50,
      table: 254,
      protocol,
    },
    { destination: prefix('10.0.0.0/8'), family: 4, interfaceIndex, table: 1000, protocol },
    {
      destination: prefix('2001:db8:1::/48'),
      family: 6,
      gateway: ipAddress('2001:db8::2'),
      table: 100,
      protocol,
    },
  ];
  const change = (action: 'add' | 'delete') =>
    netlink.change(entries.map((route) => ({ kind: 'route', action, route })));
  assert.deepEqual(change('add'), ['done', 'done', 'done']);
  assert.deepEqual(change('add'), ['already', 'already', 'already']);
  assert.match(
    await ip(left, 'route', 'show'),
    /^default via 192\.0\.2\.2 dev eth0 proto 84 src 192\.0\.2\.100 metric 50/m,
  );
  assert.match(
    await ip(left, 'route', 'show', 'table', '1000'),
    /^10\.0\.0\.0\/8 dev eth0 proto 84 scope link/m,
  );
  assert.match(
    await ip(left, '-6', 'route', 'show', 'table', '100'),
    /2001:db8:1::\/48 via 2001:db8::2 dev eth0 proto 84/,
  );
  assert.deepEqual(change('delete'), ['done', 'done', 'done']);
  assert.deepEqual(change('delete'), ['already', 'already', 'already']);
});

rootTest('a route of another protocol is neither ours to have nor ours to delete', (context) => {
  const { left } = vethPair(context);
  const { netlink } = left;
  const gateway = ipAddress('192.0.2.2');
  netlink.addRoute({ destination: 'default', gateway });
  const route: RouteEntry = { destination: 'default', family: 4, gateway, table: 254, protocol };
  assert.deepEqual(netlink.change([{ kind: 'route', action: 'add', route }]), ['already']);
  assert.deepEqual(netlink.change([{ kind: 'route', action: 'delete', route }]), ['already']);
});

rootTest('rules of both families are added, heard and deleted', async (context) => {
  const { left } = vethPair(context);
  const { namespace, netlink } = left;
  const monitor = namespace.run(openRuleMonitor);
  context.after(() => monitor.close());
  const rules: readonly RuleEntry[] = [
    { family: 4, from: prefix('192.0.2.100/32'), priority: 900, table: 1000, protocol },
    { family: 4, fwmark: { value: 0x40, mask: 0xf0 }, priority: 901, table: 100, protocol },
    { family: 6, to: prefix('2001:db8::/32'), priority: 902, table: 100, protocol },
  ];
  const change = (action: 'add' | 'delete') =>
    netlink.change(rules.map((rule) => ({ kind: 'rule', action, rule })));
  assert.deepEqual(change('add'), ['done', 'done', 'done']);
  assert.deepEqual(change('add'), ['already', 'already', 'already']);
  await eventually('the change is heard', () => monitor.read());
  const shown = await ip(left, 'rule', 'show');
  assert.match(shown, /900:\s+from 192\.0\.2\.100 lookup 1000 proto 84/);
  assert.match(shown, /901:\s+from all fwmark 0x40\/0xf0 lookup 100 proto 84/);
  assert.match(await ip(left, '-6', 'rule', 'show'), /902:\s+from all to 2001:db8::\/32/);
  assert.deepEqual(change('delete'), ['done', 'done', 'done']);
  assert.deepEqual(change('delete'), ['already', 'already', 'already']);
});

rootTest('a refused change leaves the others of its batch alone', (context) => {
  const { left } = vethPair(context);
  const { interfaceIndex, netlink } = left;
  const unreachable = ipAddress('203.0.113.1');
  const outcomes = netlink.change([
    {
      kind: 'route',
      action: 'add',
      route: { destination: 'default', family: 4, gateway: unreachable, table: 254, protocol },
    },
    { kind: 'link', action: 'down', interfaceIndex: 999, name: 'gone' },
    { kind: 'link', action: 'down', interfaceIndex, name: 'eth0' },
  ]);
  const [route, gone, eth0] = outcomes;
  assert.ok(route instanceof TandemError && /default via 203\.0\.113\.1/.test(route.message));
  assert.ok(gone instanceof TandemError && gone.errnoName === 'ENODEV');
  assert.equal(eth0, 'done');
  assert.equal(netlink.link('eth0')?.up, false);
});

rootTest('a macvlan is made on its parent, with mode, MAC address and note', (context) => {
  const { left } = vethPair(context);
  const { interfaceIndex, netlink } = left;
  const macAddress = Uint8Array.of(0, 0, 0x5e, 0, 1, 51);
  const options = {
    name: 'vrrp.51.eth0',
    parentIndex: interfaceIndex,
    mode: 'private',
    macAddress,
    alias: 'made by a test',
  } as const;
  netlink.createMacvlan(options);
  const link = netlink.link('vrrp.51.eth0');
  assert.deepEqual(link, {
    index: indexOf(netlink, 'vrrp.51.eth0'),
    name: 'vrrp.51.eth0',
    up: false,
    running: false,
    macAddress,
    mtu: 1500,
    kind: 'macvlan',
    alias: 'made by a test',
    macvlan: { parentIndex: interfaceIndex, mode: 'private' },
  });
  netlink.setMacvlanMode('vrrp.51.eth0', 'bridge');
  netlink.setLink('vrrp.51.eth0', { alias: '' });
  const changed = netlink.link('vrrp.51.eth0');
  assert.equal(changed?.macvlan?.mode, 'bridge');
  assert.equal(changed?.alias, undefined);
  assert.throws(() => netlink.createMacvlan(options), /macvlan vrrp\.51\.eth0 .*EEXIST/);
});
