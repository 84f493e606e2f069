/**
 * Segments that join simulated nodes, in virtual time: every packet is delayed, may be lost or come
 * twice, may overtake another, and does not cross a partition. Time passes only when something
 * happens, so hours cost milliseconds and every time in a test is exact.
 */
import { MinHeap } from '../../../src/health/minHeap.js';
import type { RouterKey } from '../../../src/vrrp/reconfiguration.js';
import type { NodeTransition, SentPacket, SimulatedNode } from './simulatedNode.js';

/** A transition, with who and when. */
export interface RecordedTransition extends NodeTransition {
  readonly node: string;
  readonly atUs: number;
}

/** How the segments treat packets. All are asked for each packet and receiver. */
export interface LanConditions {
  readonly delayUs: () => number;
  readonly isLost: () => boolean;
  /** Whether a packet comes twice; absent: never. */
  readonly isDoubled?: () => boolean;
  /** Time that a packet is held up beyond its delay, so that later ones overtake it; absent: 0. */
  readonly heldUpUs?: () => number;
}

/** A LAN that delivers at once and loses nothing. */
export const perfectConditions: LanConditions = { delayUs: () => 0, isLost: () => false };

interface Delivery {
  readonly to: SimulatedNode;
  readonly isLate: boolean;
  readonly packet: SentPacket;
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
  /** Packets that were held up: counted when they are missing, and again when they arrive. */
  late = 0;
  /** Nodes that came out of a stall. */
  thawed = 0;
  /** Whether a node changed its state at the present instant. */
  hasChanged = false;
  readonly #deliveries = new MinHeap<Delivery>();
  /** Paths that are cut: from whom, to whom, on which segment. */
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
    this.cutOneWay(one, other, segment);
    this.cutOneWay(other, one, segment);
  }

  /** What one node sends on a segment does not reach the other any more. */
  cutOneWay(from: SimulatedNode, to: SimulatedNode, segment: string): void {
    this.#cuts.add(`${from.name} ${to.name} ${segment}`);
  }

  /** Ends every partition. */
  healAll(): void {
    this.#cuts.clear();
  }

  /** Whether what one node sends does not reach the other. */
  isCut(from: SimulatedNode, to: SimulatedNode, segment: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from.name} ${to.name} ${segment}`);
  }

  /** Whether two nodes can hear each other on a segment now, and are able to react. */
  areConnected(one: SimulatedNode, other: SimulatedNode, segment: string): boolean {
    return this.hears(one, other, segment) && !this.isCut(one, other, segment);
  }

  /** Whether a node can hear another on a segment now; both are able to act. */
  hears(one: SimulatedNode, other: SimulatedNode, segment: string): boolean {
    return (
      one.isAble(this.nowUs, segment) &&
      other.isAble(this.nowUs, segment) &&
      !this.isCut(other, one, segment)
    );
  }

  /** Puts a packet onto a segment as if from a station that is no node. */
  inject(packet: SentPacket): void {
    for (const to of this.nodes) this.#deliveries.push(this.nowUs, { to, isLate: false, packet });
  }

  /** Lets time pass. */
  run(us: number): void {
    const endUs = this.nowUs + us;
    for (let nextUs = this.#nextEventUs(); nextUs <= endUs; nextUs = this.#nextEventUs()) {
      this.nowUs = nextUs;
      this.#runInstant();
    }
    this.nowUs = endUs;
    this.#onInstant(this);
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
    let nextUs = this.#deliveries.firstKey ?? Number.POSITIVE_INFINITY;
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
        this.hasChanged = false;
        return;
      }
      const { sent, transitions, thawed } = awake.turn(this.nowUs);
      if (thawed) this.thawed += 1;
      if (transitions.length > 0) this.hasChanged = true;
      for (const transition of transitions) {
        this.transitions.push({ ...transition, node: awake.name, atUs: this.nowUs });
      }
      for (const packet of sent) this.#multicast(awake, packet);
    }
    throw new Error(`time stands still at ${this.nowUs} us`);
  }

  #deliverDue(): void {
    for (
      let delivery = this.#deliveries.popUntil(this.nowUs);
      delivery !== undefined;
      delivery = this.#deliveries.popUntil(this.nowUs)
    ) {
      if (delivery.isLate) this.late += 1;
      delivery.to.receive(delivery.packet, this.nowUs);
    }
  }

  #multicast(from: SimulatedNode, packet: SentPacket): void {
    const { segment } = packet;
    const { priority } = packet.advertisement;
    this.sent.push({ node: from.name, segment, priority, atUs: this.nowUs });
    for (const to of this.nodes) {
      if (to === from || this.isCut(from, to, segment)) continue;
      if (this.conditions.isLost()) {
        this.lost += 1;
        continue;
      }
      const copies = this.conditions.isDoubled?.() === true ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        const heldUpUs = this.conditions.heldUpUs?.() ?? 0;
        if (heldUpUs > 0) this.late += 1;
        const atUs = this.nowUs + this.conditions.delayUs() + heldUpUs;
        this.#deliveries.push(atUs, { to, isLate: heldUpUs > 0, packet });
      }
    }
  }
}
