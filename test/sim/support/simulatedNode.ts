/**
 * A director in virtual time: the same pure election as the vrrp thread, and around it what the
 * thread and the kernel do: sockets that hold packets while the loop is stalled, and addresses.
 */

import { stampToMonotonicUs } from '../../../src/kernel/receiveTime.js';
import {
  type ElectionCommand,
  type ElectionState,
  emptyElection,
  type HeardAdvertisement,
  nextDeadlineUs,
  runTurn,
  type TurnEffects,
} from '../../../src/vrrp/election.js';
import type { MachineState } from '../../../src/vrrp/machineModel.js';
import type { VrrpConfiguration } from '../../../src/vrrp/protocol.js';
import type { TransitionReason, VirtualRouterState } from '../../../src/vrrp/reasons.js';
import { planReconfiguration, type RouterKey } from '../../../src/vrrp/reconfiguration.js';
import { formatIpPrefix, type IpAddress } from '../../../src/wire/ipAddress.js';
import type { Advertisement } from '../../../src/wire/vrrp.js';

/** Most packets that the simulated kernel keeps for one node. */
const socketPacketsMax = 2000;

/** An advertisement on its way. */
export interface SentPacket {
  readonly segment: string;
  readonly router: RouterKey;
  readonly source: IpAddress;
  readonly advertisement: Advertisement;
}

/** A packet in a socket: when the kernel received it, and by how much its stamp is wrong. */
interface WaitingPacket {
  readonly packet: SentPacket;
  readonly receivedUs: number;
  readonly clockOffsetUs: number;
}

/** A change of state, as the node's own thread would tell it. */
export interface NodeTransition {
  readonly router: RouterKey;
  readonly from: VirtualRouterState;
  readonly to: VirtualRouterState;
  readonly reason: TransitionReason;
}

/** What one turn of a node put out. */
export interface NodeTurn {
  readonly sent: readonly SentPacket[];
  readonly transitions: readonly NodeTransition[];
  /** Whether the node was stalled until now. */
  readonly thawed: boolean;
}

const nothing: NodeTurn = { sent: [], transitions: [], thawed: false };

/** One director. */
export class SimulatedNode {
  readonly name: string;
  /** Our address on each segment. */
  readonly sources: ReadonlyMap<string, IpAddress>;
  configuration: VrrpConfiguration;
  /** Virtual addresses that the simulated kernel has, as `address/length@interface`. */
  readonly addresses = new Set<string>();
  stalledUntilUs = 0;
  /** Whether the whole machine is paused while it is stalled, so that packets are lost too. */
  isPaused = false;
  #election: ElectionState = emptyElection;
  #running = false;
  #leaving = false;
  #lastReadUs = 0;
  /** How far the wall clock, which stamps the packets, is off the monotonic one. */
  #clockOffsetUs = 0;
  #waiting: WaitingPacket[] = [];
  #commands: ElectionCommand[] = [];
  readonly #downSegments = new Set<string>();
  #changedSegments = new Set<string>();

  constructor(
    name: string,
    sources: ReadonlyMap<string, IpAddress>,
    configuration: VrrpConfiguration,
  ) {
    this.name = name;
    this.sources = sources;
    this.configuration = configuration;
  }

  /** Whether the agent runs: it was started, and has neither crashed nor been stopped. */
  get running(): boolean {
    return this.#running;
  }

  /** The states of the node's virtual routers. */
  get routers(): ReadonlyMap<RouterKey, MachineState> {
    return this.#election.routers;
  }

  /** Timers that wait in the node's queue, stale ones included. */
  get timerCount(): number {
    return this.#election.timers.size;
  }

  isStalled(nowUs: number): boolean {
    return nowUs < this.stalledUntilUs;
  }

  /** Whether the interface of a segment is up. */
  isUsable(segment: string): boolean {
    return !this.#downSegments.has(segment);
  }

  /** Whether the node can hear and speak on a segment. */
  isAble(nowUs: number, segment: string): boolean {
    return this.#running && !this.isStalled(nowUs) && this.isUsable(segment);
  }

  /** Whether a tracker keeps one of the routers on a segment from running. */
  hasFault(segment: string): boolean {
    for (const { spec, faults } of this.#election.routers.values()) {
      if (spec.interface === segment && faults.length > 0) return true;
    }
    return false;
  }

  stateOf(router: RouterKey): VirtualRouterState | undefined {
    return this.#election.routers.get(router)?.current;
  }

  /** Whether it was told to stop, and has not been started since. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** Starts the agent on a machine that holds no virtual address. */
  start(): void {
    this.#running = true;
    this.#leaving = false;
    this.#reconfigure([]);
  }

  /** Loads another configuration into the running agent. */
  reload(configuration: VrrpConfiguration): void {
    if (this.#leaving) return;
    const { routers } = this.configuration;
    this.configuration = configuration;
    this.#reconfigure(routers);
  }

  command(command: ElectionCommand): void {
    // As the thread does it, which takes no orders after that.
    if (this.#leaving) return;
    this.#commands.push(command);
    if (command.type === 'stop') this.#running = false;
    if (command.type === 'leave') this.#leaving = true;
  }

  /** The machine loses power: nothing is said, nothing is left. */
  crash(): void {
    this.#running = false;
    this.#election = emptyElection;
    this.#waiting = [];
    this.#commands = [];
    this.addresses.clear();
    this.stalledUntilUs = 0;
    this.isPaused = false;
  }

  /** The loop does not run until then; `isPaused` as the field of that name. */
  stall(untilUs: number, isPaused = false): void {
    this.stalledUntilUs = untilUs;
    this.isPaused = isPaused;
  }

  /** Somebody sets the wall clock. */
  jumpClock(us: number): void {
    this.#clockOffsetUs += us;
  }

  setInterface(segment: string, up: boolean): void {
    if (up) this.#downSegments.delete(segment);
    else this.#downSegments.add(segment);
    this.#changedSegments.add(segment);
  }

  /** The kernel receives a packet, whatever the agent is doing. */
  receive(packet: SentPacket, nowUs: number): void {
    if (!this.#running || !this.isUsable(packet.segment)) return;
    if (this.isPaused && this.isStalled(nowUs)) return;
    if (this.#waiting.length >= socketPacketsMax) return;
    this.#waiting.push({ packet, receivedUs: nowUs, clockOffsetUs: this.#clockOffsetUs });
  }

  /** When the node's loop wakes up next; infinite when it has nothing to do. */
  nextWakeUs(nowUs: number): number {
    if (this.isStalled(nowUs)) return this.stalledUntilUs;
    const hasWork =
      this.#commands.length > 0 || this.#waiting.length > 0 || this.#changedSegments.size > 0;
    if (hasWork) return nowUs;
    return nextDeadlineUs(this.#election) ?? Number.POSITIVE_INFINITY;
  }

  /** One turn of the loop, as the vrrp thread makes it: hear, take messages, run what is due. */
  turn(nowUs: number): NodeTurn {
    if (this.isStalled(nowUs)) return nothing;
    const inputs = {
      advertisements: this.#readSockets(nowUs),
      interfaces: this.#readInterfaces(),
      commands: this.#commands,
    };
    this.#commands = [];
    const { state, effects } = runTurn(this.#election, inputs, nowUs);
    this.#election = state;
    if (this.#leaving && state.routers.size === 0) this.#running = false;
    const sent = this.#send(effects);
    this.#moveAddresses(effects);
    const thawed = this.stalledUntilUs !== 0;
    this.stalledUntilUs = 0;
    this.isPaused = false;
    return { sent, transitions: effects.transitions, thawed };
  }

  #reconfigure(running: VrrpConfiguration['routers']): void {
    const plan = planReconfiguration(running, this.configuration);
    const addresses = new Map([...this.sources].filter(([segment]) => this.isUsable(segment)));
    this.#commands.push({ type: 'reconfigure', plan, addresses });
  }

  /** The time of a packet is what the thread makes of the kernel's stamp. */
  #readSockets(nowUs: number): readonly HeardAdvertisement[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    const clocks = { realtimeUs: nowUs + this.#clockOffsetUs, monotonicUs: nowUs };
    const heard = waiting.map(({ packet, receivedUs, clockOffsetUs }) => {
      const stampedUs = stampToMonotonicUs(receivedUs + clockOffsetUs, clocks);
      return { ...packet, receivedUs: Math.max(stampedUs, this.#lastReadUs) };
    });
    this.#lastReadUs = nowUs;
    return heard.filter(({ router }) => this.#election.routers.has(router));
  }

  #readInterfaces(): ReadonlyMap<string, IpAddress | undefined> {
    const changed = new Map<string, IpAddress | undefined>();
    for (const segment of this.#changedSegments) {
      changed.set(segment, this.isUsable(segment) ? this.sources.get(segment) : undefined);
    }
    if (this.#changedSegments.size > 0) this.#changedSegments = new Set();
    return changed;
  }

  #send(effects: TurnEffects): readonly SentPacket[] {
    return effects.advertisements.flatMap(({ router, spec, priority }) => {
      const segment = spec.interface;
      const source = this.sources.get(segment);
      if (source === undefined || !this.isUsable(segment)) return [];
      const { vrid, advertIntervalCs } = spec;
      const addresses = spec.addresses.map(({ prefix }) => prefix.address);
      const advertisement = { vrid, priority, advertIntervalCs, addresses };
      return [{ segment, router, source, advertisement }];
    });
  }

  #moveAddresses(effects: TurnEffects): void {
    for (const { type, addresses } of effects.addressChanges) {
      for (const address of addresses) {
        const text = `${formatIpPrefix(address.prefix)}@${address.interface}`;
        if (type === 'add-addresses') this.addresses.add(text);
        else this.addresses.delete(text);
      }
    }
  }
}
