/** Trackers of links, addresses and routes in the real vrrp thread, against the real kernel. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { LinkSubject, TrackerEffect, TrackerReport } from '../../src/track/model.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { waitFor } from '../tools/waiting.js';
import { rootTest } from './support/rootTest.js';
import { fastRouter, type LabDirector, VrrpLab, virtualAddressOn } from './support/vrrpLab.js';

/** The last report of the tracker. */
function tracker(director: LabDirector): TrackerReport | undefined {
  return director
    .said('report')
    .findLast(({ trackers }) => trackers !== undefined)
    ?.trackers?.find(({ name }) => name === 'it');
}

/** One director that tracks one thing on `outside`. */
async function start(
  context: TestContext,
  subject: LinkSubject,
  weight: number,
): Promise<LabDirector> {
  const [director] = new VrrpLab(context).directors;
  const effects: readonly TrackerEffect[] = [{ router: 'outside', weight }];
  director.start();
  director.configure({
    routers: [fastRouter()],
    syncGroups: [],
    trackers: [{ name: 'it', subject, effects }],
  });
  await waitFor('the tracker is reported', () => tracker(director) !== undefined);
  return director;
}

const isIn = (director: LabDirector, state: TrackerReport['state']) =>
  waitFor(`the tracker is ${state}`, () => tracker(director)?.state === state);

rootTest(
  'an interface that goes down lowers the priority, in the turn that hears of it',
  async (context) => {
    const director = await start(context, { type: 'interface', interface: 'eth1' }, 60);
    await director.reaches('active');
    assert.equal(tracker(director)?.state, 'passing');
    director.netlink.setLink('eth1', { up: false });
    await isIn(director, 'failing');
    const { priority } = await director.freshReport();
    assert.deepEqual(priority, {
      configured: 100,
      effective: 40,
      demotions: [
        { reason: 'tracked-interface-down', weight: 60, routers: ['outside'], tracker: 'it' },
      ],
    });
    director.netlink.setLink('eth1', { up: true });
    await isIn(director, 'passing');
    assert.equal((await director.freshReport()).priority.effective, 100);
  },
);

rootTest('a router whose tracker fails from the start never becomes Active', async (context) => {
  const director = await start(context, { type: 'interface', interface: 'eth9' }, 0);
  const report = await director.freshReport();
  assert.equal(report.state, 'initialize');
  assert.equal(report.reason, 'tracker-failed');
  assert.deepEqual(report.faults, [
    { reason: 'tracked-interface-down', tracker: 'it', routers: ['outside'] },
  ]);
  assert.deepEqual(director.said('transition'), []);
  director.netlink.createVeth({ name: 'eth9', peerName: 'eth9-far' });
  for (const name of ['eth9', 'eth9-far']) director.netlink.setLink(name, { up: true });
  await director.reaches('active');
  assert.equal(director.said('transition')[0]?.reason, 'tracker-recovered');
  director.netlink.setLink('eth9', { newName: 'eth8' });
  await director.reaches('initialize');
  assert.equal(director.holds(), false, 'a renamed interface is gone by its name');
});

rootTest('an address is missed wherever it was, and found when it is back', async (context) => {
  const subject = { type: 'address', address: ipAddress('203.0.113.7') } as const;
  const director = await start(context, subject, 30);
  assert.equal(tracker(director)?.state, 'failing');
  director.changeAddress('add', '203.0.113.7/32', 'eth1');
  await isIn(director, 'passing');
  assert.equal(tracker(director)?.last?.detail, '203.0.113.7 is on eth1');
  director.changeAddress('delete', '203.0.113.7/32', 'eth1');
  await isIn(director, 'failing');
});

rootTest(
  'a route is missed when it goes with its link, of which the kernel says nothing',
  async (context) => {
    const { prefix: destination } = virtualAddressOn('eth1', '10.9.0.0/16');
    const gateway = ipAddress('198.51.100.200');
    const director = await start(context, { type: 'route', destination, table: 254, gateway }, 0);
    assert.equal(tracker(director)?.last?.detail, '10.9.0.0/16 is not in table 254');
    director.netlink.addRoute({ destination, gateway });
    await director.reaches('active');
    director.netlink.setLink('eth1', { up: false });
    await director.reaches('initialize');
    assert.equal(director.holds(), false);
    director.netlink.setLink('eth1', { up: true });
    director.netlink.addRoute({ destination, gateway });
    await director.reaches('active');
  },
);

rootTest('the default route of each family is told apart', async (context) => {
  const { prefix: destination } = virtualAddressOn('eth1', '::/0');
  const director = await start(context, { type: 'route', destination, table: 254 }, 10);
  director.netlink.addRoute({ destination: 'default', gateway: ipAddress('198.51.100.200') });
  assert.equal((await director.freshReport()).priority.effective, 90);
  director.netlink.addRoute({
    destination: 'default',
    gateway: ipAddress('fe80::1'),
    interface: 'eth1',
  });
  await isIn(director, 'passing');
  assert.match(tracker(director)?.last?.detail ?? '', /via fe80::1 on eth1/);
});

rootTest('demotions of main and of the thread stand side by side', async (context) => {
  const director = await start(context, { type: 'interface', interface: 'eth9' }, 20);
  director.thread.post({
    type: 'demotions',
    demotions: [{ reason: 'health-thread-lost', weight: 5 }],
  });
  await waitFor('both', async () => {
    const { effective } = (await director.freshReport()).priority;
    return effective === 75;
  });
  director.configure({ routers: [fastRouter()], syncGroups: [], trackers: [] });
  await waitFor('the tracker is gone', async () => {
    return (await director.freshReport()).priority.effective === 95;
  });
});
