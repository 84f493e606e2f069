import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { VirtualRoute, VirtualRule } from '../../src/vrrp/protocol.js';
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

const anywhere = { address: ipAddress('0.0.0.0'), length: 0 };
const inside = { address: ipAddress('10.0.0.0'), length: 8 };
const address = virtualAddressOn('eth0', `${virtualAddressText}/24`);

/** Needs the virtual address: it is the source. */
const routes: readonly VirtualRoute[] = [
  {
    to: anywhere,
    via: ipAddress('192.0.2.254'),
    source: address.prefix.address,
    metric: 50,
    table: 254,
  },
  { to: inside, interface: 'eth1', table: 1000 },
];
const rules: readonly VirtualRule[] = [
  { family: 4, from: { ...address.prefix, length: 32 }, priority: 900, table: 1000 },
  { family: 4, fwmark: { value: 66, mask: 0xffff_ffff }, priority: 901, table: 1000 },
];
const router = fastRouter({ priority: 200, addresses: [address], routes, rules });
const defaultRoute = /^default via 192\.0\.2\.254 dev eth0 proto 84 src 192\.0\.2\.100 metric 50/m;

async function ip(director: LabDirector, ...args: readonly string[]): Promise<string> {
  const child: ChildProcess = director.namespace.spawn('ip', [...args]);
  assert.ok(child.stdout !== null);
  return await text(child.stdout);
}

/** How many of the two routes and two rules there are. */
async function countOf(director: LabDirector): Promise<number> {
  const shown = [
    await ip(director, 'route', 'show', 'table', 'all'),
    await ip(director, 'rule', 'show'),
  ].join('\n');
  return shown.split('\n').filter((line) => line.includes('proto 84')).length;
}

async function eventuallyCount(director: LabDirector, wanted: number): Promise<void> {
  let count = Number.NaN;
  let isAsking = false;
  await eventually(`${wanted} routes and rules`, () => {
    if (!isAsking) {
      isAsking = true;
      void countOf(director).then((now) => {
        count = now;
        isAsking = false;
      });
    }
    return count === wanted;
  });
}

async function activeLab(context: ConstructorParameters<typeof VrrpLab>[0]) {
  const lab = new VrrpLab(context);
  const [director, other] = lab.directors;
  director.start(router);
  await director.reaches('active');
  return { lab, director, other };
}

rootTest('routes and rules are on the Active only, and move with the router', async (context) => {
  const { director, other } = await activeLab(context);
  assert.match(await ip(director, 'route', 'show'), defaultRoute);
  assert.equal(await countOf(director), 4);
  other.start({ ...router, priority: 100 });
  await other.reaches('backup');
  assert.equal(await countOf(other), 0);
  await director.thread.stop();
  assert.equal(await countOf(director), 0);
  await other.reaches('active');
  assert.equal(await countOf(other), 4);
  assert.ok(
    [director, other].every((each) => each.said('log').every(({ level }) => level !== 'error')),
  );
});

rootTest('a route or rule that somebody removes is put back', async (context) => {
  const { director } = await activeLab(context);
  await ip(director, 'route', 'del', 'default', 'via', '192.0.2.254', 'proto', '84');
  await eventuallyCount(director, 4);
  await ip(director, 'rule', 'del', 'priority', '900');
  await eventuallyCount(director, 4);
  const texts = director.said('log').map(({ fields }) => String(fields.addresses));
  assert.ok(texts.some((each) => each.includes('default via 192.0.2.254')));
  assert.ok(texts.some((each) => each.includes('from 192.0.2.100/32')));
});

rootTest('routes that went with their link are back with it', async (context) => {
  const { director } = await activeLab(context);
  director.netlink.setLink('eth1', { up: false });
  await eventuallyCount(director, 3);
  director.netlink.setLink('eth1', { up: true });
  await eventuallyCount(director, 4);
  assert.equal(director.report()?.state, 'active', 'eth1 carries a route, and no address');
});

rootTest('a Backup takes off routes and rules that a crashed agent left', async (context) => {
  const { director } = await activeLab(context);
  await director.thread.kill();
  assert.equal(await countOf(director), 4);
  director.start({ ...router, advertIntervalCs: 4000 });
  await director.reaches('backup');
  await eventuallyCount(director, 0);
});

rootTest('a router that becomes Active adopts what a crashed agent left', async (context) => {
  const { director } = await activeLab(context);
  await director.thread.kill();
  const owner = { ...router, priority: 255 };
  director.start(owner);
  await director.reaches('active');
  assert.equal(await countOf(director), 4);
  assert.ok(director.said('log').every(({ level }) => level !== 'error'));
});

rootTest('release takes off routes and rules', async (context) => {
  const { director } = await activeLab(context);
  await director.thread.kill();
  const configuration = { routers: [router], syncGroups: [] };
  director.namespace.run(() => releaseAddresses(configuration));
  assert.equal(await countOf(director), 0);
  assert.ok(!director.holds());
});

rootTest('a reload changes routes and rules of an Active without a transition', async (context) => {
  const { director } = await activeLab(context);
  const before = director.said('transition').length;
  const [first, second] = routes;
  assert.ok(first !== undefined && second !== undefined);
  const moved = { ...first, metric: 60 };
  director.configure({
    routers: [{ ...router, routes: [moved], rules: rules.slice(0, 1) }],
    syncGroups: [],
  });
  await eventuallyCount(director, 2);
  assert.match(await ip(director, 'route', 'show'), /metric 60/);
  assert.equal(director.said('transition').length, before);
});

rootTest("a route that is somebody else's is reported, and left to its owner", async (context) => {
  const lab = new VrrpLab(context);
  const [director] = lab.directors;
  await ip(director, 'route', 'add', '10.0.0.0/8', 'dev', 'eth0', 'table', '1000');
  director.start(router);
  await director.reaches('active');
  await eventually('an error', () => director.said('log').some(({ level }) => level === 'error'));
  const texts = director.said('log').map(({ message }) => message);
  assert.ok(texts.some((each) => /10\.0\.0\.0\/8 table 1000.*not Tandem's/.test(each)));
  assert.equal(director.report()?.state, 'active');
  await director.thread.stop();
  assert.match(await ip(director, 'route', 'show', 'table', '1000'), /^10\.0\.0\.0\/8 dev eth0/m);
});
