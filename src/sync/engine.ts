/** What runs in the sync thread: the relay with its sockets, its seed and its timers. */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { FromChannel, ToChannel } from '../peer/dataProtocol.js';
import { backupSockets, Injector } from './injector.js';
import { KernelStream } from './kernelStream.js';
import type { SeedService } from './procConnections.js';
import type { FromSync, RelaySettings } from './protocol.js';
import { Relay } from './relay.js';
import { readKernelTable } from './seed.js';

/** How often our sums are told to the peer, in milliseconds. */
const compareIntervalMs = 3_000;

/** How often a part of the table is looked through for what has ended, in milliseconds. */
const expireIntervalMs = 200;

const reportIntervalMs = 1_000;

/** How often the peer is asked again for what our kernel lost, in milliseconds. */
const askAgainIntervalMs = 10_000;

/** The relay of this node, until it is stopped. */
export class SyncEngine {
  readonly #post: (message: FromSync) => void;
  readonly #settings: RelaySettings;
  readonly #relay: Relay;
  readonly #timers: readonly NodeJS.Timeout[];
  #channel: MessagePort | undefined;
  #isReady = false;
  #lost = 0;
  #lostAskedMs = Number.NEGATIVE_INFINITY;
  #isListening = true;
  #stream: KernelStream | undefined;
  #injector: Injector | undefined;
  #services: readonly SeedService[] = [];
  #flushes: NodeJS.Immediate | undefined;
  #reports: NodeJS.Immediate | undefined;
  #isStarting = false;
  #stopped = false;

  constructor(settings: RelaySettings, epoch: number, post: (message: FromSync) => void) {
    this.#settings = settings;
    this.#post = post;
    this.#relay = new Relay({
      entriesMax: settings.entriesMax,
      epoch,
      hashSeed: randomInt(0, 0xffff_ffff),
      pause: (ms) => pause(ms),
      nowMs: () => performance.now(),
      nowUnixMs: () => Date.now(),
      send: (bytes) => this.#toChannel({ type: 'send', bytes }, [bytes.buffer]),
      inject: async (table, ids, nowDs) => {
        await this.#injector?.inject(table, ids, nowDs);
      },
      onChange: () => this.#reportSoon(),
    });
    this.#timers = [
      setInterval(() => this.#relay.compare(), compareIntervalMs),
      setInterval(() => this.#relay.expire(), expireIntervalMs),
      setInterval(() => this.#report(), reportIntervalMs),
    ];
  }

  setServices(services: readonly SeedService[]): void {
    this.#services = services;
    this.#relay.setServices(services);
  }

  /** The daemons run: opens the sockets, reads the kernel's table once, and takes the peer. */
  async start(): Promise<void> {
    if (this.#isStarting) return;
    this.#isStarting = true;
    this.#injector = await Injector.open(this.#settings);
    this.#stream = await KernelStream.open(this.#settings, {
      onDatagram: (bytes, nowMs) => {
        this.#relay.hear(bytes, this.#settings.syncId, nowMs);
        this.#flushSoon();
      },
      onForeign: () => {
        this.#relay.counts.refusedDatagrams['not-from-kernel'] += 1;
      },
    });
    if (this.#stopped) {
      this.#close();
      return;
    }
    this.#isReady = true;
    this.#listenToChannel();
    await this.#seed();
  }

  /** A new way to the thread of the peer channel; an earlier one is gone. */
  setChannel(port: MessagePort): void {
    this.#channel?.close();
    this.#relay.closed();
    this.#channel = port;
    if (this.#isReady) this.#listenToChannel();
  }

  /** Both send all they know; the log says when there is nobody to send it to. */
  resync(): void {
    if (this.#relay.resync('operator')) return;
    this.#log('warn', 'there is no peer to exchange the connection table with');
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearImmediate(this.#flushes);
    clearImmediate(this.#reports);
    this.#channel?.close();
    this.#close();
  }

  #close(): void {
    this.#stream?.close();
    this.#injector?.close();
    this.#stream = undefined;
    this.#injector = undefined;
  }

  #take(message: FromChannel): void {
    switch (message.type) {
      case 'open':
        this.#relay.opened();
        break;
      case 'closed':
        this.#relay.closed();
        break;
      case 'data':
        this.#relay.take(message.bytes);
        this.#toChannel({ type: 'taken', bytes: message.bytes.length });
        break;
      case 'dropped':
        this.#relay.lost(message.sent + message.received);
        break;
    }
  }

  /** What the peer sends waits in the port until our kernel can be told of it. */
  #listenToChannel(): void {
    const port = this.#channel;
    port?.on('message', (message: FromChannel) => {
      if (this.#channel === port) this.#take(message);
    });
  }

  #toChannel(message: ToChannel, transfer: readonly ArrayBuffer[] = []): void {
    this.#channel?.postMessage(message, [...transfer]);
  }

  /** What the kernel knew before this agent. */
  async #seed(): Promise<void> {
    const seed = await readKernelTable(this.#services, (entry) => this.#relay.seed(entry));
    if (this.#stopped) return;
    this.#relay.setSeed(seed);
    if (seed.finished) return;
    this.#log('warn', `read only ${seed.entries} connections of the kernel: it took too long`);
  }

  /** Datagrams come in bursts: what came in one turn goes out in one message. */
  #flushSoon(): void {
    this.#flushes ??= setImmediate(() => {
      this.#flushes = undefined;
      this.#relay.flush();
    });
  }

  #reportSoon(): void {
    this.#reports ??= setImmediate(() => {
      this.#reports = undefined;
      this.#report();
    });
  }

  #report(): void {
    if (this.#isReady) this.#lookAtKernel();
    this.#post({ type: 'report', report: this.#relay.report() });
  }

  /** Whether the kernel's daemon listens, and whether it has lost anything. */
  #lookAtKernel(): void {
    const { counts } = this.#relay;
    const sockets = backupSockets(this.#settings);
    counts.dropsBeforeRelay = this.#stream?.drops() ?? 0;
    const wasListening = this.#isListening;
    this.#isListening = sockets.length >= this.#settings.portCount;
    if (!this.#isListening) {
      if (wasListening) this.#log('warn', 'the backup daemon of the kernel does not listen');
      this.#lost += 1;
    } else {
      const drops = sockets.reduce((sum, socket) => sum + socket.drops, 0);
      // A daemon that was started anew counts from zero.
      this.#lost += Math.max(0, drops - counts.dropsBeforeKernel);
      counts.dropsBeforeKernel = drops;
    }
    if (this.#lost === 0 || performance.now() - this.#lostAskedMs < askAgainIntervalMs) return;
    if (!this.#isListening || !this.#relay.request('drops')) return;
    this.#log('warn', 'the kernel did not take all messages; asking the peer again');
    this.#lost = 0;
    this.#lostAskedMs = performance.now();
  }

  #log(level: 'warn' | 'info', message: string): void {
    this.#post({ type: 'log', level, message, fields: {} });
  }
}
