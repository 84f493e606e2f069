/**
 * What must hold on a LAN at every instant, whatever happened before. Bounds count from the last
 * disturbance (a fault, its end, or a lost packet): the protocol promises to recover, not to be
 * undisturbed.
 */
import type { RouterKey } from '../../../src/vrrp/reconfiguration.js';
import type { SimulatedLan } from './simulatedLan.js';
import type { SimulatedNode } from './simulatedNode.js';

/** How long recovery may take, in microseconds. */
export interface RecoveryBounds {
  /** Two connected nodes both Active. */
  readonly twoActivesUs: number;
  /** A node that can reach no Active, itself included. */
  readonly noActiveUs: number;
  /** After this there are no transitions at all. */
  readonly settledUs: number;
}

/** Watches one LAN; throws at the instant at which something does not hold. */
export class Invariants {
  readonly #bounds: RecoveryBounds;
  readonly #routers: readonly RouterKey[];
  readonly #isGroup: boolean;
  readonly #since = new Map<string, number>();
  #calmSinceUs = 0;
  #lostSeen = 0;
  #transitionsSeen = 0;

  constructor(routers: readonly RouterKey[], isGroup: boolean, bounds: RecoveryBounds) {
    this.#routers = routers;
    this.#isGroup = isGroup;
    this.#bounds = bounds;
  }

  /** Something was done to the LAN or to a node. */
  disturbed(nowUs: number): void {
    this.#calmSinceUs = nowUs;
  }

  /** Checks everything at the present instant. */
  check(lan: SimulatedLan): void {
    this.#noticeDisturbance(lan);
    this.#checkAddresses(lan);
    if (this.#isGroup) this.#checkGroups(lan);
    for (const router of this.#routers) {
      this.#checkTwoActives(lan, router);
      this.#checkNoActive(lan, router);
    }
    this.#checkFlapping(lan);
  }

  /** A lost packet is a disturbance, and so is the end of a stall. */
  #noticeDisturbance(lan: SimulatedLan): void {
    if (lan.lost !== this.#lostSeen) this.disturbed(lan.nowUs);
    this.#lostSeen = lan.lost;
    for (const node of lan.nodes) {
      if (!node.isStalled(lan.nowUs)) {
        this.#calmSinceUs = Math.max(this.#calmSinceUs, node.stalledUntilUs);
      }
    }
  }

  /** A node holds the addresses of a router exactly while it is Active for it. */
  #checkAddresses(lan: SimulatedLan): void {
    for (const node of lan.nodes) {
      const expected = [...node.routers.values()]
        .filter(({ current }) => current === 'active')
        .reduce((count, { spec }) => count + spec.addresses.length, 0);
      if (node.addresses.size !== expected) {
        throw new Error(`${node.name} holds ${[...node.addresses].join(' ') || 'nothing'}`);
      }
    }
  }

  /** Members of a sync group are Active together or not at all. */
  #checkGroups(lan: SimulatedLan): void {
    for (const node of lan.nodes) {
      const active = this.#routers.filter((router) => node.stateOf(router) === 'active');
      if (active.length !== 0 && active.length !== this.#routers.length) {
        throw new Error(`${node.name} is Active for ${active.join(' ')} alone`);
      }
    }
  }

  #checkTwoActives(lan: SimulatedLan, router: RouterKey): void {
    const segment = segmentOf(router);
    for (const [index, one] of lan.nodes.entries()) {
      for (const other of lan.nodes.slice(index + 1)) {
        const both = [one, other].every((node) => node.stateOf(router) === 'active');
        const holds = both && lan.areConnected(one, other, segment);
        const what = `${one.name} and ${other.name} are both Active for ${router}`;
        this.#limit(lan, what, holds, this.#bounds.twoActivesUs);
      }
    }
  }

  #checkNoActive(lan: SimulatedLan, router: RouterKey): void {
    for (const node of lan.nodes) {
      const what = `${node.name} reaches no Active for ${router}`;
      this.#limit(lan, what, this.#misses(lan, node, router), this.#bounds.noActiveUs);
    }
  }

  /** Where the segments are cut differently, a group may rightly hold back: not judged there. */
  #misses(lan: SimulatedLan, node: SimulatedNode, router: RouterKey): boolean {
    const segments = this.#routers.map(segmentOf);
    const able =
      node.running && !node.isStalled(lan.nowUs) && segments.every((s) => node.isUsable(s));
    if (!able) return false;
    const others = lan.nodes.filter((other) => other !== node);
    const unevenly = others.some((other) => {
      const cuts = segments.filter((segment) => lan.isCut(node, other, segment));
      const anyDown = segments.some((segment) => !other.isUsable(segment));
      return (cuts.length !== 0 && cuts.length !== segments.length) || (anyDown && other.running);
    });
    if (this.#isGroup && unevenly) return false;
    return ![node, ...others].some(
      (other) =>
        other.stateOf(router) === 'active' &&
        (other === node || lan.areConnected(node, other, segmentOf(router))),
    );
  }

  #checkFlapping(lan: SimulatedLan): void {
    for (const transition of lan.transitions.slice(this.#transitionsSeen)) {
      const quietUs = transition.atUs - this.#calmSinceUs;
      if (quietUs <= this.#bounds.settledUs) continue;
      const { node, router, to, reason } = transition;
      throw new Error(
        `${node} became ${to} for ${router} (${reason}) ${quietUs} us after all was calm`,
      );
    }
    this.#transitionsSeen = lan.transitions.length;
  }

  /** A condition may hold for a limited time, counted from its start or the last disturbance. */
  #limit(lan: SimulatedLan, what: string, holds: boolean, limitUs: number): void {
    if (!holds) {
      this.#since.delete(what);
      return;
    }
    const sinceUs = this.#since.get(what) ?? lan.nowUs;
    this.#since.set(what, sinceUs);
    const lastedUs = lan.nowUs - Math.max(sinceUs, this.#calmSinceUs);
    if (lastedUs > limitUs) throw new Error(`${what}, for ${lastedUs} us`);
  }
}

function segmentOf(router: RouterKey): string {
  return router.slice(0, router.lastIndexOf('/'));
}
