/**
 * Gives entries to our kernel: multicasts them on `lo` to its backup daemon, never faster than
 * that reads. A datagram that finds the daemon's queue full is lost without a word to the sender,
 * so the queue is looked at in /proc/net/udp before more is sent.
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { DgramAsPromised, type SocketAsPromised } from 'dgram-as-promised';
import { readUdpSockets, type UdpSocketRow } from '../kernel/udpSockets.js';
import { alignedOffset, syncHeader } from '../wire/syncScan.js';
import type { RelaySettings } from './protocol.js';
import type { EntryId, ShadowTable } from './shadowTable.js';

/** Bytes of a message: what the kernel's own master sends on Ethernet. */
const messageBytesMax = 1448;

/** Messages between two looks at the daemon's queue; the smallest queue of a kernel holds 90. */
const messagesPerLook = 24;

/** What may wait in a daemon's queue when more is sent, in bytes with the kernel's overhead. */
const queueBytesMax = 64 * 1024;

/** A daemon that has not read for so long is not waited for any more, in milliseconds. */
const queueWaitMaxMs = 2_000;

/** The sending socket. */
export class Injector {
  readonly #settings: RelaySettings;
  readonly #socket: SocketAsPromised;
  #sinceLook = 0;

  private constructor(settings: RelaySettings, socket: SocketAsPromised) {
    this.#settings = settings;
    this.#socket = socket;
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
    const { syncId, portCount } = this.#settings;
    const writers = new Map<number, MessageWriter>();
    for (const id of ids) {
      const seconds = Math.ceil(table.remainingDs(id, nowDs) / 10);
      if (seconds === 0) continue;
      const portIndex = table.portIndex(id, portCount);
      let writer = writers.get(portIndex);
      if (writer !== undefined && !writer.fits(table.byteLength(id))) {
        await this.#send(writer.finish(), portIndex);
        writer = undefined;
      }
      writer ??= new MessageWriter(syncId);
      writers.set(portIndex, writer);
      writer.add((bytes, at) => table.copy(id, bytes, at, seconds));
    }
    for (const [portIndex, writer] of writers) await this.#send(writer.finish(), portIndex);
  }

  close(): void {
    this.#socket.socket.close();
  }

  async #send(message: Uint8Array, portIndex: number): Promise<void> {
    const { group, backupPort } = this.#settings;
    await this.#socket.send(message, backupPort + portIndex, group);
    this.#sinceLook += 1;
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

  add(write: (bytes: Uint8Array, at: number) => number): void {
    const at = alignedOffset(this.#end);
    this.#end = at + write(this.#bytes, at);
    this.#count += 1;
  }

  finish(): Uint8Array {
    const header = { reserved: 0, version: 1, spare: 0, syncId: this.#syncId };
    const stated = { size: this.#end, entryCount: this.#count };
    this.#bytes.set(syncHeader.encode({ ...header, ...stated }));
    return this.#bytes.subarray(0, this.#end);
  }
}
