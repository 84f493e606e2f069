/** Two relays with a channel between them, without kernel or clock. */

import type { KnownService } from '../../../src/sync/entryValidator.js';
import { Relay } from '../../../src/sync/relay.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { decodeSyncEntry, encodeSyncMessage } from '../../../src/wire/syncMessage.js';
import type { SyncEntry } from '../../../src/wire/syncModel.js';

export const services: readonly KnownService[] = [
  {
    identity: { kind: 'address', protocol: 'tcp', address: ipAddress('10.1.0.10'), port: 80 },
    servers: [{ address: ipAddress('10.2.0.12'), port: 8080 }],
  },
  {
    identity: { kind: 'fwmark', family: 6, fwmark: 9 },
    servers: [{ address: ipAddress('2001:db8::12'), port: 0 }],
  },
];

/** An established connection of client number `index`. */
export function connection(index: number, change: Partial<SyncEntry> = {}): SyncEntry {
  return {
    family: 4,
    protocol: 6,
    flags: 0,
    state: 1,
    clientPort: index % 65_536,
    virtualPort: 80,
    serverPort: 8080,
    firewallMark: 0,
    timeoutSeconds: 900,
    clientAddress: ipAddress(`10.${9 + Math.floor(index / 65_536)}.0.100`),
    virtualAddress: ipAddress('10.1.0.10'),
    serverAddress: ipAddress('10.2.0.12'),
    ...change,
  };
}

export const template: SyncEntry = connection(0, { flags: 0x1100, state: 1, timeoutSeconds: 360 });

/** One side: its relay, what its kernel was given, and whether its words get lost. */
export interface Side {
  relay: Relay;
  readonly injected: SyncEntry[][];
  deaf: boolean;
}

export class RelayPair {
  nowMs = 1_000;
  readonly sides: readonly [Side, Side];
  #messages: (() => void)[] = [];

  constructor(entriesMax = 10_000) {
    const side = (): Side => ({ relay: undefined as never, injected: [], deaf: false });
    this.sides = [side(), side()];
    this.replace(0, 11, entriesMax);
    this.replace(1, 22, entriesMax);
  }

  /** Another life of one director's agent. */
  replace(index: 0 | 1, epoch: number, entriesMax = 10_000): void {
    const [own, other] = index === 0 ? this.sides : [this.sides[1], this.sides[0]];
    own.relay = new Relay({
      entriesMax,
      epoch,
      hashSeed: 7,
      pause: async () => undefined,
      nowMs: () => this.nowMs,
      nowUnixMs: () => this.nowMs,
      send: (bytes) => {
        if (other.deaf) return;
        this.#messages.push(() => other.relay.take(bytes));
      },
      inject: async (table, ids) => {
        own.injected.push(
          ids.map((id) => {
            const bytes = new Uint8Array(table.byteLength(id));
            table.copy(id, bytes, 0);
            return decodeSyncEntry(bytes);
          }),
        );
      },
      onChange: () => undefined,
    });
    own.relay.setServices(services);
  }

  open(): void {
    for (const { relay } of this.sides) relay.opened();
  }

  close(): void {
    this.#messages = [];
    for (const { relay } of this.sides) relay.closed();
  }

  /** Lets everything that is on its way arrive. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 20; quiet += 1) {
      for (let message = this.#messages.shift(); message !== undefined; ) {
        message();
        quiet = 0;
        message = this.#messages.shift();
      }
      await new Promise(setImmediate);
    }
  }

  /** Both tell their sums. */
  async compare(): Promise<void> {
    for (const { relay } of this.sides) relay.compare();
    await this.settle();
    for (const { relay } of this.sides) relay.compare();
    await this.settle();
  }

  hear(index: 0 | 1, entries: readonly SyncEntry[]): void {
    const { relay } = this.sides[index];
    for (let at = 0; at < entries.length; at += 200) {
      const part = entries.slice(at, at + 200);
      relay.hear(encodeSyncMessage({ version: 1, syncId: 5, entries: part }), 5, this.nowMs);
    }
    relay.flush();
  }
}
