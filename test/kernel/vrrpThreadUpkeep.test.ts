import assert from 'node:assert/strict';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { internetChecksum } from '../../src/wire/checksum.js';
import { encodeEthernetFrame, etherTypeIpv4 } from '../../src/wire/ethernet.js';
import { rootTest } from './support/rootTest.js';
import {
  eventually,
  fastRouter,
  VrrpLab,
  virtualAddressOn,
  virtualAddressText,
} from './support/vrrpLab.js';

const router = fastRouter({ priority: 200 });
const inside = fastRouter({
  name: 'inside',
  vrid: 52,
  interface: 'eth1',
  priority: 200,
  addresses: [virtualAddressOn('eth1', '198.51.100.100/24')],
});
const announcement = `arp ${virtualAddressText}`;

/** One director that is Active. */
async function activeLab(context: ConstructorParameters<typeof VrrpLab>[0]) {
  const lab = new VrrpLab(context);
  const [director] = lab.directors;
  director.start(router);
  await director.reaches('active');
  return { lab, director };
}

rootTest('a Backup takes off the address that a crashed agent left behind', async (context) => {
  const { director } = await activeLab(context);
  await director.thread.kill();
  assert.ok(director.holds());
  // Long adverts, so that this one is Backup for a good while.
  director.start({ ...router, advertIntervalCs: 4000 });
  await director.reaches('backup');
  assert.ok(!director.holds());
});

rootTest(
  'an address that was there with another prefix length is taken off as well',
  async (context) => {
    const lab = new VrrpLab(context);
    const [director] = lab.directors;
    director.changeAddress('add', `${virtualAddressText}/32`);
    director.start({ ...router, advertIntervalCs: 4000 });
    await director.reaches('backup');
    assert.ok(!director.holds());
  },
);

rootTest(
  'an address that somebody removes from the Active is put back and announced',
  async (context) => {
    const { lab, director } = await activeLab(context);
    await lab.hears(announcement);
    for (let round = 0; round < 3; round += 1) {
      const from = lab.heard.length;
      director.changeAddress('delete', `${virtualAddressText}/24`);
      await eventually('the address is back', () => director.holds());
      await lab.hears(announcement, from);
    }
    assert.equal(director.said('transition').length, 2, 'the state has not changed');
    assert.match(director.said('log').at(-1)?.message ?? '', /put back/);
  },
);

rootTest('an address that somebody adds to a Backup is taken off', async (context) => {
  const lab = new VrrpLab(context);
  const [director] = lab.directors;
  director.start({ ...router, advertIntervalCs: 4000 });
  await director.reaches('backup');
  director.changeAddress('add', `${virtualAddressText}/24`);
  await eventually('the address is off', () => !director.holds());
});

rootTest(
  'a missing interface is refused by name, and the previous configuration goes on',
  async (context) => {
    const { director } = await activeLab(context);
    const wrong = { ...inside, interface: 'eth7' };
    director.configure({ routers: [{ ...router, priority: 50 }, wrong], syncGroups: [] });
    await eventually('a refusal', () => director.said('refused').length === 1);
    const [refused] = director.said('refused');
    assert.equal(refused?.code, 'INTERFACE_MISSING');
    assert.match(refused?.message ?? '', /inside.*eth7/);
    const report = await director.freshReport();
    assert.equal(report.state, 'active');
    assert.equal(report.priority.configured, 200);
  },
);

rootTest(
  'a reload changes addresses and priority of an Active without a transition',
  async (context) => {
    const { lab, director } = await activeLab(context);
    const before = director.said('transition').length;
    const from = lab.heard.length;
    const addresses = [virtualAddressOn('eth0', '192.0.2.200/24')];
    director.configure({ routers: [{ ...router, priority: 150, addresses }], syncGroups: [] });
    await eventually('the new address', () => director.holds('192.0.2.200'));
    await eventually('the old address is off', () => !director.holds());
    await lab.hears('arp 192.0.2.200', from);
    await lab.hears('advert 150 from 192.0.2.1', from);
    assert.equal(director.said('transition').length, before);
  },
);

rootTest(
  'a reload with another identifier resigns the old router and starts the new',
  async (context) => {
    const { lab, director } = await activeLab(context);
    const from = lab.heard.length;
    director.configure({ routers: [{ ...router, vrid: 77 }], syncGroups: [] });
    await lab.hears('advert 0 from 192.0.2.1', from);
    await eventually('the new router is Active', () => {
      const report = director.report();
      return report?.vrid === 77 && report.state === 'active';
    });
    assert.deepEqual(
      director.said('transition').map(({ to, reason }) => `${to}: ${reason}`),
      [
        'backup: startup',
        'active: active-down-timer',
        'initialize: reconfigured',
        'backup: startup',
        'active: active-down-timer',
      ],
    );
  },
);

rootTest('a router whose link goes down lets go, and is back when the link is', async (context) => {
  const { director } = await activeLab(context);
  director.netlink.setLink('eth0', { up: false });
  await director.reaches('initialize');
  assert.equal(director.report()?.reason, 'interface-down');
  assert.ok(!director.holds());
  director.netlink.setLink('eth0', { up: true });
  await director.reaches('active');
  assert.ok(director.holds());
});

rootTest(
  'a router whose interface is deleted and made anew is back on the new one',
  async (context) => {
    const lab = new VrrpLab(context);
    const [director] = lab.directors;
    const make = () => {
      director.netlink.createVeth({ name: 'eth9', peerName: 'eth9peer' });
      for (const name of ['eth9', 'eth9peer']) director.netlink.setLink(name, { up: true });
      director.changeAddress('add', '203.0.113.1/24', 'eth9');
    };
    make();
    const address = virtualAddressOn('eth9', '203.0.113.100/24');
    director.start(fastRouter({ interface: 'eth9', addresses: [address] }));
    await director.reaches('active');
    director.netlink.deleteLink('eth9');
    await director.reaches('initialize');
    make();
    await director.reaches('active');
    assert.ok(director.holds('203.0.113.100'));
  },
);

rootTest('a sync group leaves and takes both of its networks together', async (context) => {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  const syncGroups = [{ name: 'edge', members: ['outside', 'inside'] }];
  const lower = [router, inside].map((each) => ({ ...each, priority: 100 }));
  first.start().configure({ routers: [router, inside], syncGroups });
  await first.reaches('active');
  second.start().configure({ routers: lower, syncGroups });
  await second.reaches('backup', 'inside');
  first.netlink.setLink('eth1', { up: false });
  await second.reaches('active');
  await second.reaches('active', 'inside');
  await first.reaches('backup');
  await eventually('nothing is held', () => !first.holds() && !first.holds('198.51.100.100'));
  assert.ok(second.holds() && second.holds('198.51.100.100'));
  first.netlink.setLink('eth1', { up: true });
  await first.reaches('active');
  await first.reaches('active', 'inside');
  await second.reaches('backup', 'inside');
});

rootTest(
  'adverts with our own source address are counted, warned of and not heard',
  async (context) => {
    const { lab, director } = await activeLab(context);
    // Without this the kernel itself drops packets that claim to come from here.
    director.namespace.run(() => writeSysctl('net.ipv4.conf.all.accept_local', 1));
    const packet = Buffer.from(
      '45c0002000000000ff70189ac0000201e00000123133ff01000a0000c0000264',
      'hex',
    );
    fixChecksum(packet.subarray(20));
    fixHeaderChecksum(packet);
    const frame = encodeEthernetFrame({
      destination: Uint8Array.of(0x01, 0, 0x5e, 0, 0, 0x12),
      source: Uint8Array.of(2, 0, 0, 0, 0, 9),
      etherType: etherTypeIpv4,
      payload: packet,
    });
    lab.station.send(frame);
    await eventually('the packet is counted', () => {
      director.thread.post({ type: 'report' });
      return director.report()?.counters.rejected['own-packet'] === 1;
    });
    const report = await director.freshReport();
    assert.equal(report.state, 'active');
    assert.equal(report.counters.warnings['duplicate-address'], 1);
    assert.ok(director.said('log').some(({ fields }) => fields.warning === 'duplicate-address'));
  },
);

rootTest(
  'an idle thread reports at least every second, and each report is of a later turn',
  async (context) => {
    const lab = new VrrpLab(context);
    const [director] = lab.directors;
    director.start();
    await eventually('three reports', () => director.said('report').length >= 3);
    const turns = director.said('report').map((report) => report.turns);
    assert.deepEqual(
      [...new Set(turns)].sort((a, b) => a - b),
      turns,
    );
  },
);

/** The plain Internet checksum of a VRRP message. */
function fixChecksum(message: Buffer): void {
  message.writeUInt16BE(0, 6);
  message.writeUInt16BE(internetChecksum([message]), 6);
}

function fixHeaderChecksum(packet: Buffer): void {
  const header = packet.subarray(0, 20);
  header.writeUInt16BE(0, 10);
  header.writeUInt16BE(internetChecksum([header]), 10);
}
