/**
 * Gives entries to our kernel: multicasts them on `lo` to its backup daemon, never faster than
 * that reads. A datagram that finds the daemon's queue full is lost without a word to the sender,
 * so the queue is looked at in /proc/net/udp before more is sent.
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { DgramAsPromised, type SocketAsPromised } from 'dgram-as-promised';
import { TandemError } from '../errors.js';
import { batchDatagramsMax, DatagramBatch } from '../kernel/datagramBatch.js';
import { descriptorOfDatagramSocket } from '../kernel/datagramDescriptor.js';
import { encodeSocketAddress } from '../kernel/internetAddress.js';
import { systemCallError } from '../kernel/systemCall.js';
import { readUdpSockets, type UdpSocketRow } from '../kernel/udpSockets.js';
import { ipAddress } from '../wire/ipAddress.js';
import { alignedOffset, syncHeader } from '../wire/syncScan.js';
import type { RelaySettings } from './protocol.js';
import type { EntryId, ShadowTable } from './shadowTable.js';

/** Bytes of a message: what the kernel's own master sends on Ethernet. */
const messageBytesMax = 1448;

/**
 * Messages between two looks at the daemon's queue. The smallest queue of a kernel holds 90 of
 * them, but up to a quarter of it may still be taken up by what was read a moment ago, which the
 * file does not show (`forward_deficit` in net/ipv4/udp.c).
 */
const messagesPerLook = 24;

/**
 * What may wait in a daemon's queue when more is sent, in bytes with the kernel's overhead: seven
 * messages.
 */
const queueBytesMax = 16 * 1024;

/** A daemon that has not read for so long is not waited for any more, in milliseconds. */
const queueWaitMaxMs = 2_000;

const errnoTryAgain = 11;

/** The sending socket. */
export class Injector {
  readonly #settings: RelaySettings;
  readonly #socket: SocketAsPromised;
  readonly #batch = new DatagramBatch();
  readonly #writers: readonly MessageWriter[];
  readonly #targets: readonly Uint8Array[];
  /** Datagrams that lie in the batch. */
  #batched = 0;
  #sinceLook = 0;

  private constructor(settings: RelaySettings, socket: SocketAsPromised) {
    this.#settings = settings;
    this.#socket = socket;
    const ports = Array.from({ length: settings.portCount }, (_, index) => index);
    this.#writers = ports.map(() => new MessageWriter(settings.syncId));
    this.#targets = ports.map((index) =>
      encodeSocketAddress(ipAddress(settings.group), settings.backupPort + index),
    );
  }

  /** Opens it: on `lo` only, and never looped to our own receiving socket. */
  static async open(settings: RelaySettings): Promise<Injector> {
    const socket = DgramAsPromised.createSocket({ type: 'udp4' });
    await socket.bind(0, '127.0.0.1');
    socket.setMulticastInterface('127.0.0.1').setMulticastTTL(0).setMulticastLoopback(false);
    return new Injector(settings, socket);
  }

  /** Sends these entries with what is left of their time. Resolves when the kernel has them. */
  async inject(table: ShadowTable, ids: readonly EntryId[], nowDs: number): Promise<void> {
    const { portCount } = this.#settings;
    for (const id of ids) {
      const seconds = Math.ceil(table.remainingDs(id, nowDs) / 10);
      if (seconds === 0) continue;
      const portIndex = table.portIndex(id, portCount);
      const writer = this.#writers[portIndex];
      if (writer === undefined) continue;
      if (!writer.fits(table.byteLength(id))) {
        this.#put(writer, portIndex);
        if (this.#isDue) await this.#send();
      }
      writer.add(table, id, seconds);
    }
    for (const [portIndex, writer] of this.#writers.entries()) {
      if (!writer.isEmpty) this.#put(writer, portIndex);
      if (this.#isDue) await this.#send();
    }
    await this.#send();
  }

  close(): void {
    this.#socket.socket.close();
  }

  /** Whether the batch is full, or the daemon's queue must be looked at. */
  get #isDue(): boolean {
    return (
      this.#batched === batchDatagramsMax || this.#sinceLook + this.#batched >= messagesPerLook
    );
  }

  /** Puts a message into the batch, which always has room for one more. */
  #put(writer: MessageWriter, portIndex: number): void {
    this.#batch.put(this.#batched, writer.finish(), this.#targets[portIndex] ?? new Uint8Array());
    this.#batched += 1;
  }

  /** Sends the batch, and waits until the daemon has read most of what waits for it. */
  async #send(): Promise<void> {
    const count = this.#batched;
    this.#batched = 0;
    const descriptor = descriptorOfDatagramSocket(this.#socket.socket);
    if (descriptor === undefined) throw new TandemError('INTERNAL', 'a socket has no descriptor');
    for (let next = 0; next < count; ) {
      const sent = this.#batch.send(descriptor, next, count);
      if (sent <= 0 && -sent !== errnoTryAgain) {
        throw systemCallError('sendmmsg', -sent, { context: `${this.#settings.group} on lo` });
      }
      next += Math.max(0, sent);
      if (next < count) await turn();
    }
    this.#sinceLook += count;
    if (this.#sinceLook < messagesPerLook) return;
    this.#sinceLook = 0;
    await turn();
    const deadlineMs = performance.now() + queueWaitMaxMs;
    while (performance.now() < deadlineMs) {
      const queues = backupSockets(this.#settings).map(
        ({ receiveQueueBytes }) => receiveQueueBytes,
      );
      if (Math.max(0, ...queues) <= queueBytesMax) return;
      await sleep(1);
    }
  }
}

/** The sockets of the kernel's backup daemon. */
export function backupSockets(
  { group, backupPort, portCount }: RelaySettings,
  rows: readonly UdpSocketRow[] = readUdpSockets(),
): readonly UdpSocketRow[] {
  return rows.filter(
    ({ local, localPort }) =>
      local.startsWith(`${group}:`) &&
      localPort >= backupPort &&
      localPort < backupPort + portCount,
  );
}

/** Puts entries into one message. */
class MessageWriter {
  readonly #bytes = new Uint8Array(messageBytesMax);
  readonly #syncId: number;
  #end: number = syncHeader.byteLength;
  #count = 0;

  constructor(syncId: number) {
    this.#syncId = syncId;
  }

  /** An entry with all options has 611 bytes, so one always fits. */
  fits(length: number): boolean {
    return alignedOffset(this.#end) + length <= messageBytesMax;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(table: ShadowTable, id: EntryId, timeoutSeconds: number): void {
    const at = alignedOffset(this.#end);
    this.#end = at + table.copy(id, this.#bytes, at, timeoutSeconds);
    this.#count += 1;
  }

  /** The message, good until the next entry is added; then another one begins. */
  finish(): Uint8Array {
    const header = { reserved: 0, version: 1, spare: 0, syncId: this.#syncId };
    const stated = { size: this.#end, entryCount: this.#count };
    this.#bytes.set(syncHeader.encode({ ...header, ...stated }));
    const message = this.#bytes.subarray(0, this.#end);
    this.#end = syncHeader.byteLength;
    this.#count = 0;
    return message;
  }
}
