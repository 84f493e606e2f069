/**
 * All virtual routers of one node: their machines, their timers and their sync groups, as one pure
 * function of what was heard. The vrrp thread and the simulator both run this and nothing else.
 *
 * The order within a turn is the promise that the thread makes: first everything that was heard,
 * then what the main thread asked for, and only then what is due. So an advertisement that waited
 * in a socket while this process was stalled is heard before its sender is declared dead.
 */
import type { IpAddress } from '../wire/ipAddress.js';
import type {
  ElectionCommand,
  ElectionState,
  RouterEffect,
  Turn,
  TurnInputs,
} from './electionModel.js';
import { initialMachine, step } from './machine.js';
import { renewHolds } from './machineHolds.js';
import type { MachineAction, MachineEvent, MachineState, PreemptHold } from './machineModel.js';
import type { Demotion, Fault, VirtualRouterSpec } from './protocol.js';
import {
  isSameValue,
  type Reconfiguration,
  type ResolvedSyncGroup,
  type RouterKey,
  routerKey,
} from './reconfiguration.js';
import { groupMayPromote, groupReaction, groupSettlement, isHeldByGroup } from './syncGroup.js';
import {
  addTimer,
  dropFirstTimer,
  firstTimer,
  keepTimers,
  type PendingTimer,
  type TimerQueue,
} from './timerQueue.js';
import { senderKey } from './virtualRouter.js';

export {
  type ElectionCommand,
  type ElectionState,
  emptyElection,
  type HeardAdvertisement,
  noInputs,
  type RouterEffect,
  type Turn,
  type TurnEffects,
  type TurnInputs,
} from './electionModel.js';

/** Timers that a router may have in the queue, stale ones included, before they are sorted out. */
const timersPerRouterMax = 16;

/** Runs one turn: what was heard, what was asked, what is due at `nowUs`. */
export function runTurn(state: ElectionState, inputs: TurnInputs, nowUs: number): Turn {
  const draft = new TurnDraft(state, nowUs);
  for (const heard of inputs.advertisements) {
    draft.dispatch(heard.router, { type: 'advertisement', ...heard });
  }
  for (const session of inputs.unreachable ?? []) draft.losePeer(session);
  for (const [name, address] of inputs.interfaces) draft.changeInterface(name, address);
  for (const command of inputs.commands) draft.command(command);
  draft.runDue();
  return draft.finish();
}

/** When the next timer is due; `undefined` when none waits. */
export function nextDeadlineUs(state: ElectionState): number | undefined {
  return firstTimer(state.timers)?.atUs;
}

/**
 * When a Backup will take over unless it hears something before; `undefined` when something else is
 * due first.
 */
export function nextTakeoverUs({ timers, routers }: ElectionState): number | undefined {
  const first = firstTimer(timers);
  if (first?.timer !== 'active-down') return undefined;
  const isLive = routers.get(first.router)?.timers['active-down'] === first.generation;
  return isLive ? first.atUs : undefined;
}

/** The scratch pad of one turn. */
class TurnDraft {
  readonly #nowUs: number;
  readonly #routers: Map<RouterKey, MachineState>;
  #timers: TimerQueue;
  #holds: readonly PreemptHold[];
  #groups: readonly ResolvedSyncGroup[];
  #demotions: readonly Demotion[];
  #faults: readonly Fault[];
  readonly #advertisements: RouterEffect<'send-advertisement'>[] = [];
  readonly #addressChanges: RouterEffect<'add-addresses' | 'remove-addresses'>[] = [];
  readonly #announcements: RouterEffect<'announce'>[] = [];
  readonly #transitions: RouterEffect<'transition'>[] = [];

  constructor(state: ElectionState, nowUs: number) {
    this.#nowUs = nowUs;
    this.#routers = new Map(state.routers);
    this.#timers = state.timers;
    this.#holds = state.holds;
    this.#groups = state.groups;
    this.#demotions = state.demotions;
    this.#faults = state.faults;
  }

  finish(): Turn {
    this.#dropLeft();
    this.#dropStaleTimers();
    return {
      state: {
        routers: this.#routers,
        groups: this.#groups,
        demotions: this.#demotions,
        faults: this.#faults,
        holds: this.#holds,
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

  /** A BFD session speaks for the routers that name it, and for no others. */
  losePeer(session: { readonly name: string; readonly peer: IpAddress }): void {
    for (const [key, { spec }] of [...this.#routers]) {
      if (spec.bfd !== session.name) continue;
      this.dispatch(key, { type: 'peer-unreachable', peer: session.peer });
    }
  }

  changeInterface(name: string, address: IpAddress | undefined): void {
    const affected = [...this.#routers].filter(([, { spec }]) => senderKey(spec) === name);
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
        this.#faults = command.faults ?? [];
        for (const key of [...this.#routers.keys()]) this.#applyBurdens(key);
        break;
      case 'holds':
        this.#holds = renewHolds(this.#holds, command.holds, this.#nowUs);
        for (const key of [...this.#routers.keys()]) {
          this.dispatch(key, { type: 'holds', holds: this.#holds });
        }
        break;
      case 'step-down':
        for (const key of this.#movingWith(command.router)) {
          const untilUs = this.#nowUs + command.forMs * 1000;
          this.dispatch(key, { type: 'step-down', untilUs, force: command.force });
        }
        break;
      case 'leave':
        for (const key of [...this.#routers.keys()]) this.dispatch(key, { type: 'leave' });
        break;
      case 'stop':
        for (const key of [...this.#routers.keys()]) this.#remove(key, 'shutdown');
        break;
    }
  }

  /** Timers run in the order in which they are due, those that they arm included. */
  runDue(): void {
    for (let due = this.#takeDue(); due !== undefined; due = this.#takeDue()) {
      const { router, timer, generation, atUs } = due;
      if (timer === 'active-down' && !this.#mayPromote(router)) {
        this.dispatch(router, { type: 'promotion-held', generation });
      } else {
        this.dispatch(router, { type: 'timer', timer, generation, dueUs: atUs });
      }
    }
  }

  #takeDue(): PendingTimer | undefined {
    for (;;) {
      const first = firstTimer(this.#timers);
      if (first === undefined || first.atUs > this.#nowUs) return undefined;
      this.#timers = dropFirstTimer(this.#timers);
      if (this.#isLive(first)) return first;
    }
  }

  #isLive({ router, timer, generation }: PendingTimer): boolean {
    return this.#routers.get(router)?.timers[timer] === generation;
  }

  /** Routers that were leaving and have left. */
  #dropLeft(): void {
    for (const [key, { leaving, current }] of this.#routers) {
      if (leaving && current === 'initialize') this.#routers.delete(key);
    }
  }

  /** The loop must not wake up for nothing, and a flood of packets must not pile timers up. */
  #dropStaleTimers(): void {
    const isLive = (timer: PendingTimer) => this.#isLive(timer);
    for (
      let first = firstTimer(this.#timers);
      first !== undefined && !isLive(first);
      first = firstTimer(this.#timers)
    ) {
      this.#timers = dropFirstTimer(this.#timers);
    }
    if (this.#timers.size > timersPerRouterMax * (this.#routers.size + 1)) {
      this.#timers = keepTimers(this.#timers, isLive);
    }
  }

  #collect(router: RouterKey, spec: VirtualRouterSpec, action: MachineAction): void {
    switch (action.type) {
      case 'arm-timer':
        this.#timers = addTimer(this.#timers, {
          router,
          timer: action.timer,
          generation: action.generation,
          atUs: action.atUs,
        });
        break;
      case 'cancel-timer':
        // The machine has forgotten its generation, which makes the timer stale.
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
    // A router that starts under the same key counts its generations from the beginning.
    this.#timers = keepTimers(this.#timers, (timer) => this.#isLive(timer));
    this.#groups = plan.groups;
    for (const spec of plan.changes) {
      this.dispatch(routerKey(spec), { type: 'spec', spec });
      // Demotions name routers, and the name may be what changed.
      this.#applyBurdens(routerKey(spec));
    }
    // All are there before the first starts, so that each sees whether its group can run.
    for (const spec of plan.starts) {
      const machine = initialMachine(spec, burdensOf(spec, this.#demotions));
      this.#routers.set(routerKey(spec), {
        ...machine,
        faults: burdensOf(spec, this.#faults),
        holds: this.#holds,
        started: true,
        ownAddress: addresses.get(senderKey(spec)),
      });
    }
    for (const spec of plan.starts) {
      const key = routerKey(spec);
      const address = addresses.get(senderKey(spec));
      this.dispatch(key, { type: 'startup', address, held: this.#isHeld(key) });
    }
    for (const group of this.#groups) {
      const settlement = groupSettlement(this.#membersOf(group), this.#nowUs);
      if (settlement !== undefined) this.#dispatchToGroup(group, settlement);
    }
  }

  /** Gives a router the demotions and faults that are meant for it, when they have changed. */
  #applyBurdens(key: RouterKey): void {
    const machine = this.#routers.get(key);
    if (machine === undefined) return;
    const demotions = burdensOf(machine.spec, this.#demotions);
    if (!isSameValue(demotions, machine.demotions)) {
      this.dispatch(key, { type: 'demotions', demotions });
    }
    const faults = burdensOf(machine.spec, this.#faults);
    if (!isSameValue(faults, machine.faults)) {
      this.dispatch(key, { type: 'faults', faults, held: this.#isHeld(key) });
    }
  }

  #remove(key: RouterKey, reason: 'shutdown' | 'reconfigured'): void {
    this.dispatch(key, { type: 'shutdown', reason });
    this.#routers.delete(key);
  }

  /** The key of a router by its name, and those of its sync group; every key without a name. */
  #movingWith(name: string | undefined): readonly RouterKey[] {
    const keys = [...this.#routers.keys()];
    if (name === undefined) return keys;
    const named = keys.filter((key) => this.#routers.get(key)?.spec.name === name);
    const groups = named.flatMap((key) => this.#groupsOf(key));
    return [...new Set([...named, ...groups.flatMap((group) => group.members)])];
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

/** Those of a list that apply to a router. */
function burdensOf<Burden extends { readonly routers?: readonly string[] }>(
  spec: VirtualRouterSpec,
  all: readonly Burden[],
): readonly Burden[] {
  return all.filter(({ routers }) => routers === undefined || routers.includes(spec.name));
}
