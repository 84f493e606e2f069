/** One vrrp thread with all the virtual routers there can be, on an interface full of addresses. */
import assert from 'node:assert/strict';
import { type NetworkChange, RouteNetlink } from '../../src/kernel/routeNetlink.js';
import { AddressKeeper } from '../../src/vrrp/addressKeeper.js';
import type { PortIdentity } from '../../src/vrrp/portIdentity.js';
import { wireKey } from '../../src/vrrp/reconfiguration.js';
import { activeDownUs } from '../../src/vrrp/timing.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { rootTest } from './support/rootTest.js';
import {
  eventually,
  fastRouter,
  type LabDirector,
  VrrpLab,
  virtualAddressOn,
} from './support/vrrpLab.js';

const routerCount = 255;
const virtualAddressCount = 1_000;
const foreignCount = 5_000;
const advertIntervalCs = 50;
const priority = 200;
const repeat = 3;

/** The texts of the virtual addresses, dealt out to the routers in turn. */
const virtualTexts = Array.from(
  { length: virtualAddressCount },
  (_, index) => `10.77.${index >> 8}.${index & 255}`,
);

const routers = Array.from({ length: routerCount }, (_, index) =>
  fastRouter({
    name: `router${index + 1}`,
    vrid: index + 1,
    priority,
    advertIntervalCs,
    addresses: virtualTexts
      .filter((_text, place) => place % routerCount === index)
      .map((text) => virtualAddressOn('eth0', `${text}/32`)),
    announcements: { repeat, delayMs: 0, refreshMs: 0 },
  }),
);

/** The addresses that are not ours, as many as a busy director has. */
const foreignTexts = Array.from(
  { length: foreignCount },
  (_, index) => `10.88.${index >> 8}.${index & 255}`,
);

/** All of them are tracked for one of the routers. */
const trackers = foreignTexts.map((text) => ({
  name: text,
  subject: { type: 'address', address: ipAddress(text) } as const,
  effects: [{ router: 'router1', weight: 1 }],
}));

function fillInterface(director: LabDirector): void {
  const interfaceIndex = director.netlink.link('eth0')?.index ?? 0;
  const errors = director.netlink.changeAddresses(
    foreignTexts.map((text) => ({
      action: 'add',
      interfaceIndex,
      prefix: virtualAddressOn('eth0', `${text}/32`).prefix,
    })),
  );
  assert.ok(errors.every((error) => error === undefined));
}

/** Counts the batches that it sends, and what is in each. */
class CountingNetlink extends RouteNetlink {
  readonly batches: number[] = [];

  override change(changes: readonly NetworkChange[]) {
    this.batches.push(changes.length);
    return super.change(changes);
  }
}

rootTest('a turn that promotes 255 routers adds their addresses in one batch', (context) => {
  const [director] = new VrrpLab(context).directors;
  fillInterface(director);
  const netlink = director.namespace.run(() => new CountingNetlink());
  context.after(() => netlink.close());
  const index = netlink.link('eth0')?.index ?? 0;
  const identity: PortIdentity = {
    name: 'eth0',
    index,
    macAddress: new Uint8Array(6),
    families: [4],
    source: ipAddress('192.0.2.1'),
    linkLocal: undefined,
    own: [],
  };
  const keeper = new AddressKeeper(netlink, {
    get: () => ({ identity }),
    all: () => [{ identity }],
  });
  const effects = routers.map((spec) => ({
    type: 'add-addresses' as const,
    router: wireKey('eth0', 4, spec.vrid),
    spec,
    addresses: spec.addresses,
  }));
  assert.deepEqual(keeper.apply(effects, new Map()), []);
  assert.deepEqual(netlink.batches, [virtualAddressCount]);
  const present = new Set<string>(
    netlink.addresses({ family: 4 }).map(({ prefix }) => prefix.address),
  );
  assert.ok(virtualTexts.every((text) => present.has(text)));
});

rootTest(
  '255 routers keep their cadence while they announce 1,000 addresses and track 5,000',
  async (context) => {
    const lab = new VrrpLab(context);
    const [director] = lab.directors;
    fillInterface(director);
    director.start().configure({ routers, syncGroups: [], trackers });
    const wanted = new Set(virtualTexts.map((text) => `arp ${text}`));
    let seen = 0;
    let announced = 0;
    await eventually('every address was announced as often as it is to be', () => {
      const { heard } = lab;
      for (; seen < heard.length; seen += 1)
        if (wanted.has(heard[seen]?.text ?? '')) announced += 1;
      return announced >= virtualAddressCount * repeat;
    });
    const lastOf = lab.heard.at(-1)?.atUs ?? 0;
    const intervalUs = advertIntervalCs * 10_000;
    await eventually('two more intervals', () => {
      return (lab.heard.at(-1)?.atUs ?? 0) > lastOf + 2 * intervalUs;
    });
    const { heard } = lab;
    const announcements = heard.filter(({ text }) => wanted.has(text));
    assert.equal(announcements.length, virtualAddressCount * repeat, 'none twice, none lost');
    const downUs = activeDownUs(priority, intervalUs);
    let worstUs = 0;
    for (const { vrid, addresses } of routers) {
      const times = heard.filter((each) => each.vrid === vrid).map(({ atUs }) => atUs);
      assert.ok(times.length >= 3, `router ${vrid}: ${times.length} adverts`);
      for (const [place, atUs] of times.slice(1).entries()) {
        worstUs = Math.max(worstUs, atUs - (times[place] ?? 0));
      }
      const firstAdvert = heard.findIndex((each) => each.vrid === vrid);
      const own = new Set(addresses.map(({ prefix }) => `arp ${prefix.address}`));
      const firstAnnouncement = heard.findIndex(({ text }) => own.has(text));
      assert.ok(firstAdvert < firstAnnouncement, `router ${vrid} announced before its advert`);
    }
    context.diagnostic(
      `longest gap between adverts: ${(worstUs / intervalUs).toFixed(2)} of the interval, ` +
        `${(worstUs / downUs).toFixed(2)} of Active_Down_Interval`,
    );
    assert.ok(worstUs < downUs, `${worstUs} us without an advert`);
    assert.equal(director.said('transition').filter(({ to }) => to === 'active').length, 255);
    const [lost = ''] = foreignTexts;
    director.changeAddress('delete', `${lost}/32`);
    await eventually('the one that went is missed', () => {
      const { effective } = director.report('router1')?.priority ?? {};
      return effective === priority - 1;
    });
    assert.deepEqual(
      director.report('router1')?.priority.demotions.map(({ tracker }) => tracker),
      [lost],
    );
  },
);
