/**
 * Segments that join simulated nodes, in virtual time: every packet is delayed, may be lost, and
 * does not cross a partition. Time passes only when something happens, so hours cost milliseconds
 * and every time in a test is exact.
 */
import type { RouterKey } from '../../../src/vrrp/reconfiguration.js';
import type { NodeTransition, SimulatedNode } from './simulatedNode.js';

/** A transition, with who and when. */
export interface RecordedTransition extends NodeTransition {
  readonly node: string;
  readonly atUs: number;
}

/** How the segments treat packets. Both are asked for each packet and receiver. */
export interface LanConditions {
  readonly delayUs: () => number;
  readonly isLost: () => boolean;
}

/** A LAN that delivers at once and loses nothing. */
export const perfectConditions: LanConditions = { delayUs: () => 0, isLost: () => false };

interface Delivery {
  readonly atUs: number;
  readonly to: SimulatedNode;
  readonly segment: string;
  readonly bytes: Uint8Array;
}

/** Turns at one instant; more mean that two nodes answer each other without time passing. */
const turnsPerInstantMax = 1000;

/** The LAN and its clock. */
export class SimulatedLan {
  nowUs = 0;
  conditions: LanConditions;
  readonly nodes: SimulatedNode[] = [];
  readonly transitions: RecordedTransition[] = [];
  /** Advertisements that were sent, by node and segment, with their priorities. */
  readonly sent: { node: string; segment: string; priority: number; atUs: number }[] = [];
  /** Packets that the conditions lost. */
  lost = 0;
  readonly #deliveries: Delivery[] = [];
  readonly #cuts = new Set<string>();
  readonly #onInstant: (lan: SimulatedLan) => void;

  constructor(
    conditions: LanConditions = perfectConditions,
    onInstant: (lan: SimulatedLan) => void = () => undefined,
  ) {
    this.conditions = conditions;
    this.#onInstant = onInstant;
  }

  /** Cuts the path between two nodes on a segment, in both directions. */
  cut(one: SimulatedNode, other: SimulatedNode, segment: string): void {
    this.#cuts.add(`${one.name} ${other.name} ${segment}`);
    this.#cuts.add(`${other.name} ${one.name} ${segment}`);
  }

  /** Ends every partition. */
  healAll(): void {
    this.#cuts.clear();
  }

  isCut(one: SimulatedNode, other: SimulatedNode, segment: string): boolean {
    return this.#cuts.has(`${one.name} ${other.name} ${segment}`);
  }

  /** Whether two nodes can hear each other on a segment now, and are able to react. */
  areConnected(one: SimulatedNode, other: SimulatedNode, segment: string): boolean {
    const able = [one, other].every(
      (node) => node.running && !node.isStalled(this.nowUs) && node.isUsable(segment),
    );
    return able && !this.isCut(one, other, segment);
  }

  /** Puts a packet onto a segment as if from a station that is no node. */
  inject(segment: string, bytes: Uint8Array): void {
    for (const to of this.nodes) {
      this.#deliveries.push({ atUs: this.nowUs, to, segment, bytes });
    }
  }

  /** Lets time pass. */
  run(us: number): void {
    const endUs = this.nowUs + us;
    for (let nextUs = this.#nextEventUs(); nextUs <= endUs; nextUs = this.#nextEventUs()) {
      this.nowUs = nextUs;
      this.#runInstant();
    }
    this.nowUs = endUs;
  }

  /** The node that is Active for a router; throws when it is not exactly one. */
  activeOf(router: RouterKey): SimulatedNode {
    const active = this.nodes.filter((node) => node.stateOf(router) === 'active');
    const [only] = active;
    if (only !== undefined && active.length === 1) return only;
    throw new Error(`Active are: ${active.map(({ name }) => name).join(', ') || 'none'}`);
  }

  /** When a node last became Active; throws when it never did. */
  lastPromotionUs(node: SimulatedNode): number {
    const found = this.transitions.findLast(
      (each) => each.node === node.name && each.to === 'active',
    );
    if (found === undefined) throw new Error(`${node.name} never became Active`);
    return found.atUs;
  }

  #nextEventUs(): number {
    let nextUs = Number.POSITIVE_INFINITY;
    for (const { atUs } of this.#deliveries) nextUs = Math.min(nextUs, atUs);
    for (const node of this.nodes) nextUs = Math.min(nextUs, node.nextWakeUs(this.nowUs));
    return Math.max(nextUs, this.nowUs);
  }

  /** Packets that arrive at an instant are in the sockets before any loop runs at that instant. */
  #runInstant(): void {
    for (let turns = 0; turns < turnsPerInstantMax; turns += 1) {
      this.#deliverDue();
      const awake = this.nodes.find((node) => node.nextWakeUs(this.nowUs) <= this.nowUs);
      if (awake === undefined) {
        this.#onInstant(this);
        return;
      }
      const { sent, transitions } = awake.turn(this.nowUs);
      for (const transition of transitions) {
        this.transitions.push({ ...transition, node: awake.name, atUs: this.nowUs });
      }
      for (const { segment, bytes } of sent) this.#multicast(awake, segment, bytes);
    }
    throw new Error(`time stands still at ${this.nowUs} us`);
  }

  #deliverDue(): void {
    for (let index = 0; index < this.#deliveries.length; ) {
      const delivery = this.#deliveries[index];
      if (delivery === undefined || delivery.atUs > this.nowUs) {
        index += 1;
        continue;
      }
      this.#deliveries.splice(index, 1);
      delivery.to.receive(delivery.segment, delivery.bytes, this.nowUs);
    }
  }

  #multicast(from: SimulatedNode, segment: string, bytes: Uint8Array): void {
    const priorityOffset = 22;
    const priority = bytes[priorityOffset] ?? 0;
    this.sent.push({ node: from.name, segment, priority, atUs: this.nowUs });
    for (const to of this.nodes) {
      if (to === from || this.isCut(from, to, segment)) continue;
      if (this.conditions.isLost()) {
        this.lost += 1;
        continue;
      }
      const atUs = this.nowUs + this.conditions.delayUs();
      this.#deliveries.push({ atUs, to, segment, bytes });
    }
  }
}
