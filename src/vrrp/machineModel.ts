/**
 * What the state machine of one virtual router knows, hears and decides. Values only; the rules are
 * in `machine.ts`.
 */
import type { IpAddress } from '../wire/ipAddress.js';
import type { Advertisement } from '../wire/vrrp.js';
import type { Demotion, Fault, VirtualAddress, VirtualRouterSpec } from './protocol.js';
import type { PreemptHoldReason, TransitionReason, VirtualRouterState } from './reasons.js';
import type { VirtualRouting } from './virtualRouting.js';

/** The timers of one virtual router. The first two are Adver_Timer and Active_Down_Timer. */
export type TimerName =
  | 'advertisement'
  | 'active-down'
  /** The second burst of announcements after a promotion or a healed split. */
  | 'delayed-announcement'
  /** The periodic announcement while Active. */
  | 'announcement-refresh';

/** The last router heard that acts as Active. */
export interface RivalActive {
  readonly address: IpAddress;
  readonly priority: number;
  readonly lastHeardUs: number;
}

/** Whom an Active lets have its place: whoever takes it, or only a router with more right to it. */
export type PlaceOffer = 'anyone' | 'higher';

/** An operator's request that a router is not the Active for a while. */
export interface StepDown {
  readonly untilUs: number;
  /** Whether it lasts although nobody took the place that was offered. */
  readonly force: boolean;
}

/** What keeps a router from preempting one that works, and for how long at most. */
export interface PreemptHold {
  readonly reason: PreemptHoldReason;
  readonly untilUs: number;
}

/** What a router knows of its own stalls. */
export interface Lateness {
  /** Stalls that went past the bound since the start. */
  readonly count: number;
  readonly lastUs: number | undefined;
  /** Until when an Active only listens, after a stall in which it may have been deposed. */
  readonly listeningUntilUs: number | undefined;
  /** Until when the router is demoted because its loop was late again and again. */
  readonly demotedUntilUs: number | undefined;
}

/** Everything that the machine of one virtual router knows. All times are monotonic. */
export interface MachineState {
  readonly spec: VirtualRouterSpec;
  readonly demotions: readonly Demotion[];
  /** What keeps the router in Initialize although its interface could be used. */
  readonly faults: readonly Fault[];
  readonly current: VirtualRouterState;
  readonly reason: TransitionReason;
  /** Whether startup has happened and shutdown has not. */
  readonly started: boolean;
  /** Our source address on the interface; absent while the interface cannot be used. */
  readonly ownAddress: IpAddress | undefined;
  /** Active_Adver_Interval: our own until an Active was heard. */
  readonly activeAdvertIntervalUs: number;
  /** When the Active_Down_Timer began to count. */
  readonly activeDownSinceUs: number;
  /** Whether the Active said that it leaves, so that only Skew_Time is waited. */
  readonly activeResigned: boolean;
  /** Whether BFD says that the Active is gone, so that only Skew_Time is waited as well. */
  readonly activeUnreachable: boolean;
  /** When an advertisement last restarted the Active_Down_Timer; absent: none in this Backup. */
  readonly lastAcceptedUs: number | undefined;
  /** Until when a Backup that would preempt refrains (`preempt.delay`). */
  readonly preemptNotBeforeUs: number | undefined;
  /** Until when a router that was just started does not become Active. */
  readonly startupUntilUs: number | undefined;
  /** What keeps it from preempting; those whose time has passed included. */
  readonly holds: readonly PreemptHold[];
  readonly stepDown: StepDown | undefined;
  /** Since when and when last an owner heard another owner while it was Active. */
  readonly ownerContest: { readonly sinceUs: number; readonly lastUs: number } | undefined;
  readonly lateness: Lateness;
  /** Until when an Active that was asked to step down offers its place with priority 0. */
  readonly steppingDownUntilUs: number | undefined;
  /** Whether it is on its way out: it goes when its place is taken, and does not come back. */
  readonly leaving: boolean;
  /** To whom it offers it, while it does. */
  readonly placeOfferedTo: PlaceOffer;
  /** The priority that another router advertised last, in whatever state that was. */
  readonly heardPriority: number | undefined;
  readonly rival: RivalActive | undefined;
  readonly lastSentUs: number | undefined;
  readonly lastAnnouncedUs: number | undefined;
  /** Greatest lateness of a due advertisement since start, in microseconds. */
  readonly latenessMaxUs: number;
  /** The generation of each armed timer. A tick of another generation is stale and ignored. */
  readonly timers: Readonly<Partial<Record<TimerName, number>>>;
  /** The generation that was handed out last. */
  readonly lastGeneration: number;
}

/** What happens to one virtual router. */
export type MachineEvent =
  | {
      readonly type: 'startup';
      /** Our source address; absent while the interface cannot be used. */
      readonly address: IpAddress | undefined;
      /** Whether another member of the sync group cannot run, so that none may become Active. */
      readonly held: boolean;
    }
  /** The interface went down or lost its address (absent), came back, or has another address. */
  | { readonly type: 'interface'; readonly address: IpAddress | undefined; readonly held: boolean }
  | { readonly type: 'shutdown'; readonly reason: 'shutdown' | 'reconfigured' }
  /** A shutdown that lets somebody else take the place first. */
  | { readonly type: 'leave' }
  | {
      readonly type: 'advertisement';
      readonly source: IpAddress;
      readonly advertisement: Advertisement;
      /** When the kernel received it. */
      readonly receivedUs: number;
    }
  | {
      readonly type: 'timer';
      readonly timer: TimerName;
      readonly generation: number;
      /** When it was to run; the difference to now is our own lateness. */
      readonly dueUs: number;
    }
  /** The Active_Down_Timer is due, and the sync group does not let this member become Active. */
  | { readonly type: 'promotion-held'; readonly generation: number }
  /** Another member of the sync group became Active. */
  | { readonly type: 'group-promoted' }
  /** Another member of the sync group is Active no longer. */
  | { readonly type: 'group-yielded' }
  /** The last member of the sync group that could not run can again. */
  | { readonly type: 'group-released' }
  /** The BFD session with a peer ended by silence: diagnostic 1, not AdminDown. */
  | { readonly type: 'peer-unreachable'; readonly peer: IpAddress }
  | { readonly type: 'demotions'; readonly demotions: readonly Demotion[] }
  /** `held` as for `startup`: it matters when the last fault is gone. */
  | { readonly type: 'faults'; readonly faults: readonly Fault[]; readonly held: boolean }
  /** What keeps it from preempting has changed. */
  | { readonly type: 'holds'; readonly holds: readonly PreemptHold[] }
  /** The operator wants it to step down until then; a time that has passed takes that back. */
  | { readonly type: 'step-down'; readonly untilUs: number; readonly force: boolean }
  /** New settings of the same virtual router (same identifier, same interface). */
  | { readonly type: 'spec'; readonly spec: VirtualRouterSpec };

/** What is to be done for one virtual router, in the order of the list. */
export type MachineAction =
  | {
      readonly type: 'send-advertisement';
      readonly priority: number;
      /** When it was due; absent when it is sent for another reason than its time. */
      readonly dueUs?: number;
    }
  /** Addresses first, then what depends on them. */
  | {
      readonly type: 'add-addresses';
      readonly addresses: readonly VirtualAddress[];
      readonly routing?: VirtualRouting;
    }
  /** The other way round. */
  | {
      readonly type: 'remove-addresses';
      readonly addresses: readonly VirtualAddress[];
      readonly routing?: VirtualRouting;
    }
  | {
      readonly type: 'announce';
      readonly addresses: readonly VirtualAddress[];
      /** Announcements per address. */
      readonly repeat: number;
    }
  | {
      readonly type: 'arm-timer';
      readonly timer: TimerName;
      readonly generation: number;
      readonly atUs: number;
    }
  | { readonly type: 'cancel-timer'; readonly timer: TimerName }
  | {
      readonly type: 'transition';
      readonly from: VirtualRouterState;
      readonly to: VirtualRouterState;
      readonly reason: TransitionReason;
    };

/** The outcome of one step. */
export interface MachineStep {
  readonly state: MachineState;
  readonly actions: readonly MachineAction[];
}
