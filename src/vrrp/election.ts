/**
 * All virtual routers of one node: their machines, their timers and their sync groups, as one pure
 * function of what was heard. The vrrp thread and the simulator both run this and nothing else.
 *
 * The order within a turn is the promise that the thread makes: first everything that was heard,
 * then what the main thread asked for, and only then what is due. So an advertisement that waited
 * in a socket while this process was stalled is heard before its sender is declared dead.
 */
import type { IpAddress } from '../wire/ipAddress.js';
import type { Advertisement } from '../wire/vrrp.js';
import { initialMachine, step } from './machine.js';
import type { MachineAction, MachineEvent, MachineState, TimerName } from './machineModel.js';
import type { Demotion, VirtualRouterSpec } from './protocol.js';
import {
  type Reconfiguration,
  type ResolvedSyncGroup,
  type RouterKey,
  routerKey,
} from './reconfiguration.js';
import { groupMayPromote, groupReaction, groupSettlement, isHeldByGroup } from './syncGroup.js';

/** A timer that waits. */
export interface PendingTimer {
  readonly router: RouterKey;
  readonly timer: TimerName;
  readonly generation: number;
  readonly atUs: number;
}

/** The election of one node. */
export interface ElectionState {
  readonly routers: ReadonlyMap<RouterKey, MachineState>;
  readonly groups: readonly ResolvedSyncGroup[];
  readonly demotions: readonly Demotion[];
  readonly timers: ReadonlyMap<string, PendingTimer>;
}

/** An advertisement that passed every check. */
export interface HeardAdvertisement {
  readonly router: RouterKey;
  readonly source: IpAddress;
  readonly advertisement: Advertisement;
  readonly receivedUs: number;
}

/** What the main thread asks for. */
export type ElectionCommand =
  | {
      readonly type: 'reconfigure';
      readonly plan: Reconfiguration;
      /** Our source address on each interface that can be used. */
      readonly addresses: ReadonlyMap<string, IpAddress>;
    }
  | { readonly type: 'demotions'; readonly demotions: readonly Demotion[] }
  | { readonly type: 'stop' };

/** What one turn is given. */
export interface TurnInputs {
  readonly advertisements: readonly HeardAdvertisement[];
  /** Interfaces that changed, with our source address there, or without one if unusable. */
  readonly interfaces: ReadonlyMap<string, IpAddress | undefined>;
  readonly commands: readonly ElectionCommand[];
}

/** An action of one virtual router, with the settings that it has at that moment. */
export type RouterEffect<Type extends MachineAction['type']> = Extract<
  MachineAction,
  { type: Type }
> & { readonly router: RouterKey; readonly spec: VirtualRouterSpec };

/**
 * What a turn wants done, phase by phase over all routers: every advertisement goes out before any
 * address moves, all addresses move in one batch, and announcements come last.
 */
export interface TurnEffects {
  readonly advertisements: readonly RouterEffect<'send-advertisement'>[];
  readonly addressChanges: readonly RouterEffect<'add-addresses' | 'remove-addresses'>[];
  readonly announcements: readonly RouterEffect<'announce'>[];
  readonly transitions: readonly RouterEffect<'transition'>[];
}

/** The outcome of one turn. */
export interface Turn {
  readonly state: ElectionState;
  readonly effects: TurnEffects;
}

/** A node without virtual routers. */
export const emptyElection: ElectionState = {
  routers: new Map(),
  groups: [],
  demotions: [],
  timers: new Map(),
};

/** Inputs of a turn that has nothing but due timers. */
export const noInputs: TurnInputs = { advertisements: [], interfaces: new Map(), commands: [] };

/** Runs one turn: what was heard, what was asked, what is due at `nowUs`. */
export function runTurn(state: ElectionState, inputs: TurnInputs, nowUs: number): Turn {
  const draft = new TurnDraft(state, nowUs);
  for (const heard of inputs.advertisements) {
    draft.dispatch(heard.router, { type: 'advertisement', ...heard });
  }
  for (const [name, address] of inputs.interfaces) draft.changeInterface(name, address);
  for (const command of inputs.commands) draft.command(command);
  draft.runDue();
  return draft.finish();
}

/** When the next timer is due; `undefined` when none waits. */
export function nextDeadlineUs(state: ElectionState): number | undefined {
  let earliest: number | undefined;
  for (const { atUs } of state.timers.values()) {
    if (earliest === undefined || atUs < earliest) earliest = atUs;
  }
  return earliest;
}

/** The scratch pad of one turn. */
class TurnDraft {
  readonly #nowUs: number;
  readonly #routers: Map<RouterKey, MachineState>;
  readonly #timers: Map<string, PendingTimer>;
  #groups: readonly ResolvedSyncGroup[];
  #demotions: readonly Demotion[];
  readonly #advertisements: RouterEffect<'send-advertisement'>[] = [];
  readonly #addressChanges: RouterEffect<'add-addresses' | 'remove-addresses'>[] = [];
  readonly #announcements: RouterEffect<'announce'>[] = [];
  readonly #transitions: RouterEffect<'transition'>[] = [];

  constructor(state: ElectionState, nowUs: number) {
    this.#nowUs = nowUs;
    this.#routers = new Map(state.routers);
    this.#timers = new Map(state.timers);
    this.#groups = state.groups;
    this.#demotions = state.demotions;
  }

  finish(): Turn {
    return {
      state: {
        routers: this.#routers,
        groups: this.#groups,
        demotions: this.#demotions,
        timers: this.#timers,
      },
      effects: {
        advertisements: this.#advertisements,
        addressChanges: this.#addressChanges,
        announcements: this.#announcements,
        transitions: this.#transitions,
      },
    };
  }

  /** One event for one router, and what follows from it for its sync group. */
  dispatch(key: RouterKey, event: MachineEvent): void {
    const before = this.#routers.get(key);
    if (before === undefined) return;
    const { state: after, actions } = step(before, event, this.#nowUs);
    this.#routers.set(key, after);
    for (const action of actions) this.#collect(key, after.spec, action);
    // A router that is shut down leaves its group; the others have their own orders.
    if (event.type === 'shutdown') return;
    for (const group of this.#groupsOf(key)) {
      const reaction = groupReaction(before, after, this.#membersOf(group));
      if (reaction !== undefined) this.#dispatchToGroup(group, reaction, key);
    }
  }

  changeInterface(name: string, address: IpAddress | undefined): void {
    const affected = [...this.#routers].filter(([, { spec }]) => spec.interface === name);
    for (const [key] of affected) {
      this.dispatch(key, { type: 'interface', address, held: this.#isHeld(key) });
    }
  }

  command(command: ElectionCommand): void {
    switch (command.type) {
      case 'reconfigure':
        this.#reconfigure(command.plan, command.addresses);
        break;
      case 'demotions':
        this.#demotions = command.demotions;
        for (const key of [...this.#routers.keys()]) this.dispatch(key, command);
        break;
      case 'stop':
        for (const key of [...this.#routers.keys()]) this.#remove(key, 'shutdown');
        break;
    }
  }

  /** Timers run in the order in which they are due, those that they arm included. */
  runDue(): void {
    for (let due = this.#nextDue(); due !== undefined; due = this.#nextDue()) {
      this.#timers.delete(timerKey(due.router, due.timer));
      const { router, timer, generation, atUs } = due;
      if (timer === 'active-down' && !this.#mayPromote(router)) {
        this.dispatch(router, { type: 'promotion-held', generation });
      } else {
        this.dispatch(router, { type: 'timer', timer, generation, dueUs: atUs });
      }
    }
  }

  #nextDue(): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const pending of this.#timers.values()) {
      if (pending.atUs <= this.#nowUs && (next === undefined || pending.atUs < next.atUs)) {
        next = pending;
      }
    }
    return next;
  }

  #collect(router: RouterKey, spec: VirtualRouterSpec, action: MachineAction): void {
    switch (action.type) {
      case 'arm-timer':
        this.#timers.set(timerKey(router, action.timer), { router, ...action });
        break;
      case 'cancel-timer':
        this.#timers.delete(timerKey(router, action.timer));
        break;
      case 'send-advertisement':
        this.#advertisements.push({ ...action, router, spec });
        break;
      case 'add-addresses':
      case 'remove-addresses':
        this.#addressChanges.push({ ...action, router, spec });
        break;
      case 'announce':
        this.#announcements.push({ ...action, router, spec });
        break;
      case 'transition':
        this.#transitions.push({ ...action, router, spec });
        break;
    }
  }

  #reconfigure(plan: Reconfiguration, addresses: ReadonlyMap<string, IpAddress>): void {
    for (const key of plan.stops) this.#remove(key, 'reconfigured');
    this.#groups = plan.groups;
    for (const spec of plan.changes) this.dispatch(routerKey(spec), { type: 'spec', spec });
    // All are there before the first starts, so that each sees whether its group can run.
    for (const spec of plan.starts) {
      const machine = initialMachine(spec, this.#demotions);
      this.#routers.set(routerKey(spec), {
        ...machine,
        started: true,
        ownAddress: addresses.get(spec.interface),
      });
    }
    for (const spec of plan.starts) {
      const key = routerKey(spec);
      const address = addresses.get(spec.interface);
      this.dispatch(key, { type: 'startup', address, held: this.#isHeld(key) });
    }
    for (const group of this.#groups) {
      const settlement = groupSettlement(this.#membersOf(group), this.#nowUs);
      if (settlement !== undefined) this.#dispatchToGroup(group, settlement);
    }
  }

  #remove(key: RouterKey, reason: 'shutdown' | 'reconfigured'): void {
    this.dispatch(key, { type: 'shutdown', reason });
    this.#routers.delete(key);
  }

  #groupsOf(key: RouterKey): readonly ResolvedSyncGroup[] {
    return this.#groups.filter(({ members }) => members.includes(key));
  }

  #membersOf(group: ResolvedSyncGroup): readonly MachineState[] {
    return group.members.flatMap((key) => this.#routers.get(key) ?? []);
  }

  #dispatchToGroup(group: ResolvedSyncGroup, event: MachineEvent, except?: RouterKey): void {
    for (const key of group.members) if (key !== except) this.dispatch(key, event);
  }

  #isHeld(key: RouterKey): boolean {
    return this.#groupsOf(key).some((group) => {
      const others = group.members.filter((member) => member !== key);
      return isHeldByGroup(others.flatMap((other) => this.#routers.get(other) ?? []));
    });
  }

  /** The other members are asked: this one's own silence is what brought the question up. */
  #mayPromote(key: RouterKey): boolean {
    return this.#groupsOf(key).every((group) => {
      const others = group.members.filter((member) => member !== key);
      return groupMayPromote(
        others.flatMap((other) => this.#routers.get(other) ?? []),
        this.#nowUs,
      );
    });
  }
}

function timerKey(router: RouterKey, timer: TimerName): string {
  return `${router}/${timer}`;
}
