/**
 * Hears our kernel's master daemon on `lo`. The protocol has no authentication, so a datagram is
 * taken only when it comes from a socket that is connected to the group and belongs to the user
 * who made the kernel start its daemon: this agent's. Other users are refused even where no
 * firewall keeps them from sending.
 */
import { DgramAsPromised, type SocketAsPromised } from 'dgram-as-promised';
import { batchDatagramsMax, DatagramBatch } from '../kernel/datagramBatch.js';
import { descriptorOfDatagramSocket } from '../kernel/datagramDescriptor.js';
import { growReceiveBuffer } from '../kernel/socketOptions.js';
import { readUdpSockets } from '../kernel/udpSockets.js';
import type { RelaySettings } from './protocol.js';

/** What a burst may fill, in bytes: the kernel's overhead is many times an entry. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** How soon an unknown source port is looked up again, in milliseconds. */
const lookupIntervalMs = 200;

/** Batches that are taken at one go; then other sockets and timers have their turn. */
const batchesAtOnceMax = 8;

/** What it tells. */
export interface KernelStreamEvents {
  /** The bytes are good only while it is called. Many come at the same reading of the clock. */
  readonly onDatagram: (bytes: Uint8Array, nowMs: number) => void;
  readonly onForeign: () => void;
}

/** The receiving sockets, one for each port of the daemon. */
export class KernelStream {
  readonly #settings: RelaySettings;
  readonly #events: KernelStreamEvents;
  readonly #sockets: SocketAsPromised[] = [];
  readonly #batch = new DatagramBatch();
  #senders: ReadonlySet<string> = new Set();
  #lookedUpMs = Number.NEGATIVE_INFINITY;

  private constructor(settings: RelaySettings, events: KernelStreamEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  static async open(settings: RelaySettings, events: KernelStreamEvents): Promise<KernelStream> {
    const stream = new KernelStream(settings, events);
    for (let index = 0; index < settings.portCount; index += 1) await stream.#open(index);
    return stream;
  }

  /** Datagrams that the kernel threw away because we did not read them in time. */
  drops(): number {
    const { group, masterPort, portCount } = this.#settings;
    return readUdpSockets()
      .filter(({ local, localPort }) => {
        if (!local.startsWith(`${group}:`)) return false;
        return localPort >= masterPort && localPort < masterPort + portCount;
      })
      .reduce((sum, { drops }) => sum + drops, 0);
  }

  close(): void {
    for (const { socket } of this.#sockets) socket.close();
  }

  async #open(index: number): Promise<void> {
    const { group, masterPort } = this.#settings;
    const options = { type: 'udp4', reuseAddr: true } as const;
    let descriptor: number | undefined;
    const socket = DgramAsPromised.createSocket(options, (bytes, { address, port }) => {
      const nowMs = performance.now();
      this.#take(bytes, `${address}:${port}`, nowMs);
      // Node says that datagrams have come; those behind the first are taken many at a time.
      if (descriptor !== undefined) this.#takeRest(descriptor, nowMs);
    });
    await socket.bind(masterPort + index, group);
    socket.addMembership(group, '127.0.0.1');
    descriptor = descriptorOfDatagramSocket(socket.socket);
    if (descriptor !== undefined) growReceiveBuffer(descriptor, receiveBufferBytes);
    this.#sockets.push(socket);
  }

  #takeRest(descriptor: number, nowMs: number): void {
    for (let batches = 0; batches < batchesAtOnceMax; batches += 1) {
      // A failure is met again by Node, which tells it.
      const count = this.#batch.receive(descriptor);
      for (let index = 0; index < count; index += 1) {
        this.#take(this.#batch.datagram(index), this.#batch.sender(index), nowMs);
      }
      if (count < batchDatagramsMax) return;
    }
  }

  #take(bytes: Uint8Array, sender: string, nowMs: number): void {
    if (this.#isOurs(sender)) this.#events.onDatagram(bytes, nowMs);
    else this.#events.onForeign();
  }

  /** Asked for every datagram: an unknown sender is looked up now and then, not each time. */
  #isOurs(sender: string): boolean {
    if (this.#senders.has(sender)) return true;
    if (performance.now() - this.#lookedUpMs < lookupIntervalMs) return false;
    this.#lookedUpMs = performance.now();
    const { group, masterPort, portCount } = this.#settings;
    const targets = new Set(
      Array.from({ length: portCount }, (_, index) => `${group}:${masterPort + index}`),
    );
    const ownUser = process.getuid?.() ?? 0;
    this.#senders = new Set(
      readUdpSockets()
        .filter(({ remote, userId }) => userId === ownUser && targets.has(remote))
        .map(({ local }) => local),
    );
    return this.#senders.has(sender);
  }
}
