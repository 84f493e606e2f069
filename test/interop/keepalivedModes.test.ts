/**
 * Every way in which an election can be held, beside keepalived: each program in each role, and the
 * address goes over both ways, once by a resignation and once by preemption.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { CapturedAdvert } from '../../src/drill/capture.js';
import type { TransitionReason, VirtualRouterState } from '../../src/vrrp/reasons.js';
import { familyOf, type IpAddress } from '../../src/wire/ipAddress.js';
import { resignPriority, vrrpGroup } from '../../src/wire/vrrp.js';
import type { DirectorDaemon, DirectorProgram, ElectionMode } from '../tools/directorDaemon.js';
import { type DirectorName, directors, peerOf } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { routerLayout } from '../tools/routerLayout.js';
import { lowPriority } from '../tools/startDirector.js';
import { TandemDirector } from '../tools/tandemDirector.js';

/** Still the higher one when a busy machine made its director late, and it is demoted. */
const preferredPriority = 200;

interface Case {
  readonly title: string;
  readonly mode: ElectionMode;
  /** Version 2 has whole seconds only. */
  readonly advertIntervalMs?: number;
}

const cases: readonly Case[] = [
  { title: 'version 2', mode: { version: 2 }, advertIntervalMs: 1_000 },
  {
    title: 'version 2 with a password',
    mode: { version: 2, password: 's3cret' },
    advertIntervalMs: 1_000,
  },
  { title: 'version 3, IPv4', mode: {} },
  { title: 'version 3, IPv6', mode: { family: 6 } },
  { title: 'unicast, IPv4', mode: { unicast: true } },
  { title: 'unicast, IPv6', mode: { unicast: true, family: 6 } },
  { title: 'virtual MAC', mode: { virtualMac: true } },
  { title: 'sync group', mode: { isSyncGroup: true, routerCount: 2 } },
  { title: 'nopreempt', mode: { preempt: false } },
];

const pairs = [
  { lb1: 'tandem', lb2: 'keepalived' },
  { lb1: 'keepalived', lb2: 'tandem' },
] as const;

/** The virtual MAC address of the virtual router (RFC 9568, 7.3). */
const virtualMacAddress = '00:00:5e:00:01:33';

/** Each has a network of its own, and most of its time passes in waiting for timers. */
const atOnce = 4;

describe('elections of every kind beside keepalived', { concurrency: atOnce }, () => {
  for (const { title, mode, advertIntervalMs = 200 } of cases) {
    for (const pair of pairs) {
      const body = (scene: LanScene): Promise<void> =>
        goOverBothWays(scene, pair, mode, advertIntervalMs);
      const roles = `${pair.lb1} hands over to ${pair.lb2} and takes over again`;
      lanTest(`${title}: ${roles}`, ['keepalived'], body, mode.family);
    }
  }
});

async function goOverBothWays(
  scene: LanScene,
  pair: Readonly<Record<DirectorName, DirectorProgram>>,
  mode: ElectionMode,
  advertIntervalMs: number,
): Promise<void> {
  const { lb1, lb2 } = await scene.startPair(pair, advertIntervalMs, mode, preferredPriority);
  await assertOurView([lb1, 'active', 'active-down-timer'], [lb2, 'backup', 'startup']);

  await lb1.stop();
  await scene.waitForHolder('lb2');
  await assertHandover(scene, 'lb1', 'lb2', mode);
  await scene.staysWith('lb2', advertIntervalMs);
  await assertOurView([lb2, 'active', 'active-resigned']);

  const settings = { ...mode, priority: preferredPriority, advertIntervalMs };
  const again = await scene.start(pair.lb1, 'lb1', settings);
  if (mode.preempt === false) {
    await scene.staysWith('lb2', advertIntervalMs);
    await assertOurView([again, 'backup', 'startup'], [lb2, 'active', 'active-resigned']);
    await lb2.stop();
    await scene.waitForHolder('lb1');
    await assertHandover(scene, 'lb2', 'lb1', mode);
    await assertOurView([again, 'active', 'active-resigned']);
  } else {
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    await assertOurView(
      [again, 'active', 'active-down-timer'],
      [lb2, 'backup', 'higher-priority-heard'],
    );
  }
  scene.assertNeverTwoOwnersForLong(advertIntervalMs);
  for (const node of directors) assertAdverts(scene, node, mode);
}

/** The one resigned for every router, and the other then advertised and announced the address. */
async function assertHandover(
  scene: LanScene,
  from: DirectorName,
  to: DirectorName,
  mode: ElectionMode,
): Promise<void> {
  const vrids = routerLayout(mode).map(({ vrid }) => vrid);
  const resigned = scene.advertsOf(from).slice(-vrids.length);
  assert.deepEqual(
    resigned.map(({ vrid, priority }) => [vrid, priority]).sort(),
    vrids.map((vrid) => [vrid, resignPriority]).sort(),
    'the last word was priority 0',
  );
  const { atUs } = resigned.at(-1) as CapturedAdvert;
  await scene.firstAdvertAfter(to, atUs);
  const macAddress = mode.virtualMac === true ? virtualMacAddress : scene.lan.macAddress(to);
  await scene.firstAnnouncementAfter(to, atUs, macAddress);
}

/** What ours says of itself; keepalived says nothing. */
async function assertOurView(
  ...views: readonly [DirectorDaemon, VirtualRouterState, TransitionReason][]
): Promise<void> {
  for (const [agent, state, reason] of views) {
    if (!(agent instanceof TandemDirector)) continue;
    // An Active that has not been heard yet is not known.
    const { virtualRouters } = await agent.waitForStatus('the Active is known', (status) =>
      status.virtualRouters.every((router) => router.active?.self === (state === 'active')),
    );
    for (const router of virtualRouters) {
      const hasMoved = virtualRouters.length > 1 && router.reason === 'sync-group';
      assert.equal(router.state, state, router.name);
      if (!hasMoved) assert.equal(router.reason, reason, router.name);
      assert.deepEqual(router.counters.rejected, {}, router.name);
      assert.deepEqual(router.counters.warnings, {}, router.name);
      const wanted: number = agent.node === 'lb1' ? preferredPriority : lowPriority;
      assert.equal(router.priority.effective, wanted, router.name);
    }
  }
}

/** All adverts of a director are of the version and go the way that was asked for. */
function assertAdverts(scene: LanScene, node: DirectorName, mode: ElectionMode): void {
  const { version = 3, family = 4, unicast = false, virtualMac = false } = mode;
  const adverts = scene.advertsOf(node);
  assert.ok(adverts.length > 0, `adverts of ${node}`);
  const macAddress = virtualMac ? virtualMacAddress : scene.lan.macAddress(node);
  const peerAddresses = scene.lan.ownAddresses(peerOf(node));
  const isExpected = (destination: IpAddress): boolean =>
    unicast ? peerAddresses.includes(destination) : destination === vrrpGroup(family);
  for (const advert of adverts) {
    assert.equal(advert.version, version);
    assert.equal(familyOf(advert.source), family);
    assert.equal(advert.macAddress, macAddress);
    assert.ok(isExpected(advert.destination), advert.destination);
  }
}
