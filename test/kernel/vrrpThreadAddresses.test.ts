import assert from 'node:assert/strict';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.js';
import { releaseAddresses } from '../../src/vrrp/release.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { rootTest } from './support/rootTest.js';
import {
  eventually,
  fastRouter,
  type LabDirector,
  VrrpLab,
  virtualAddressOn,
  virtualAddressText,
} from './support/vrrpLab.js';

const promotion = 'net.ipv4.conf.eth0.promote_secondaries';

/** The addresses of eth0, the primary ones first, and no link-local ones. */
function addressesOf(director: LabDirector): readonly string[] {
  const interfaceIndex = director.netlink.link('eth0')?.index ?? 0;
  return director.netlink
    .addresses({ interfaceIndex, family: 4 })
    .map(({ prefix, secondary }) => `${prefix.address}${secondary ? ' secondary' : ''}`);
}

/** A director on whose interface the virtual address came before its own one. */
function labWithVirtualAddressFirst(context: ConstructorParameters<typeof VrrpLab>[0]) {
  const lab = new VrrpLab(context);
  const [director] = lab.directors;
  director.changeAddress('delete', '192.0.2.1/24');
  director.changeAddress('add', `${virtualAddressText}/24`);
  director.changeAddress('add', '192.0.2.1/24');
  assert.deepEqual(addressesOf(director), [virtualAddressText, '192.0.2.1 secondary']);
  return { lab, director };
}

rootTest("a virtual address that leaves does not take the node's own with it", async (context) => {
  const { director } = labWithVirtualAddressFirst(context);
  director.namespace.run(() => writeSysctl(promotion, 0));
  director.start(fastRouter({ priority: 200, advertIntervalCs: 4000 }));
  await director.reaches('backup');
  await eventually('the address is off', () => !director.holds());
  assert.deepEqual(addressesOf(director), ['192.0.2.1']);
  assert.equal(
    director.namespace.run(() => readSysctl(promotion)),
    '0',
    'the kernel parameter is as it was',
  );
});

rootTest("a release does not take the node's own address either", (context) => {
  const { director } = labWithVirtualAddressFirst(context);
  director.namespace.run(() => writeSysctl(promotion, 0));
  const configuration = { routers: [fastRouter()], syncGroups: [] };
  director.namespace.run(() => releaseAddresses(configuration));
  assert.deepEqual(addressesOf(director), ['192.0.2.1']);
});

rootTest(
  'two virtual addresses of one network go together, however they depend on each other',
  async (context) => {
    const lab = new VrrpLab(context);
    const [director] = lab.directors;
    const texts = ['203.0.113.1/24', '203.0.113.2/24', '203.0.113.3/24'];
    const addresses = texts.map((text) => virtualAddressOn('eth0', text));
    director.start(fastRouter({ priority: 200, addresses }));
    await director.reaches('active');
    const [, second] = addresses;
    assert.ok(second !== undefined);
    director.configure({ routers: [fastRouter({ addresses: [second] })], syncGroups: [] });
    await eventually('the others are off', () => addressesOf(director).length === 2);
    assert.deepEqual(addressesOf(director), ['192.0.2.1', '203.0.113.2']);
    await director.thread.stop();
    assert.deepEqual(addressesOf(director), ['192.0.2.1']);
  },
);

rootTest(
  'label, scope and far end of an address reach the kernel, and go again',
  async (context) => {
    const lab = new VrrpLab(context);
    const [director] = lab.directors;
    // A network of its own: the kernel refuses a second scope in the network of the node's address.
    const plain = virtualAddressOn('eth0', '198.51.100.7/24');
    const labelled = { ...plain, label: 'eth0:vip', scope: 'link' } as const;
    const farEnd = {
      ...virtualAddressOn('eth0', '203.0.113.1/32'),
      peer: { address: ipAddress('203.0.113.2'), length: 32 },
    };
    director.start(fastRouter({ priority: 200, addresses: [labelled, farEnd] }));
    await director.reaches('active');
    const found = (text: string) =>
      director.netlink.addresses({ family: 4 }).find(({ prefix }) => prefix.address === text);
    assert.equal(found('198.51.100.7')?.label, 'eth0:vip');
    assert.equal(found('203.0.113.1')?.peer, '203.0.113.2');
    const other = { ...labelled, label: 'eth0:new' };
    director.configure({
      routers: [fastRouter({ priority: 200, addresses: [other, farEnd] })],
      syncGroups: [],
    });
    await eventually('the label changed', () => found('198.51.100.7')?.label === 'eth0:new');
    assert.equal(director.said('transition').length, 2, 'it stayed Active');
    await director.thread.stop();
    assert.deepEqual(addressesOf(director), ['192.0.2.1']);
  },
);

rootTest(
  'a router stops while the interface of an address of its is down, and comes back',
  async (context) => {
    const lab = new VrrpLab(context);
    const [first, second] = lab.directors;
    const addresses = [
      virtualAddressOn('eth0', `${virtualAddressText}/24`),
      virtualAddressOn('eth1', '198.51.100.100/24'),
    ];
    first.start(fastRouter({ priority: 200, addresses }));
    await first.reaches('active');
    second.start(fastRouter({ priority: 100, addresses }));
    await second.reaches('backup');
    assert.ok(first.holds('198.51.100.100'));
    const from = lab.heard.length;
    first.netlink.setLink('eth1', { up: false });
    await first.reaches('initialize');
    assert.equal(first.report()?.reason, 'tracker-failed');
    assert.deepEqual(
      first.report()?.faults.map(({ reason, tracker }) => `${reason}: ${tracker}`),
      ['tracked-interface-down: addresses on eth1'],
    );
    await lab.hears('advert 0 from 192.0.2.1', from);
    await second.reaches('active');
    assert.ok(!first.holds() && !first.holds('198.51.100.100'));
    assert.ok(second.holds() && second.holds('198.51.100.100'));
    first.netlink.setLink('eth1', { up: true });
    await first.reaches('active');
    await second.reaches('backup');
    assert.ok(first.holds('198.51.100.100'));
  },
);

rootTest('an address whose interface is not tracked does not stop the router', async (context) => {
  const lab = new VrrpLab(context);
  const [director] = lab.directors;
  const addresses = [
    virtualAddressOn('eth0', `${virtualAddressText}/24`),
    { ...virtualAddressOn('eth1', '198.51.100.100/24'), tracked: false },
  ];
  director.start(fastRouter({ priority: 200, addresses }));
  await director.reaches('active');
  director.netlink.setLink('eth1', { up: false });
  await eventually('the link is down', () => director.netlink.link('eth1')?.up === false);
  const report = await director.freshReport();
  assert.equal(report.state, 'active');
  assert.deepEqual(report.faults, []);
});

rootTest('a dynamic router waits for interfaces that are not there yet', async (context) => {
  const lab = new VrrpLab(context);
  const [director] = lab.directors;
  const address = virtualAddressOn('eth9', '203.0.113.100/24');
  const router = fastRouter({ interface: 'eth9', addresses: [address] });
  director.start(router);
  await eventually('a refusal', () => director.said('refused').length === 1);
  assert.equal(director.said('refused')[0]?.code, 'INTERFACE_MISSING');
  director.configure({ routers: [{ ...router, dynamic: true }], syncGroups: [] });
  await director.reaches('initialize');
  assert.equal(director.report()?.reason, 'interface-down');
  for (let round = 0; round < 2; round += 1) {
    director.netlink.createVeth({ name: 'eth9', peerName: 'eth9peer' });
    for (const name of ['eth9', 'eth9peer']) director.netlink.setLink(name, { up: true });
    director.changeAddress('add', '203.0.113.1/24', 'eth9');
    await director.reaches('active');
    assert.ok(director.holds('203.0.113.100'));
    director.netlink.deleteLink('eth9');
    await director.reaches('initialize');
    assert.equal(director.report()?.reason, 'interface-down');
  }
});
