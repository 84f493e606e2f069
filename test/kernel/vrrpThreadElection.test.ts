import assert from 'node:assert/strict';
import { releaseAddresses } from '../../src/vrrp/release.js';
import { rootTest } from './support/rootTest.js';
import { eventually, fastRouter, VrrpLab, virtualAddressText } from './support/vrrpLab.js';

const high = fastRouter({ priority: 200 });
const low = fastRouter({ priority: 100 });
const announcement = `arp ${virtualAddressText}`;

/** Two directors that have settled: the first is Active. */
async function settledLab(context: ConstructorParameters<typeof VrrpLab>[0]) {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  first.start(high);
  await first.reaches('active');
  second.start(low);
  await second.reaches('backup');
  await eventually('the Backup has heard the Active', () => second.report()?.active !== null);
  return { lab, first, second };
}

rootTest(
  'two threads elect the higher priority, which alone holds the address',
  async (context) => {
    const lab = new VrrpLab(context);
    const [first, second] = lab.directors;
    second.start(low);
    await second.reaches('active');
    assert.ok(second.holds());
    first.start(high);
    await first.reaches('active');
    await second.reaches('backup');
    assert.ok(first.holds());
    assert.ok(!second.holds());
    assert.equal(second.report()?.reason, 'higher-priority-heard');
    const { active } = await second.freshReport();
    assert.equal(active?.address, '192.0.2.1');
    assert.equal(active?.priority, 200);
    assert.equal(active?.self, false);
  },
);

rootTest(
  'a promoted thread is on the wire with an advert first and its GARPs then',
  async (context) => {
    const lab = new VrrpLab(context);
    const [first] = lab.directors;
    first.start(high);
    const announcedAt = await lab.hears(announcement);
    const before = lab.heard.slice(0, announcedAt);
    assert.deepEqual(
      before.map(({ text }) => text),
      ['advert 200 from 192.0.2.1'],
    );
    await eventually('three announcements', () => {
      return lab.heard.filter(({ text }) => text === announcement).length === 3;
    });
  },
);

rootTest(
  'when a thread dies the other takes over within its Active_Down_Interval',
  async (context) => {
    const { lab, first, second } = await settledLab(context);
    const deadFrom = lab.heard.length;
    await first.thread.kill();
    await second.reaches('active');
    assert.equal(second.report()?.reason, 'active-down-timer');
    assert.ok(second.holds());
    const promotion = await lab.hears('advert 100 from 192.0.2.2', deadFrom);
    const silent = lab.heard.slice(0, promotion).findLast(({ text }) => text.startsWith('advert'));
    const silenceUs = (lab.heard[promotion]?.atUs ?? 0) - (silent?.atUs ?? 0);
    assert.ok(silenceUs >= 360_937, `${silenceUs} us is before the Active_Down_Interval`);
    assert.ok(first.holds(), 'a dead thread leaves its address behind');
  },
);

rootTest('release resigns for a dead thread and takes its addresses off', async (context) => {
  const { lab, first, second } = await settledLab(context);
  await first.thread.kill();
  const from = lab.heard.length;
  const configuration = { routers: [high], syncGroups: [] };
  const { removed } = first.namespace.run(() => releaseAddresses(configuration));
  assert.deepEqual(removed, high.addresses);
  assert.ok(!first.holds());
  await lab.hears('advert 0 from 192.0.2.1', from);
  await second.reaches('active');
  const again = lab.heard.length;
  assert.deepEqual(
    first.namespace.run(() => releaseAddresses(configuration)),
    { resigned: [], removed: [] },
  );
  await lab.hears('advert 100 from 192.0.2.2', again);
  const texts = lab.heard.slice(again).map(({ text }) => text);
  assert.ok(!texts.includes('advert 0 from 192.0.2.1'), 'there is nothing to resign from twice');
});

rootTest(
  'a polite stop resigns, takes the addresses off, and hands over by the skew time',
  async (context) => {
    const { lab, first, second } = await settledLab(context);
    const from = lab.heard.length;
    await first.thread.stop();
    assert.deepEqual(await first.thread.exited, { code: 0 });
    assert.ok(!first.holds());
    assert.equal(first.said('transition').at(-1)?.reason, 'shutdown');
    assert.equal(first.messages.at(-1)?.type, 'stopped');
    await second.reaches('active');
    assert.equal(second.report()?.reason, 'active-resigned');
    const resigned = await lab.hears('advert 0 from 192.0.2.1', from);
    const taken = await lab.hears('advert 100 from 192.0.2.2', resigned);
    const waitUs = (lab.heard[taken]?.atUs ?? 0) - (lab.heard[resigned]?.atUs ?? 0);
    assert.ok(waitUs >= 60_000, `${waitUs} us is before the skew time`);
  },
);

rootTest(
  'a thread that is asked to step down holds the address until the other has it',
  async (context) => {
    const { lab, first, second } = await settledLab(context);
    const from = lab.heard.length;
    first.thread.post({ type: 'step-down', forMs: 60_000, force: false });
    await second.reaches('active');
    await first.reaches('backup');
    assert.equal(first.report()?.reason, 'operator');
    assert.equal(first.report()?.priority.effective, 1);
    await lab.hears('advert 0 from 192.0.2.1', from);
    assert.ok(!first.holds());
    first.thread.post({ type: 'step-down', forMs: 0, force: false });
    await first.reaches('active');
    await second.reaches('backup');
  },
);
