/** Short ways to make sessions and to walk their machines through events. */
import { initialSession, stepSession } from '../../../src/bfd/machine.js';
import type {
  SessionAction,
  SessionEvent,
  SessionState,
  SessionTimerName,
} from '../../../src/bfd/machineModel.js';
import type { BfdSessionSpec } from '../../../src/bfd/protocol.js';
import type { BfdControlPacket, BfdState } from '../../../src/wire/bfd.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

/** Start of the tests' clock: not zero, so that a forgotten time shows. */
export const startUs = 1_000_000_000;

/** Our discriminator in the tests, and the peer's. */
export const ourDiscriminator = 0x11223344;
export const peerDiscriminator = 0xaabbccdd;

/** A session of 50 ms times 3. */
export function makeSession(changes: Partial<BfdSessionSpec> = {}): BfdSessionSpec {
  return {
    name: 'pair',
    peer: ipAddress('192.0.2.2'),
    interface: 'eth0',
    multihop: false,
    enabled: true,
    desiredMinTxUs: 50_000,
    requiredMinRxUs: 50_000,
    detectMultiplier: 3,
    ...changes,
  };
}

/** A packet of a peer of 50 ms times 3 that knows us. */
export function peerPacket(
  state: BfdState,
  changes: Partial<BfdControlPacket> = {},
): BfdControlPacket {
  return {
    diagnostic: 'none',
    state,
    poll: false,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    detectMultiplier: 3,
    myDiscriminator: peerDiscriminator,
    yourDiscriminator: ourDiscriminator,
    desiredMinTxUs: state === 'up' ? 50_000 : 1_000_000,
    requiredMinRxUs: 50_000,
    requiredMinEchoRxUs: 0,
    ...changes,
  };
}

/** One machine, its clock, and what its last event made it do. */
export class SessionWalk {
  state: SessionState;
  nowUs = startUs;
  /** Actions of the last event. */
  actions: readonly SessionAction[] = [];
  /** The random number that each step is given; 0 is no jitter. */
  jitter = 0;
  readonly #timers = new Map<SessionTimerName, { atUs: number; generation: number }>();

  constructor(changes: Partial<BfdSessionSpec> = {}) {
    const chance = { discriminator: ourDiscriminator, sequence: 6 };
    this.state = initialSession(makeSession(changes), chance);
    this.event({ type: 'startup', usable: true });
  }

  /** A session that is in a state, and the peer in the one that goes with it. */
  static in(state: BfdState, changes: Partial<BfdSessionSpec> = {}): SessionWalk {
    const walk = new SessionWalk({ ...changes, enabled: state !== 'admin-down' });
    if (state === 'init' || state === 'up') walk.hear(peerPacket('down'));
    if (state === 'up') walk.hear(peerPacket('up', { final: true }));
    if (walk.state.current !== state) throw new Error(`it is ${walk.state.current}`);
    return walk;
  }

  /** A session that is up and whose poll sequence has ended. */
  static settled(changes: Partial<BfdSessionSpec> = {}): SessionWalk {
    return SessionWalk.in('up', changes).hear(peerPacket('up', { final: true }));
  }

  event(event: SessionEvent): this {
    const moment = { nowUs: this.nowUs, jitter: this.jitter };
    const { state, actions } = stepSession(this.state, event, moment);
    this.state = state;
    this.actions = actions;
    for (const action of actions) {
      if (action.type === 'arm-timer') this.#timers.set(action.timer, action);
      if (action.type === 'cancel-timer') this.#timers.delete(action.timer);
    }
    return this;
  }

  hear(packet: BfdControlPacket, agoUs = 0): this {
    const receivedUs = this.nowUs - agoUs;
    return this.event({ type: 'packet', packet, sequence: undefined, receivedUs });
  }

  configure(changes: Partial<BfdSessionSpec>): this {
    return this.event({ type: 'spec', spec: { ...this.state.spec, ...changes } });
  }

  /** Lets time pass without running anything. */
  pass(us: number): this {
    this.nowUs += us;
    return this;
  }

  /** Goes to the time at which a timer is due, or later by `lateUs`, and runs it. */
  runNext(timer: SessionTimerName, lateUs = 0): this {
    const pending = this.#timers.get(timer);
    if (pending === undefined) throw new Error(`${timer} is not armed`);
    this.#timers.delete(timer);
    this.nowUs = pending.atUs + lateUs;
    const { generation, atUs } = pending;
    return this.event({ type: 'timer', timer, generation, dueUs: atUs });
  }

  /** When a timer is due, counted from now; `undefined` when it is not armed. */
  due(timer: SessionTimerName): number | undefined {
    const pending = this.#timers.get(timer);
    return pending === undefined ? undefined : pending.atUs - this.nowUs;
  }

  /** The packets of the last event. */
  get sent(): readonly BfdControlPacket[] {
    return this.actions.flatMap((action) => (action.type === 'send' ? action.packet : []));
  }

  /** The actions of the last event in short, timers left out. */
  get did(): readonly string[] {
    return this.actions.flatMap((action) => {
      if (action.type === 'transition') {
        return `${action.from} -> ${action.to}: ${action.diagnostic}`;
      }
      if (action.type !== 'send') return [];
      const { state, poll, final } = action.packet;
      return `send ${state}${poll ? ' poll' : ''}${final ? ' final' : ''}`;
    });
  }
}
