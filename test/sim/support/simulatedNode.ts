/**
 * A director in virtual time: the same pure election as the vrrp thread, and around it what the
 * thread and the kernel do: sockets that hold packets while the loop is stalled, and addresses.
 */
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
import type { VirtualRouterSpec, VrrpConfiguration } from '../../../src/vrrp/protocol.js';
import type { TransitionReason, VirtualRouterState } from '../../../src/vrrp/reasons.js';
import {
  planReconfiguration,
  type RouterKey,
  routerKey,
} from '../../../src/vrrp/reconfiguration.js';
import { formatIpPrefix, type IpAddress, ipToBytes } from '../../../src/wire/ipAddress.js';
import { ipv4Layout } from '../../../src/wire/ipv4Header.js';
import { encodeAdvertisement, vrrpGroupIpv4 } from '../../../src/wire/vrrp.js';
import { receiveAdvertisement } from '../../../src/wire/vrrpReceive.js';

/** Most packets that the simulated kernel keeps for one node. */
const socketPacketsMax = 2000;

/** A packet in a socket: where and when the kernel received it. */
interface WaitingPacket {
  readonly segment: string;
  readonly bytes: Uint8Array;
  readonly receivedUs: number;
}

/** A packet that a node sends. */
export interface SentPacket {
  readonly segment: string;
  readonly bytes: Uint8Array;
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
}

const nothing: NodeTurn = { sent: [], transitions: [] };

/** An IPv4 packet of protocol 112 around a message, as it is on the link. */
export function vrrpPacket(source: IpAddress, message: Uint8Array, timeToLive = 255): Uint8Array {
  const header = ipv4Layout.encode({
    version: 4,
    headerWords: 5,
    typeOfService: 0xc0,
    totalLength: ipv4Layout.byteLength + message.length,
    identification: 0,
    flags: 0,
    fragmentOffset: 0,
    timeToLive,
    protocol: 112,
    headerChecksum: 0,
    source: ipToBytes(source),
    destination: ipToBytes(vrrpGroupIpv4),
  });
  return Buffer.concat([header, message]);
}

/** One director. */
export class SimulatedNode {
  readonly name: string;
  /** Our address on each segment. */
  readonly sources: ReadonlyMap<string, IpAddress>;
  configuration: VrrpConfiguration;
  /** Virtual addresses that the simulated kernel has, as `address/length@interface`. */
  readonly addresses = new Set<string>();
  stalledUntilUs = 0;
  #election: ElectionState = emptyElection;
  #running = false;
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

  get running(): boolean {
    return this.#running;
  }

  /** The machines of the node by their keys. */
  get routers(): ReadonlyMap<RouterKey, MachineState> {
    return this.#election.routers;
  }

  isStalled(nowUs: number): boolean {
    return this.stalledUntilUs > nowUs;
  }

  isUsable(segment: string): boolean {
    return this.sources.has(segment) && !this.#downSegments.has(segment);
  }

  /** State of a router, by its key; `undefined` when the node is off. */
  stateOf(router: RouterKey): VirtualRouterState | undefined {
    return this.#election.routers.get(router)?.current;
  }

  /** Starts the agent on a machine that holds no virtual address. */
  start(): void {
    this.#running = true;
    const plan = planReconfiguration([], this.configuration);
    const addresses = new Map([...this.sources].filter(([segment]) => this.isUsable(segment)));
    this.#commands.push({ type: 'reconfigure', plan, addresses });
  }

  /** Loads another configuration into the running agent. */
  reload(configuration: VrrpConfiguration): void {
    const plan = planReconfiguration(this.configuration.routers, configuration);
    this.configuration = configuration;
    const addresses = new Map([...this.sources].filter(([segment]) => this.isUsable(segment)));
    this.#commands.push({ type: 'reconfigure', plan, addresses });
  }

  command(command: ElectionCommand): void {
    this.#commands.push(command);
    if (command.type === 'stop') this.#running = false;
  }

  /** The machine loses power: nothing is said, nothing is left. */
  crash(): void {
    this.#running = false;
    this.#election = emptyElection;
    this.#waiting = [];
    this.#commands = [];
    this.addresses.clear();
    this.stalledUntilUs = 0;
  }

  setInterface(segment: string, up: boolean): void {
    if (up) this.#downSegments.delete(segment);
    else this.#downSegments.add(segment);
    this.#changedSegments.add(segment);
  }

  /** The kernel receives a packet, whatever the agent is doing. */
  receive(segment: string, bytes: Uint8Array, nowUs: number): void {
    if (!this.#running || !this.isUsable(segment)) return;
    if (this.#waiting.length >= socketPacketsMax) return;
    this.#waiting.push({ segment, bytes, receivedUs: nowUs });
  }

  /** When the node's loop wakes up next; infinite when it has nothing to do. */
  nextWakeUs(nowUs: number): number {
    const work =
      this.#commands.length > 0 || this.#waiting.length > 0 || this.#changedSegments.size > 0
        ? nowUs
        : (nextDeadlineUs(this.#election) ?? Number.POSITIVE_INFINITY);
    return Math.max(work, this.stalledUntilUs);
  }

  /** One turn of the loop, as the vrrp thread makes it: hear, take messages, run what is due. */
  turn(nowUs: number): NodeTurn {
    if (this.isStalled(nowUs)) return nothing;
    const inputs = {
      advertisements: this.#readSockets(),
      interfaces: this.#readInterfaces(),
      commands: this.#commands,
    };
    this.#commands = [];
    const { state, effects } = runTurn(this.#election, inputs, nowUs);
    this.#election = state;
    const sent = this.#send(effects);
    this.#moveAddresses(effects);
    return { sent, transitions: effects.transitions };
  }

  #readSockets(): readonly HeardAdvertisement[] {
    const packets = this.#waiting;
    this.#waiting = [];
    const vrids = new Map<string, Set<number>>();
    for (const { spec } of this.#election.routers.values()) {
      const known = vrids.get(spec.interface) ?? new Set();
      vrids.set(spec.interface, known.add(spec.vrid));
    }
    return packets.flatMap(({ segment, bytes, receivedUs }) => {
      const ownAddress = this.sources.get(segment);
      if (ownAddress === undefined) return [];
      const known = vrids.get(segment) ?? new Set<number>();
      const received = receiveAdvertisement(bytes, { vrids: known, ownAddress });
      if (!received.accepted) return [];
      const { source, advertisement } = received;
      const router = routerKey({ interface: segment, vrid: advertisement.vrid });
      return [{ router, source, advertisement, receivedUs }];
    });
  }

  #readInterfaces(): ReadonlyMap<string, IpAddress | undefined> {
    const changed = new Map<string, IpAddress | undefined>();
    for (const segment of this.#changedSegments) {
      changed.set(segment, this.isUsable(segment) ? this.sources.get(segment) : undefined);
    }
    this.#changedSegments = new Set();
    return changed;
  }

  #send(effects: TurnEffects): readonly SentPacket[] {
    return effects.advertisements.flatMap(({ spec, priority }) => {
      const source = this.sources.get(spec.interface);
      if (source === undefined || !this.isUsable(spec.interface)) return [];
      return [{ segment: spec.interface, bytes: advertPacket(spec, priority, source) }];
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

function advertPacket(spec: VirtualRouterSpec, priority: number, source: IpAddress): Uint8Array {
  const { vrid, advertIntervalCs, checksum } = spec;
  const addresses = spec.addresses.map(({ prefix }) => prefix.address);
  const path = { source, destination: vrrpGroupIpv4 };
  const advertisement = { vrid, priority, advertIntervalCs, addresses };
  return vrrpPacket(source, encodeAdvertisement(advertisement, path, checksum));
}
