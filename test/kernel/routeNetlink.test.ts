import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { TandemError } from '../../src/errors.js';
import { openRouteNetlink } from '../../src/kernel/routeNetlink.js';
import { type IpPrefix, ipAddress, parseIpPrefix } from '../../src/wire/ipAddress.js';
import { waitFor } from '../tools/waiting.js';
import { rootTest } from './support/rootTest.js';
import { indexOf, temporaryNamespace, vethPair } from './support/vethPair.js';

function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new Error(`no prefix: ${text}`);
  return parsed;
}

function manyPrefixes(count: number): IpPrefix[] {
  return Array.from({ length: count }, (_, index) => ({
    address: ipAddress(`10.0.${index >> 8}.${index & 255}`),
    length: 32,
  }));
}

rootTest('300 addresses are added and deleted in one batch each', (context) => {
  const { left } = vethPair(context);
  const { netlink, interfaceIndex } = left;
  const prefixes = manyPrefixes(300);
  const before = netlink.addresses({ interfaceIndex, family: 4 }).length;
  const change = (action: 'add' | 'delete') =>
    netlink.changeAddresses(prefixes.map((each) => ({ action, interfaceIndex, prefix: each })));
  assert.ok(change('add').every((error) => error === undefined));
  const listed = netlink.addresses({ interfaceIndex, family: 4 });
  const texts = new Set(listed.map((each) => each.prefix.address));
  assert.equal(listed.length, before + 300);
  assert.ok(prefixes.every((each) => texts.has(each.address)));
  assert.ok(change('delete').every((error) => error === undefined));
  assert.equal(netlink.addresses({ interfaceIndex, family: 4 }).length, before);
});

rootTest('a batch longer than one window and a dump of thousands are whole', (context) => {
  const { left } = vethPair(context);
  const { netlink, interfaceIndex } = left;
  const prefixes = manyPrefixes(3000);
  const changes = prefixes.map(
    (each) => ({ action: 'add', interfaceIndex, prefix: each }) as const,
  );
  assert.ok(netlink.changeAddresses(changes).every((error) => error === undefined));
  const addresses = netlink.addresses({ family: 4 }).map((each) => each.prefix.address);
  assert.equal(new Set(addresses).size, addresses.length);
  assert.ok(addresses.length >= 3000);
});

rootTest('each change of a batch has its own result', (context) => {
  const { left } = vethPair(context);
  const { netlink, interfaceIndex } = left;
  const present = prefix('192.0.2.1/24');
  const results = netlink.changeAddresses([
    { action: 'add', interfaceIndex: 999, prefix: prefix('192.0.2.9/24') },
    { action: 'add', interfaceIndex, prefix: present },
    { action: 'delete', interfaceIndex, prefix: prefix('192.0.2.200/24') },
    { action: 'add', interfaceIndex, prefix: prefix('192.0.2.10/24') },
    { action: 'add', interfaceIndex: 998, prefix: prefix('2001:db8::9/64') },
  ]);
  assert.deepEqual(
    results.map((error) => error?.errnoName),
    ['ENODEV', undefined, undefined, undefined, 'ENODEV'],
  );
  assert.match(results[0]?.message ?? '', /RTM_NEWADDR \(add 192\.0\.2\.9\/24, .*999.*ENODEV/);
  const addresses = netlink.addresses({ interfaceIndex, family: 4 });
  assert.deepEqual(
    addresses.map((each) => [each.prefix.address, each.secondary]),
    [
      ['192.0.2.1', false],
      ['192.0.2.10', true],
    ],
  );
});

rootTest('a batch in which every change fails reports every failure', (context) => {
  const { left } = vethPair(context);
  const changes = manyPrefixes(2000).map(
    (each) => ({ action: 'add', interfaceIndex: 999, prefix: each }) as const,
  );
  const results = left.netlink.changeAddresses(changes);
  assert.equal(results.filter((error) => error?.errnoName === 'ENODEV').length, 2000);
});

rootTest('an IPv6 address is usable at once', (context) => {
  const { left } = vethPair(context);
  const { netlink, interfaceIndex, namespace } = left;
  const added = prefix('2001:db8::100/64');
  const change = { action: 'add', interfaceIndex, prefix: added } as const;
  assert.deepEqual(netlink.changeAddresses([change, change]), [undefined, undefined]);
  const found = netlink
    .addresses({ interfaceIndex, family: 6 })
    .find((each) => each.prefix.address === added.address);
  assert.deepEqual(found?.prefix, added);
  const flags = namespace.run(() => addressFlags('20010db8000000000000000000000100'));
  // 0x40 is IFA_F_TENTATIVE: duplicate address detection still runs.
  assert.equal(flags & 0x40, 0);
  assert.equal(netlink.changeAddresses([{ ...change, action: 'delete' }])[0], undefined);
});

rootTest('links are listed with state, kind, master and MAC address', async (context) => {
  const { left } = vethPair(context);
  const { netlink } = left;
  netlink.createBridge('br0');
  netlink.createVeth({ name: 'port0', peerName: 'port1' });
  netlink.setLink('port1', { up: true });
  netlink.setLink('br0', { up: true });
  const macAddress = Uint8Array.from([2, 0, 0, 0, 0, 7]);
  netlink.setLink('port0', { masterName: 'br0', macAddress, mtu: 1400, up: true });
  // The kernel tells the carrier of a new link in its own time.
  await waitFor('the carrier', () => netlink.link('port0')?.running);
  const links = new Map(netlink.links().map((link) => [link.name, link]));
  assert.deepEqual([...links.keys()].sort(), ['br0', 'eth0', 'lo', 'port0', 'port1']);
  assert.equal(links.get('lo')?.up, true);
  assert.equal(links.get('br0')?.kind, 'bridge');
  assert.deepEqual(links.get('port0'), {
    index: indexOf(netlink, 'port0'),
    name: 'port0',
    up: true,
    running: true,
    macAddress,
    mtu: 1400,
    kind: 'veth',
    masterIndex: indexOf(netlink, 'br0'),
  });
  assert.deepEqual(netlink.link('port0'), links.get('port0'));
  netlink.setLink('port0', { masterName: null });
  assert.equal(netlink.link('port0')?.masterIndex, undefined);
  netlink.setLink('port0', { up: false });
  netlink.setLink('port0', { newName: 'spare' });
  assert.equal(netlink.link('port0'), undefined);
  assert.equal(netlink.link('spare')?.running, false);
  netlink.deleteLink('spare');
  assert.equal(netlink.link('spare'), undefined);
  assert.equal(netlink.link('port1'), undefined);
});

rootTest('a link whose far end is down is up without running', (context) => {
  const { left, right } = vethPair(context);
  right.netlink.setLink('eth0', { up: false });
  const link = left.netlink.link('eth0');
  assert.deepEqual([link?.up, link?.running], [true, false]);
});

rootTest('a link moves to another namespace', (context) => {
  const { left, right } = vethPair(context);
  left.netlink.createVeth({ name: 'moving', peerName: 'staying' });
  left.netlink.setLink('moving', { namespaceFd: right.namespace.fd });
  assert.equal(left.netlink.link('moving'), undefined);
  assert.equal(right.netlink.link('moving')?.kind, 'veth');
});

rootTest('routes are added, by gateway or by interface, in both families', async (context) => {
  const { left } = vethPair(context);
  const { netlink, interfaceIndex, namespace } = left;
  const global = { action: 'add', interfaceIndex, prefix: prefix('2001:db8::1/64') } as const;
  netlink.changeAddresses([global]);
  netlink.addRoute({ destination: 'default', gateway: ipAddress('192.0.2.2') });
  netlink.addRoute({ destination: prefix('198.51.100.0/24'), interface: 'eth0' });
  netlink.addRoute({
    destination: 'default',
    gateway: ipAddress('2001:db8::2'),
    interface: 'eth0',
  });
  const shown = await output(namespace.spawn('ip', ['route', 'show']));
  assert.match(shown, /^default via 192\.0\.2\.2 dev eth0 proto static/m);
  assert.match(shown, /^198\.51\.100\.0\/24 dev eth0 proto static scope link/m);
  const shownV6 = await output(namespace.spawn('ip', ['-6', 'route', 'show']));
  assert.match(shownV6, /^default via 2001:db8::2 dev eth0 proto static/m);
});

rootTest('a refusal carries errno, arguments and the words of the kernel', (context) => {
  const { left } = vethPair(context);
  const refused = (act: () => void, errnoName: string, words: RegExp) =>
    assert.throws(act, (error) => {
      assert.ok(error instanceof TandemError);
      assert.equal(error.code, 'SYSTEM_CALL');
      assert.equal(error.errnoName, errnoName);
      assert.match(error.message, words);
      return true;
    });
  const { netlink } = left;
  const gateway = ipAddress('203.0.113.1');
  refused(() => netlink.createBridge('eth0'), 'EEXIST', /RTM_NEWLINK \(bridge eth0/);
  refused(() => netlink.setLink('eth9', { up: true }), 'ENODEV', /eth9/);
  refused(() => netlink.deleteLink('a-name-longer-than-links-have'), 'ENODEV', /longer/);
  refused(
    () => netlink.addRoute({ destination: 'default', gateway }),
    'ENETUNREACH',
    /default via 203\.0\.113\.1; kernel: Nexthop has invalid gateway/,
  );
  assert.deepEqual(netlink.addresses({ interfaceIndex: 999 }), []);
});

rootTest('a connection stays in the namespace that it was opened in', (context) => {
  const namespace = temporaryNamespace(context);
  const netlink = namespace.run(openRouteNetlink);
  context.after(() => netlink.close());
  assert.deepEqual(
    netlink.links().map((link) => link.name),
    ['lo'],
  );
});

function addressFlags(hexAddress: string): number {
  const lines = readFileSync('/proc/thread-self/net/if_inet6', 'utf8').split('\n');
  const line = lines.find((each) => each.startsWith(hexAddress));
  return Number.parseInt(line?.split(/\s+/)[4] ?? 'none', 16);
}

async function output(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null);
  return await text(child.stdout);
}
