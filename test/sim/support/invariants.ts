/**
 * What must hold on a LAN at every instant, whatever happened before. Bounds count from the last
 * disturbance (a fault, its end, a lost or late packet, the end of a demotion): the protocol
 * promises to recover, not to be undisturbed.
 */
import type { RouterKey } from '../../../src/vrrp/reconfiguration.js';
import type { SimulatedLan } from './simulatedLan.js';
import type { SimulatedNode } from './simulatedNode.js';

/** How long recovery may take, in microseconds. */
export interface RecoveryBounds {
  /** Two connected nodes both Active. */
  readonly twoActivesUs: number;
  /** A node that can hear no Active, itself included. */
  readonly noActiveUs: number;
  /** After this there are no transitions at all. */
  readonly settledUs: number;
}

/** What is judged. */
export interface Setup {
  /** Each with its segment. */
  readonly routers: readonly { readonly key: RouterKey; readonly segment: string }[];
  /** Sync groups of more than one router. */
  readonly groups: readonly (readonly RouterKey[])[];
  readonly bounds: RecoveryBounds;
}

/** Something that must not last, since when it does, and how long it may. */
interface Lasting {
  readonly sinceUs: number;
  readonly limitUs: number;
}

/** Watches one LAN; throws at the instant at which something does not hold. */
export class Invariants {
  readonly #setup: Setup;
  /** What holds at present and must not for long. Most of the time it is empty. */
  #lasting = new Map<string, Lasting>();
  #calmSinceUs = 0;
  /** Packets lost and late, and nodes thawed. */
  #troublesSeen = 0;
  #transitionsSeen = 0;
  #isStale = true;
  /** When a demotion, a hold or a step-down next ends by itself. */
  #nextEndUs = Number.POSITIVE_INFINITY;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** Something was done to the LAN or to a node. */
  disturbed(nowUs: number): void {
    this.#calmSinceUs = nowUs;
    this.#isStale = true;
  }

  /** Checks everything at the present instant. */
  check(lan: SimulatedLan): void {
    const seen = lan.lost + lan.late + lan.thawed;
    const isDisturbed = seen !== this.#troublesSeen;
    if (isDisturbed || lan.nowUs >= this.#nextEndUs) this.disturbed(lan.nowUs);
    this.#troublesSeen = seen;
    if (lan.hasChanged || this.#isStale) this.#look(lan);
    this.#judgeLasting(lan.nowUs);
    this.#judgeTransitions(lan);
  }

  /** States change seldom, so what follows from them is looked at only when they do. */
  #look(lan: SimulatedLan): void {
    this.#isStale = false;
    for (const node of lan.nodes) {
      if (node.running && node.isStalled(lan.nowUs)) this.#isStale = true;
      this.#judgeAddresses(node);
      for (const group of this.#setup.groups) judgeGroup(node, group);
    }
    this.#nextEndUs = nextEndUs(lan);
    const before = this.#lasting;
    this.#lasting = new Map();
    const { twoActivesUs, noActiveUs } = this.#setup.bounds;
    for (const { key, segment } of this.#setup.routers) {
      const active = lan.nodes.filter((node) => node.stateOf(key) === 'active');
      for (const [index, one] of active.entries()) {
        for (const other of active.slice(index + 1)) {
          if (!lan.areConnected(one, other, segment)) continue;
          this.#note(
            before,
            lan,
            `${one.name} and ${other.name} both Active: ${key}`,
            twoActivesUs,
          );
        }
      }
      for (const node of lan.nodes) {
        if (!this.#misses(lan, node, key, segment)) continue;
        this.#note(before, lan, `${node.name} hears no Active: ${key}`, noActiveUs);
      }
    }
  }

  #note(
    before: ReadonlyMap<string, Lasting>,
    lan: SimulatedLan,
    what: string,
    limitUs: number,
  ): void {
    this.#lasting.set(what, before.get(what) ?? { sinceUs: lan.nowUs, limitUs });
  }

  #judgeLasting(nowUs: number): void {
    for (const [what, { sinceUs, limitUs }] of this.#lasting) {
      const lastedUs = nowUs - Math.max(sinceUs, this.#calmSinceUs);
      if (lastedUs > limitUs) throw new Error(`${what}, for ${lastedUs} us`);
    }
  }

  #judgeTransitions(lan: SimulatedLan): void {
    for (const transition of lan.transitions.slice(this.#transitionsSeen)) {
      const quietUs = transition.atUs - this.#calmSinceUs;
      if (quietUs <= this.#setup.bounds.settledUs) continue;
      const { node, router, to, reason } = transition;
      throw new Error(
        `${node} became ${to} for ${router} (${reason}) ${quietUs} us after all was calm`,
      );
    }
    this.#transitionsSeen = lan.transitions.length;
  }

  /** A node holds the addresses of a router exactly while it is Active for it. */
  #judgeAddresses(node: SimulatedNode): void {
    let expected = 0;
    for (const { current, spec } of node.routers.values()) {
      if (current === 'active') expected += spec.addresses.length;
    }
    if (node.addresses.size !== expected) {
      throw new Error(`${node.name} holds ${[...node.addresses].join(' ') || 'nothing'}`);
    }
  }

  /** Where the segments are cut differently, a group may rightly hold back: not judged there. */
  #misses(lan: SimulatedLan, node: SimulatedNode, key: RouterKey, segment: string): boolean {
    const segments = this.#segmentsOfGroup(key);
    if (!segments.every((each) => node.isAble(lan.nowUs, each) && !node.hasFault(each))) {
      return false;
    }
    if (node.stateOf(key) === 'active') return false;
    const others = lan.nodes.filter((other) => other !== node);
    if (segments.length > 1 && others.some((other) => isUneven(lan, node, other, segments))) {
      return false;
    }
    return !others.some(
      (other) => other.stateOf(key) === 'active' && lan.hears(node, other, segment),
    );
  }

  #segmentsOfGroup(key: RouterKey): readonly string[] {
    const group = this.#setup.groups.find((members) => members.includes(key)) ?? [key];
    return this.#setup.routers
      .filter((router) => group.includes(router.key))
      .map(({ segment }) => segment);
  }
}

/** Whether two nodes see each other on some of the segments only, or only in one direction. */
function isUneven(
  lan: SimulatedLan,
  node: SimulatedNode,
  other: SimulatedNode,
  segments: readonly string[],
): boolean {
  const isHandicapped = (segment: string) => !other.isUsable(segment) || other.hasFault(segment);
  if (other.running && segments.some(isHandicapped)) return true;
  const heard = segments.filter((segment) => !lan.isCut(other, node, segment));
  const told = segments.filter((segment) => !lan.isCut(node, other, segment));
  return [heard, told].some(({ length }) => length !== 0 && length !== segments.length);
}

/** Members of a sync group are Active together or not at all. */
function judgeGroup(node: SimulatedNode, group: readonly RouterKey[]): void {
  const active = group.filter((router) => node.stateOf(router) === 'active');
  if (active.length !== 0 && active.length !== group.length) {
    throw new Error(`${node.name} is Active for ${active.join(' ')} alone`);
  }
}

/** Demotions, holds and delays that end by themselves disturb the peace when they do. */
function nextEndUs(lan: SimulatedLan): number {
  let next = Number.POSITIVE_INFINITY;
  for (const node of lan.nodes) {
    for (const { stepDown, holds, lateness, startupUntilUs, spec } of node.routers.values()) {
      const holdEnd = (untilUs: number) => untilUs + spec.preempt.delayMs * 1000;
      const ends = [
        stepDown?.untilUs,
        lateness.demotedUntilUs,
        startupUntilUs,
        ...holds.flatMap(({ untilUs }) => [untilUs, holdEnd(untilUs)]),
      ];
      for (const endUs of ends) {
        if (endUs !== undefined && endUs > lan.nowUs) next = Math.min(next, endUs);
      }
    }
  }
  return next;
}
