/**
 * Directors in namespaces of their own, on one or two bridges, each with a real vrrp thread, and a
 * listener that sees everything that is on the first bridge.
 */
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import {
  createNetworkNamespace,
  type NetworkNamespace,
} from '../../../src/kernel/networkNamespace.js';
import { openPacketSocket, type PacketSocket } from '../../../src/kernel/packetSocket.js';
import { openRouteNetlink, type RouteNetlink } from '../../../src/kernel/routeNetlink.js';
import { startVrrpThread, type VrrpThread } from '../../../src/vrrp/client.js';
import type {
  FromVrrp,
  VirtualRouterReport,
  VirtualRouterSpec,
  VrrpConfiguration,
} from '../../../src/vrrp/protocol.js';
import { decodeArp } from '../../../src/wire/arp.js';
import { decodeEthernetFrame, etherTypeArp, etherTypeIpv4 } from '../../../src/wire/ethernet.js';
import { ipAddress, parseIpPrefix } from '../../../src/wire/ipAddress.js';
import { decodeIpv4Packet } from '../../../src/wire/ipv4Header.js';
import {
  advertisementLength,
  decodeAdvertisement,
  vrrpHeader,
  vrrpProtocol,
} from '../../../src/wire/vrrp.js';

const patienceMs = 20_000;
const pollPeriodMs = 5;

/** The virtual address of the tests. */
export const virtualAddressText = '192.0.2.100';

/** Waits until something holds; fails with what was awaited. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + patienceMs;
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollPeriodMs));
  }
}

/** A fast virtual router: 100 ms adverts. */
export function fastRouter(changes: Partial<VirtualRouterSpec> = {}): VirtualRouterSpec {
  return {
    name: 'outside',
    vrid: 51,
    interface: 'eth0',
    priority: 100,
    advertIntervalCs: 10,
    preempt: { enabled: true, delayMs: 0 },
    addresses: [virtualAddressOn('eth0', `${virtualAddressText}/24`)],
    checksum: 'pseudo-header',
    announcements: { repeat: 3, delayMs: 0, refreshMs: 0 },
    ...changes,
  };
}

export function virtualAddressOn(name: string, text: string) {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
  return { prefix, interface: name };
}

/** One thing that passed the first bridge, in short. */
export interface Heard {
  readonly atUs: number;
  /** `advert 200 from 192.0.2.1` or `arp 192.0.2.100`. */
  readonly text: string;
  /** The whole frame, link-layer header first. */
  readonly bytes: Uint8Array;
  /** Of an advert. */
  readonly vrid?: number;
}

/** A director: its namespace, its thread, and what the thread said. */
export class LabDirector {
  readonly namespace: NetworkNamespace;
  readonly netlink: RouteNetlink;
  readonly messages: FromVrrp[] = [];
  readonly #onEnd: (end: () => Promise<void>) => void;
  #thread: VrrpThread | undefined;

  constructor(
    namespace: NetworkNamespace,
    netlink: RouteNetlink,
    onEnd: (end: () => Promise<void>) => void,
  ) {
    this.namespace = namespace;
    this.netlink = netlink;
    this.#onEnd = onEnd;
  }

  get thread(): VrrpThread {
    if (this.#thread === undefined) throw new Error('the thread was not started');
    return this.#thread;
  }

  /** Starts a thread, also again after one has ended. */
  start(...routers: readonly VirtualRouterSpec[]): this {
    this.messages.length = 0;
    const thread = startVrrpThread({
      onMessage: (message) => this.messages.push(message),
      networkNamespacePath: this.namespace.path,
    });
    this.#thread = thread;
    this.#onEnd(() => thread.stop());
    return this.configure({ routers, syncGroups: [] });
  }

  configure(configuration: VrrpConfiguration): this {
    this.thread.post({ type: 'configure', configuration });
    return this;
  }

  /** All messages of a type, in order. */
  said<Type extends FromVrrp['type']>(type: Type): Extract<FromVrrp, { type: Type }>[] {
    return this.messages.filter(
      (message): message is Extract<FromVrrp, { type: Type }> => message.type === type,
    );
  }

  /** The last report of a router. */
  report(name = 'outside'): VirtualRouterReport | undefined {
    return this.said('report')
      .at(-1)
      ?.routers.find((router) => router.name === name);
  }

  /** Waits for a report that is asked for now. */
  async freshReport(name = 'outside'): Promise<VirtualRouterReport> {
    const before = this.said('report').length;
    this.thread.post({ type: 'report' });
    await eventually('a report', () => this.said('report').length > before);
    const report = this.report(name);
    if (report === undefined) throw new Error(`no report of ${name}`);
    return report;
  }

  /** Waits until the thread says that a router is in a state. */
  async reaches(state: VirtualRouterReport['state'], name = 'outside'): Promise<void> {
    await eventually(`${name} is ${state}`, () => this.report(name)?.state === state);
  }

  /** Whether the kernel has an address. */
  holds(text = virtualAddressText): boolean {
    const address = ipAddress(text);
    return this.netlink.addresses({ family: 4 }).some(({ prefix }) => prefix.address === address);
  }

  /** Adds or deletes an address as somebody else would. */
  changeAddress(action: 'add' | 'delete', text: string, name = 'eth0'): void {
    const interfaceIndex = this.netlink.link(name)?.index ?? 0;
    const { prefix } = virtualAddressOn(name, text);
    const [error] = this.netlink.changeAddresses([{ action, interfaceIndex, prefix }]);
    if (error !== undefined) throw error;
  }
}

/** The bridges, the directors on them, and the listener. */
export class VrrpLab {
  readonly directors: readonly [LabDirector, LabDirector];
  /** A station on the first bridge, for packets that no director would send. */
  readonly station: PacketSocket;
  readonly #listener: PacketSocket;
  readonly #heard: Heard[] = [];

  constructor(context: TestContext) {
    const ends: (() => Promise<void>)[] = [];
    const made: (() => void)[] = [];
    // Threads first, then sockets, then namespaces.
    context.after(async () => {
      await Promise.all(ends.map((end) => end()));
      for (const undo of made.reverse()) undo();
    });
    const makeNamespace = () => {
      const namespace = createNetworkNamespace(`tandem-vrrp-${randomBytes(4).toString('hex')}`);
      made.push(() => namespace.remove());
      const netlink = namespace.run(openRouteNetlink);
      made.push(() => netlink.close());
      return { namespace, netlink };
    };
    const hub = makeNamespace();
    for (const bridge of ['br0', 'br1']) {
      hub.netlink.createBridge(bridge);
      hub.netlink.setLink(bridge, { up: true });
    }
    const makeDirector = (number: number) => {
      const { namespace, netlink } = makeNamespace();
      plug(hub.netlink, namespace, netlink, `n${number}e0`, 'eth0', 'br0');
      plug(hub.netlink, namespace, netlink, `n${number}e1`, 'eth1', 'br1');
      const director = new LabDirector(namespace, netlink, (end) => ends.push(end));
      director.changeAddress('add', `192.0.2.${number}/24`);
      director.changeAddress('add', `198.51.100.${number}/24`, 'eth1');
      return director;
    };
    this.directors = [makeDirector(1), makeDirector(2)];
    const listener = makeNamespace();
    plug(hub.netlink, listener.namespace, listener.netlink, 'listener', 'eth0', 'br0');
    const interfaceIndex = listener.netlink.link('eth0')?.index ?? 0;
    const openSocket = (receive: boolean) => {
      const socket = listener.namespace.run(() =>
        openPacketSocket({ interfaceIndex, etherType: 'all', receive }),
      );
      made.push(() => socket.close());
      return socket;
    };
    this.#listener = openSocket(true);
    this.station = openSocket(false);
  }

  /** Everything of VRRP and ARP that has passed the first bridge so far. */
  get heard(): readonly Heard[] {
    for (let frame = this.#listener.receive(); frame; frame = this.#listener.receive()) {
      const { outgoing, bytes, receivedAtUs: atUs } = frame;
      const heard = outgoing ? undefined : describe(bytes);
      if (heard !== undefined) this.#heard.push({ atUs, bytes, ...heard });
    }
    return this.#heard;
  }

  /** Every frame that came to the listener since the last look; `heard` will not have them. */
  takeFrames(): readonly Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let frame = this.#listener.receive(); frame; frame = this.#listener.receive()) {
      if (!frame.outgoing) frames.push(frame.bytes);
    }
    return frames;
  }

  /** Waits until a text was heard, at or after a position; returns where. */
  async hears(text: string, from = 0): Promise<number> {
    const find = () => this.heard.findIndex((each, index) => index >= from && each.text === text);
    await eventually(`hearing ${text}`, () => find() >= 0);
    return find();
  }
}

/** Joins a namespace to a bridge of the hub. */
function plug(
  hub: RouteNetlink,
  namespace: NetworkNamespace,
  netlink: RouteNetlink,
  portName: string,
  name: string,
  bridge: string,
): void {
  hub.createVeth({ name: portName, peerName: name, peerNamespaceFd: namespace.fd });
  hub.setLink(portName, { up: true, masterName: bridge });
  netlink.setLink(name, { up: true });
}

function describe(bytes: Uint8Array): Omit<Heard, 'atUs' | 'bytes'> | undefined {
  const frame = decodeEthernetFrame(bytes);
  if (frame.etherType === etherTypeArp) {
    return { text: `arp ${decodeArp(frame.payload).senderAddress}` };
  }
  if (frame.etherType !== etherTypeIpv4) return undefined;
  const packet = decodeIpv4Packet(frame.payload);
  if (packet.protocol !== vrrpProtocol) return undefined;
  // An authentication trailer may follow.
  const length = advertisementLength(vrrpHeader.decode(packet.payload), 4);
  const { priority, vrid } = decodeAdvertisement(packet.payload.subarray(0, length));
  return { text: `advert ${priority} from ${packet.source}`, vrid };
}
