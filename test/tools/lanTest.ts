/** Tests with daemons on a LAN: everything they start is gone when they end, however they end. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Capture,
  type CapturedAdvert,
  type CapturedFrame,
  type CapturedGratuitousArp,
  type CapturedNeighborAdvertisement,
} from '../../src/drill/capture.js';
import { activeDownUs } from '../../src/vrrp/timing.js';
import type { IpFamily } from '../../src/wire/ipAddress.js';
import { rootTest } from '../kernel/support/rootTest.js';
import type {
  DirectorDaemon,
  DirectorProgram,
  ElectionMode,
  RouterSettings,
} from './directorDaemon.js';
import { type DirectorName, Lan, type LanNode, peerOf } from './lan.js';
import { longestDoubleOwnershipUs, type OwnershipLook, OwnershipWatch } from './ownership.js';
import { highPriority, isInstalled, lowPriority, startDirector } from './startDirector.js';
import { TandemDirector } from './tandemDirector.js';
import { waitFor } from './waiting.js';

/** What tells the link who has an address. */
export type CapturedAnnouncement = CapturedGratuitousArp | CapturedNeighborAdvertisement;

/** How many adverts the Backup must have had the time to hear before a pair counts as settled. */
const settlingAdverts = 3;

/** A test on a LAN of its own. Skipped without root or without one of the `programs`. */
export function lanTest(
  title: string,
  programs: readonly string[],
  body: (scene: LanScene) => Promise<void>,
  family: IpFamily = 4,
): void {
  rootTest(title, async (context) => {
    for (const program of programs) {
      if (isInstalled(program)) continue;
      const reason = `needs ${program}, which is not installed`;
      assert.notEqual(process.env.CI, 'true', reason);
      context.skip(reason);
      return;
    }
    const scene = new LanScene(context, family);
    try {
      await body(scene);
    } catch (error) {
      for (const line of scene.evidence()) context.diagnostic(line);
      throw error;
    } finally {
      await scene.end();
    }
  });
}

/** A LAN, what runs on it, and what has been seen on it. */
export class LanScene {
  readonly lan: Lan;
  readonly context: TestContext;
  readonly #capture: Capture;
  readonly #ownership: OwnershipWatch;
  readonly #daemons: DirectorDaemon[] = [];

  constructor(context: TestContext, family: IpFamily) {
    this.context = context;
    this.lan = new Lan(family);
    this.#capture = new Capture(this.lan.network, 'lan', true);
    this.#ownership = new OwnershipWatch(this.lan);
  }

  /** Starts a director and waits until it takes part in the election. */
  async start(
    program: DirectorProgram,
    node: DirectorName,
    settings: RouterSettings,
  ): Promise<DirectorDaemon> {
    const daemon = startDirector(this.lan, program, node, settings);
    this.#daemons.push(daemon);
    await daemon.waitUntilReady();
    return daemon;
  }

  /** Starts our agent, with everything that only ours can tell. */
  async startTandem(
    node: DirectorName,
    config: RouterSettings | string,
    environment: Readonly<Record<string, string>> = {},
    wrapper: readonly string[] = [],
  ): Promise<TandemDirector> {
    const daemon = new TandemDirector(this.lan, node, config, environment, wrapper);
    this.#daemons.push(daemon);
    await daemon.waitUntilReady();
    return daemon;
  }

  /** Starts a pair of which lb1 is preferred, and waits until lb1 is Active and lb2 knows it. */
  async startPair(
    programs: Readonly<Record<DirectorName, DirectorProgram>>,
    advertIntervalMs: number,
    mode: ElectionMode = {},
    priority: number = highPriority,
  ): Promise<Readonly<Record<DirectorName, DirectorDaemon>>> {
    const common = { ...mode, advertIntervalMs };
    const lb1 = await this.start(programs.lb1, 'lb1', { ...common, priority });
    await this.waitForHolder('lb1');
    const lb2 = await this.start(programs.lb2, 'lb2', { ...common, priority: lowPriority });
    await this.staysWith('lb1', advertIntervalMs);
    return { lb1, lb2 };
  }

  /** Waits until one director has the address and the other has not. */
  async waitForHolder(node: DirectorName): Promise<void> {
    await waitFor(`the virtual address on ${node} only`, () => this.lan.holders().join() === node);
  }

  /** Sees that the address stays where it is for the time of some adverts. */
  async staysWith(node: DirectorName, advertIntervalMs: number): Promise<void> {
    const before = this.advertsOf(node).length;
    await waitFor(`adverts of ${node}`, () => {
      assert.deepEqual(this.lan.holders(), [node]);
      return this.advertsOf(node).length >= before + settlingAdverts;
    });
    const other = this.advertsOf(peerOf(node)).at(-1)?.atUs ?? 0;
    const ours = this.advertsOf(node).at(-settlingAdverts)?.atUs ?? 0;
    assert.ok(other < ours + advertIntervalMs * 1_000, 'the other has fallen silent');
  }

  /** All frames that have been heard, in the order of their times. */
  frames(): readonly CapturedFrame[] {
    return [...this.#capture.frames].sort((left, right) => left.atUs - right.atUs);
  }

  /** The adverts of one director, in the order of their times. */
  advertsOf(node: DirectorName): readonly CapturedAdvert[] {
    return this.frames().filter(
      (frame): frame is CapturedAdvert =>
        frame.kind === 'advert' && this.lan.ownAddresses(node).includes(frame.source),
    );
  }

  /** The gratuitous ARPs, or neighbor advertisements, with which a node claimed the address. */
  announcementsOf(
    node: LanNode,
    macAddress: string = this.lan.macAddress(node),
  ): readonly CapturedAnnouncement[] {
    return this.frames().filter(
      (frame): frame is CapturedAnnouncement =>
        frame.kind !== 'advert' &&
        frame.address === this.lan.virtualAddress &&
        frame.macAddress === macAddress,
    );
  }

  /** The first advert of a director after a time; waits for it. */
  firstAdvertAfter(node: DirectorName, atUs: number): Promise<CapturedAdvert> {
    return waitFor(`an advert of ${node}`, () =>
      this.advertsOf(node).find((advert) => advert.atUs > atUs),
    );
  }

  /** The announcement that goes with an advert of a new Active; waits for it. */
  firstAnnouncementAfter(
    node: DirectorName,
    atUs: number,
    macAddress: string = this.lan.macAddress(node),
  ): Promise<CapturedAnnouncement> {
    return waitFor(`a gratuitous ARP of ${node}`, () =>
      this.announcementsOf(node, macAddress).find((announcement) => announcement.atUs > atUs),
    );
  }

  /** Sees that it never had two owners for long. */
  assertNeverTwoOwnersForLong(advertIntervalMs: number): void {
    const boundUs = activeDownUs(lowPriority, advertIntervalMs * 1_000);
    const longestUs = longestDoubleOwnershipUs(this.ownership());
    assert.ok(longestUs < boundUs, `two owners for ${longestUs} us, more than ${boundUs} us`);
  }

  /** Who had the address when, up to now. */
  ownership(): readonly OwnershipLook[] {
    return this.#ownership.looks();
  }

  /** What helps to understand a failure. */
  evidence(): readonly string[] {
    const owners = this.ownership().map((look) => `${look.atUs} owners: ${look.holders.join(' ')}`);
    const logs = this.#daemons.map(
      (daemon) => `${daemon.node} ${daemon.program}: ${daemon.logTail}`,
    );
    return [...owners, ...logs];
  }

  /** Ends all of it. */
  async end(): Promise<void> {
    this.#ownership.stop();
    this.#capture.stop();
    await Promise.allSettled(this.#daemons.map((daemon) => daemon.kill()));
    this.lan.remove();
    // The last events of ended processes find their listeners before the next test begins.
    await sleep(0);
  }
}
