/**
 * What the election of one node knows, is given and wants done. Values only; the rules are in
 * `election.ts`.
 */
import type { IpAddress } from '../wire/ipAddress.js';
import type { Advertisement } from '../wire/vrrp.js';
import type { MachineAction, MachineState, PreemptHold } from './machineModel.js';
import type { Demotion, Fault, PreemptHoldRequest, VirtualRouterSpec } from './protocol.js';
import type { Reconfiguration, ResolvedSyncGroup, RouterKey } from './reconfiguration.js';
import { emptyTimerQueue, type TimerQueue } from './timerQueue.js';

/** The election of one node. */
export interface ElectionState {
  readonly routers: ReadonlyMap<RouterKey, MachineState>;
  readonly groups: readonly ResolvedSyncGroup[];
  readonly demotions: readonly Demotion[];
  readonly faults: readonly Fault[];
  /** What keeps the routers from preempting, with the ends of those that are over. */
  readonly holds: readonly PreemptHold[];
  /** Also holds timers that are stale by now, but the first is never one of those. */
  readonly timers: TimerQueue;
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
      /** Our source address wherever one can be sent from, by `senderKey`. */
      readonly addresses: ReadonlyMap<string, IpAddress>;
    }
  /** All demotions and faults there are; each says which routers it applies to. */
  | {
      readonly type: 'demotions';
      readonly demotions: readonly Demotion[];
      readonly faults?: readonly Fault[];
    }
  | { readonly type: 'holds'; readonly holds: readonly PreemptHoldRequest[] }
  /** A router by its name, with those that move with it; all routers when none is named. */
  | {
      readonly type: 'step-down';
      readonly router?: string;
      readonly forMs: number;
      readonly force: boolean;
    }
  /** Every router leaves, an Active when its place is taken; then there are none. */
  | { readonly type: 'leave' }
  /** Every router leaves at once. */
  | { readonly type: 'stop' };

/** What one turn is given. */
export interface TurnInputs {
  readonly advertisements: readonly HeardAdvertisement[];
  /** BFD sessions that ended by silence: their names, and their peers. Absent: none. */
  readonly unreachable?: readonly { readonly name: string; readonly peer: IpAddress }[];
  /** What changed by `senderKey`: our source address, or none where nothing can be sent. */
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
 * address moves, and no address is announced before it is there.
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
  faults: [],
  holds: [],
  timers: emptyTimerQueue,
};

/** Inputs of a turn that has nothing but due timers. */
export const noInputs: TurnInputs = { advertisements: [], interfaces: new Map(), commands: [] };
