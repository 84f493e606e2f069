/**
 * All BFD sessions of one node: their machines, their timers, and which packet is for which, as one
 * pure function of what was received. The vrrp thread and the simulator both run this.
 *
 * The order within a turn is that of the election: first everything that was received, then what
 * was asked for, and only then what is due. So a packet that waited in a socket while this process
 * was stalled is heard before its sender is declared gone.
 */
import type { BfdKey } from '../wire/bfdAuthentication.js';
import {
  type BfdDatagram,
  type BfdExpectation,
  type BfdRejection,
  receiveBfdControl,
} from '../wire/bfdReceive.js';
import type { IpAddress } from '../wire/ipAddress.js';
import { initialSession, knownSequence, stepSession } from './machine.js';
import type {
  SessionAction,
  SessionEvent,
  SessionState,
  SessionTimerName,
} from './machineModel.js';
import type { BfdSessionSpec } from './protocol.js';

/** A timer that waits. */
interface PendingTimer {
  readonly session: string;
  readonly timer: SessionTimerName;
  readonly generation: number;
  readonly atUs: number;
}

/** The sessions of one node, by name. */
export interface SessionTable {
  readonly sessions: ReadonlyMap<string, SessionState>;
  readonly timers: ReadonlyMap<string, PendingTimer>;
}

/** A datagram as it came in. */
export interface ReceivedBfdDatagram extends BfdDatagram {
  readonly source: IpAddress;
  /** Whether it came by the port of multihop sessions. */
  readonly multihop: boolean;
  /** The interface that it came in by. */
  readonly interface: string;
  /** When the kernel received it. */
  readonly receivedUs: number;
}

/** What one turn is given. */
export interface SessionInputs {
  readonly datagrams: readonly ReceivedBfdDatagram[];
  /** The whole set of sessions, when it is to be replaced. */
  readonly specs?: readonly BfdSessionSpec[];
  /** Whether a session's interface can be used. */
  readonly isUsable: (spec: BfdSessionSpec) => boolean;
  /** The agent stops: every peer is told. */
  readonly stop?: boolean;
}

/** Inputs of a turn that has nothing but due timers, where every interface works. */
export const noSessionInputs: SessionInputs = { datagrams: [], isUsable: () => true };

/** An action of one session, with the settings that it has at that moment. */
export type SessionEffect<Type extends SessionAction['type']> = Extract<
  SessionAction,
  { type: Type }
> & { readonly spec: BfdSessionSpec };

/** A packet that no session heard. */
export interface RejectedDatagram {
  readonly reason: BfdRejection;
  readonly source: IpAddress;
  readonly interface: string;
  /** The session that it was for, or the one that has its peer there; absent: none. */
  readonly session?: string;
}

/** What a turn wants done, and what it took notice of. */
export interface SessionEffects {
  readonly packets: readonly SessionEffect<'send'>[];
  readonly transitions: readonly SessionEffect<'transition'>[];
  /** Names of the sessions that accepted a packet, once for each packet. */
  readonly heard: readonly string[];
  readonly rejected: readonly RejectedDatagram[];
}

/** The outcome of one turn. */
export interface SessionTurn {
  readonly table: SessionTable;
  readonly effects: SessionEffects;
}

/** A node without sessions. */
export const emptySessionTable: SessionTable = { sessions: new Map(), timers: new Map() };

/** Time and chance of one turn. */
export interface TurnMoment {
  readonly nowUs: number;
  /** The next random number in [0, 1). */
  readonly random: () => number;
}

/** Runs one turn: what was received, what was asked, what is due. */
export function runSessions(
  table: SessionTable,
  inputs: SessionInputs,
  moment: TurnMoment,
): SessionTurn {
  const draft = new TableDraft(table, moment);
  for (const datagram of inputs.datagrams) draft.receive(datagram);
  if (inputs.specs !== undefined) draft.configure(inputs.specs, inputs.isUsable);
  draft.followInterfaces(inputs.isUsable);
  if (inputs.stop === true) draft.configure([], inputs.isUsable);
  draft.runDue();
  return draft.finish();
}

/** When the next timer is due; infinite when none waits. */
export function nextSessionDeadlineUs(table: SessionTable): number {
  let earliestUs = Number.POSITIVE_INFINITY;
  for (const { atUs } of table.timers.values()) earliestUs = Math.min(earliestUs, atUs);
  return earliestUs;
}

/** The scratch pad of one turn. */
class TableDraft {
  readonly #moment: TurnMoment;
  readonly #sessions: Map<string, SessionState>;
  readonly #timers: Map<string, PendingTimer>;
  readonly #packets: SessionEffect<'send'>[] = [];
  readonly #transitions: SessionEffect<'transition'>[] = [];
  readonly #heard: string[] = [];
  readonly #rejected: RejectedDatagram[] = [];

  constructor(table: SessionTable, moment: TurnMoment) {
    this.#moment = moment;
    this.#sessions = new Map(table.sessions);
    this.#timers = new Map(table.timers);
  }

  finish(): SessionTurn {
    return {
      table: { sessions: this.#sessions, timers: this.#timers },
      effects: {
        packets: this.#packets,
        transitions: this.#transitions,
        heard: this.#heard,
        rejected: this.#rejected,
      },
    };
  }

  receive(datagram: ReceivedBfdDatagram): void {
    const find = (wanted: (state: SessionState) => boolean): BfdExpectation | undefined => {
      const state = [...this.#sessions.values()].find(wanted);
      return state === undefined ? undefined : expectationOf(state, datagram.receivedUs);
    };
    const bySource = find(
      ({ spec }) =>
        spec.multihop === datagram.multihop &&
        spec.peer === datagram.source &&
        (spec.multihop || spec.interface === datagram.interface),
    );
    const received = receiveBfdControl(datagram, {
      byDiscriminator: (discriminator) =>
        find(({ localDiscriminator }) => localDiscriminator === discriminator),
      bySource: () => bySource,
    });
    if (received.accepted) {
      const { packet, sequence, session } = received;
      this.#heard.push(session.name);
      const { receivedUs } = datagram;
      this.#dispatch(session.name, { type: 'packet', packet, sequence, receivedUs });
      return;
    }
    const session = received.session?.name ?? bySource?.name;
    this.#rejected.push({
      reason: received.reason,
      source: datagram.source,
      interface: datagram.interface,
      ...(session === undefined ? {} : { session }),
    });
  }

  /** Sessions of the same name, peer and path go on with their new settings. */
  configure(specs: readonly BfdSessionSpec[], isUsable: (spec: BfdSessionSpec) => boolean): void {
    const wanted = new Map(specs.map((spec) => [spec.name, spec]));
    for (const [name, { spec }] of [...this.#sessions]) {
      const next = wanted.get(name);
      if (next === undefined || !isSamePath(spec, next)) this.#remove(name);
    }
    for (const spec of specs) {
      const running = this.#sessions.get(spec.name)?.spec;
      if (running === undefined) {
        this.#sessions.set(spec.name, initialSession(spec, this.#chance()));
        this.#dispatch(spec.name, { type: 'startup', usable: isUsable(spec) });
      } else if (!isSameSpec(running, spec)) {
        this.#dispatch(spec.name, { type: 'spec', spec });
      }
    }
  }

  followInterfaces(isUsable: (spec: BfdSessionSpec) => boolean): void {
    for (const [name, { spec, usable }] of [...this.#sessions]) {
      const now = isUsable(spec);
      if (now !== usable) this.#dispatch(name, { type: 'interface', usable: now });
    }
  }

  /** Timers run in the order in which they are due, those that they arm included. */
  runDue(): void {
    for (let due = this.#nextDue(); due !== undefined; due = this.#nextDue()) {
      const { session, timer, generation, atUs } = due;
      this.#timers.delete(timerKey(session, timer));
      this.#dispatch(session, { type: 'timer', timer, generation, dueUs: atUs });
    }
  }

  #nextDue(): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const pending of this.#timers.values()) {
      if (pending.atUs <= this.#moment.nowUs && (next === undefined || pending.atUs < next.atUs)) {
        next = pending;
      }
    }
    return next;
  }

  #dispatch(name: string, event: SessionEvent): void {
    const before = this.#sessions.get(name);
    if (before === undefined) return;
    const moment = { nowUs: this.#moment.nowUs, jitter: this.#moment.random() };
    const { state, actions } = stepSession(before, event, moment);
    this.#sessions.set(name, state);
    for (const action of actions) this.#collect(state.spec, action);
  }

  #collect(spec: BfdSessionSpec, action: SessionAction): void {
    switch (action.type) {
      case 'send':
        this.#packets.push({ ...action, spec });
        break;
      case 'transition':
        this.#transitions.push({ ...action, spec });
        break;
      case 'arm-timer':
        this.#timers.set(timerKey(spec.name, action.timer), { session: spec.name, ...action });
        break;
      case 'cancel-timer':
        this.#timers.delete(timerKey(spec.name, action.timer));
        break;
    }
  }

  #remove(name: string): void {
    this.#dispatch(name, { type: 'shutdown' });
    this.#sessions.delete(name);
  }

  #chance(): { readonly discriminator: number; readonly sequence: number } {
    const random32 = (): number => Math.floor(this.#moment.random() * 2 ** 32);
    const taken = new Set([...this.#sessions.values()].map((each) => each.localDiscriminator));
    let discriminator = random32();
    while (discriminator === 0 || taken.has(discriminator)) {
      discriminator = (discriminator + 1) % 2 ** 32;
    }
    return { discriminator, sequence: random32() };
  }
}

function expectationOf(state: SessionState, receivedUs: number): BfdExpectation {
  const { name, multihop, authentication } = state.spec;
  return {
    name,
    multihop,
    lastSequence: knownSequence(state, receivedUs),
    ...(authentication === undefined ? {} : { authentication }),
  };
}

function isSameSpec(left: BfdSessionSpec, right: BfdSessionSpec): boolean {
  return (
    isSamePath(left, right) &&
    left.enabled === right.enabled &&
    left.desiredMinTxUs === right.desiredMinTxUs &&
    left.requiredMinRxUs === right.requiredMinRxUs &&
    left.detectMultiplier === right.detectMultiplier &&
    isSameKey(left.authentication, right.authentication)
  );
}

function isSameKey(left: BfdKey | undefined, right: BfdKey | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.type === right.type &&
    left.keyId === right.keyId &&
    left.key.length === right.key.length &&
    left.key.every((byte, index) => byte === right.key[index])
  );
}

function isSamePath(left: BfdSessionSpec, right: BfdSessionSpec): boolean {
  return (
    left.peer === right.peer &&
    left.interface === right.interface &&
    left.multihop === right.multihop
  );
}

function timerKey(session: string, timer: SessionTimerName): string {
  return `${session}/${timer}`;
}
