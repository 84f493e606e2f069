/** Short ways to make virtual routers and to walk their machines through events. */
import { initialMachine, step } from '../../../src/vrrp/machine.js';
import type {
  MachineAction,
  MachineEvent,
  MachineState,
  TimerName,
} from '../../../src/vrrp/machineModel.js';
import type { VirtualAddress, VirtualRouterSpec } from '../../../src/vrrp/protocol.js';
import { ipAddress, parseIpPrefix } from '../../../src/wire/ipAddress.js';

/** Start of the tests' clock: not zero, so that a forgotten time shows. */
export const startUs = 1_000_000_000;

/** `virtualAddress('192.0.2.100/24')` on eth0. */
export function virtualAddress(text: string, name = 'eth0'): VirtualAddress {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
  return { prefix, interface: name };
}

/** A virtual router of priority 100 and 1 s, without delayed or periodic announcements. */
export function makeSpec(changes: Partial<VirtualRouterSpec> = {}): VirtualRouterSpec {
  return {
    name: 'outside',
    vrid: 51,
    interface: 'eth0',
    priority: 100,
    advertIntervalCs: 100,
    preempt: { enabled: true, delayMs: 0 },
    addresses: [virtualAddress('192.0.2.100/24')],
    checksum: 'pseudo-header',
    announcements: { repeat: 5, delayMs: 0, refreshMs: 0 },
    ...changes,
  };
}

/** What an advertisement in a test says. */
export interface Heard {
  readonly priority: number;
  readonly source?: string;
  readonly advertIntervalCs?: number;
  /** How long before now the kernel received it. */
  readonly agoUs?: number;
}

/** One machine, its clock, and what its last event made it do. */
export class Walk {
  state: MachineState;
  nowUs = startUs;
  /** Actions of the last event. */
  actions: readonly MachineAction[] = [];
  readonly #timers = new Map<TimerName, { atUs: number; generation: number }>();

  constructor(spec: VirtualRouterSpec) {
    this.state = initialMachine(spec);
  }

  /** A router that has started at 192.0.2.2 and has not heard anything. */
  static started(changes: Partial<VirtualRouterSpec> = {}): Walk {
    const walk = new Walk(makeSpec(changes));
    walk.event({ type: 'startup', address: ipAddress('192.0.2.2'), held: false });
    return walk;
  }

  /** A router that became Active because nobody was heard. */
  static active(changes: Partial<VirtualRouterSpec> = {}): Walk {
    const walk = Walk.started(changes);
    if (walk.state.current !== 'active') walk.runNext('active-down');
    return walk;
  }

  event(event: MachineEvent): this {
    const { state, actions } = step(this.state, event, this.nowUs);
    this.state = state;
    this.actions = actions;
    for (const action of actions) {
      if (action.type === 'arm-timer') this.#timers.set(action.timer, action);
      if (action.type === 'cancel-timer') this.#timers.delete(action.timer);
    }
    return this;
  }

  hear({ priority, source = '192.0.2.1', advertIntervalCs = 100, agoUs = 0 }: Heard): this {
    const { vrid } = this.state.spec;
    const advertisement = { vrid, priority, advertIntervalCs, addresses: [] };
    const receivedUs = this.nowUs - agoUs;
    return this.event({
      type: 'advertisement',
      source: ipAddress(source),
      advertisement,
      receivedUs,
    });
  }

  /** Lets time pass without running anything. */
  pass(us: number): this {
    this.nowUs += us;
    return this;
  }

  /** Goes to the time at which a timer is due, or later by `lateUs`, and runs it. */
  runNext(timer: TimerName, lateUs = 0): this {
    const pending = this.#timers.get(timer);
    if (pending === undefined) throw new Error(`${timer} is not armed`);
    this.#timers.delete(timer);
    this.nowUs = pending.atUs + lateUs;
    return this.event({
      type: 'timer',
      timer,
      generation: pending.generation,
      dueUs: pending.atUs,
    });
  }

  /** Advertises on every beat that comes before another timer is due. */
  beatUntil(timer: TimerName): this {
    while ((this.due('advertisement') ?? Infinity) < (this.due(timer) ?? 0)) {
      this.runNext('advertisement');
    }
    return this;
  }

  /** When a timer is due, counted from now; `undefined` when it is not armed. */
  due(timer: TimerName): number | undefined {
    const pending = this.#timers.get(timer);
    return pending === undefined ? undefined : pending.atUs - this.nowUs;
  }

  /** Every timer that is armed. */
  get armed(): readonly TimerName[] {
    return [...this.#timers.keys()].sort();
  }

  /** The actions of the last event in short, timers left out. */
  get did(): readonly string[] {
    return this.actions.flatMap((action) => {
      switch (action.type) {
        case 'send-advertisement':
          return `advertise ${action.priority}`;
        case 'add-addresses':
        case 'remove-addresses':
          return `${action.type} ${action.addresses.map((a) => a.prefix.address).join(',')}`;
        case 'announce':
          return `announce ${action.addresses.length}x${action.repeat}`;
        case 'transition':
          return `${action.from} -> ${action.to}: ${action.reason}`;
        default:
          return [];
      }
    });
  }
}
