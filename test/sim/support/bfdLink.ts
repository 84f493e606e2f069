/**
 * Two nodes with one BFD session between them, on a link in virtual time that delays, loses and
 * repeats packets. What is on the link is bytes, and both ends run what the vrrp thread runs.
 */

import type { SessionState } from '../../../src/bfd/machineModel.js';
import type { BfdSessionSpec } from '../../../src/bfd/protocol.js';
import {
  emptySessionTable,
  nextSessionDeadlineUs,
  type ReceivedBfdDatagram,
  runSessions,
  type SessionInputs,
  type SessionTable,
} from '../../../src/bfd/sessionTable.js';
import { type BfdDiagnostic, type BfdState, encodeBfdHeader } from '../../../src/wire/bfd.js';
import { encodeAuthenticatedBfd } from '../../../src/wire/bfdAuthentication.js';
import type { BfdRejection } from '../../../src/wire/bfdReceive.js';
import type { IpAddress } from '../../../src/wire/ipAddress.js';
import { Dice } from './random.js';

/** A change of state, with when it was. */
export interface TimedTransition {
  readonly from: BfdState;
  readonly to: BfdState;
  readonly diagnostic: BfdDiagnostic;
  readonly atUs: number;
}

/** How the link treats packets. */
export interface LinkConditions {
  /** Share of packets that are lost. */
  readonly loss: number;
  /** Share of packets that arrive twice. */
  readonly repetition: number;
  readonly delayMaxUs: number;
}

/** A link that delivers everything at once. */
export const perfectLink: LinkConditions = { loss: 0, repetition: 0, delayMaxUs: 0 };

interface Flight {
  readonly atUs: number;
  readonly to: BfdEnd;
  readonly from: IpAddress;
  readonly bytes: Uint8Array;
}

/** One node. */
export class BfdEnd {
  readonly address: IpAddress;
  table: SessionTable = emptySessionTable;
  /** While stalled, packets wait in the socket. */
  stalledUntilUs = 0;
  readonly transitions: TimedTransition[] = [];
  readonly sentUs: number[] = [];
  readonly rejected: BfdRejection[] = [];
  waiting: ReceivedBfdDatagram[] = [];
  commands: Partial<SessionInputs>[] = [];

  constructor(address: IpAddress) {
    this.address = address;
  }

  /** The state of the one session. Throws when there is none. */
  get session(): SessionState {
    const [session] = this.table.sessions.values();
    if (session === undefined) throw new Error(`${this.address} has no session`);
    return session;
  }

  /** Our name of the session; `undefined` when there is none. */
  get discriminator(): number | undefined {
    const [session] = this.table.sessions.values();
    return session?.localDiscriminator;
  }

  /** Replaces the configuration. */
  configure(...specs: readonly BfdSessionSpec[]): void {
    this.commands.push({ specs });
  }

  /** The process dies: it says nothing, and knows nothing when it comes back. */
  crash(): void {
    this.table = emptySessionTable;
    this.waiting = [];
  }
}

/** Both ends, the link between them, and the clock. */
export class BfdLink {
  nowUs = 0;
  conditions: LinkConditions = perfectLink;
  /** Which way nothing passes: to the first end, to the second. */
  readonly cut = { toFirst: false, toSecond: false };
  readonly dice: Dice;
  readonly first: BfdEnd;
  readonly second: BfdEnd;
  readonly #flights: Flight[] = [];

  constructor(addresses: readonly [IpAddress, IpAddress], seed = 1) {
    this.dice = new Dice(seed);
    this.first = new BfdEnd(addresses[0]);
    this.second = new BfdEnd(addresses[1]);
  }

  /** Lets time pass. */
  run(us: number): this {
    const endUs = this.nowUs + us;
    for (let nextUs = this.#nextUs(); nextUs <= endUs; nextUs = this.#nextUs()) {
      this.nowUs = Math.max(this.nowUs, nextUs);
      this.#deliver();
      for (const end of [this.first, this.second]) {
        if (this.#wakesAtUs(end) <= this.nowUs) this.#turn(end);
      }
    }
    this.nowUs = endUs;
    return this;
  }

  get bothUp(): boolean {
    return [this.first, this.second].every((end) =>
      [...end.table.sessions.values()].some(({ current }) => current === 'up'),
    );
  }

  /** Puts bytes onto the link as if from one of the ends. */
  inject(to: BfdEnd, bytes: Uint8Array): void {
    const from = to === this.first ? this.second : this.first;
    this.#flights.push({ atUs: this.nowUs, to, from: from.address, bytes });
  }

  #wakesAtUs(end: BfdEnd): number {
    const hasWork = end.waiting.length > 0 || end.commands.length > 0;
    const workUs = hasWork ? this.nowUs : nextSessionDeadlineUs(end.table);
    return Math.max(workUs, end.stalledUntilUs);
  }

  #nextUs(): number {
    const arrivals = this.#flights.map(({ atUs }) => atUs);
    return Math.min(this.#wakesAtUs(this.first), this.#wakesAtUs(this.second), ...arrivals);
  }

  #deliver(): void {
    for (const flight of this.#flights.filter(({ atUs }) => atUs <= this.nowUs)) {
      this.#flights.splice(this.#flights.indexOf(flight), 1);
      flight.to.waiting.push({
        bytes: flight.bytes,
        source: flight.from,
        timeToLive: 255,
        multihop: false,
        interface: 'eth0',
        receivedUs: flight.atUs,
      });
    }
  }

  #turn(end: BfdEnd): void {
    const [command = {}, ...later] = end.commands;
    end.commands = later;
    const datagrams = end.waiting;
    end.waiting = [];
    const inputs: SessionInputs = { datagrams, isUsable: () => true, ...command };
    const moment = { nowUs: this.nowUs, random: this.dice.random };
    const { table, effects } = runSessions(end.table, inputs, moment);
    end.table = table;
    for (const { from, to, diagnostic } of effects.transitions) {
      end.transitions.push({ from, to, diagnostic, atUs: this.nowUs });
    }
    end.rejected.push(...effects.rejected.map(({ reason }) => reason));
    for (const { packet, sequence, spec } of effects.packets) {
      end.sentUs.push(this.nowUs);
      const { authentication } = spec;
      const bytes =
        authentication === undefined
          ? encodeBfdHeader(packet)
          : encodeAuthenticatedBfd(packet, authentication, sequence);
      this.#send(end, bytes);
    }
  }

  #send(from: BfdEnd, bytes: Uint8Array): void {
    const to = from === this.first ? this.second : this.first;
    if (to === this.first ? this.cut.toFirst : this.cut.toSecond) return;
    const { loss, repetition, delayMaxUs } = this.conditions;
    const copies = this.dice.chance(loss) ? 0 : this.dice.chance(repetition) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const atUs = this.nowUs + this.dice.between(0, delayMaxUs);
      this.#flights.push({ atUs, to, from: from.address, bytes });
    }
  }
}
