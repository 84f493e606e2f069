/**
 * The messages between the main thread and the vrrp thread. Everything here survives structured
 * cloning; times that cross threads are Unix milliseconds, because the threads share no other
 * clock.
 */

import type { BfdSessionReport, BfdSessionSpec } from '../bfd/protocol.js';
import type { RouteScope } from '../kernel/routeModel.js';
import type { LinkTrackerSpec, TrackerReport } from '../track/model.js';
import type { IpAddress, IpFamily, IpPrefix } from '../wire/ipAddress.js';
import type { ChecksumForm, VrrpVersion } from '../wire/vrrp.js';
import type {
  AdvertisementRejection,
  AdvertisementWarning,
  DemotionReason,
  PreemptHoldReason,
  TrackerFailure,
  TransitionReason,
  VirtualRouterState,
} from './reasons.js';

/** A virtual IP address and where it goes. */
export interface VirtualAddress {
  readonly prefix: IpPrefix;
  readonly interface: string;
  /** False: it moves with the router and is not in the advertisement; may be of either family. */
  readonly advertised?: boolean;
  /** IPv4: the alias name of old, for example `eth0:vip`. */
  readonly label?: string;
  /** Absent: `global`. */
  readonly scope?: RouteScope;
  /** The far end of a point-to-point link, with the prefix length of its network. */
  readonly peer?: IpPrefix;
  /** False: no route to the network of the address comes with it. */
  readonly prefixRoute?: boolean;
  /**
   * Whether the router stops when the interface of this address is down; absent: it does. Means
   * nothing for an address on the interface of the election, which always counts.
   */
  readonly tracked?: boolean;
}

/** A route that is there while the router is Active. */
export interface VirtualRoute {
  /** Length 0: the default route of the family of the address. */
  readonly to: IpPrefix;
  readonly via?: IpAddress;
  readonly interface?: string;
  /** Preferred source address. */
  readonly source?: IpAddress;
  readonly metric?: number;
  /** Number of the routing table. */
  readonly table: number;
  readonly scope?: RouteScope;
}

/** A rule of policy routing that is there while the router is Active. */
export interface VirtualRule {
  readonly family: IpFamily;
  readonly from?: IpPrefix;
  readonly to?: IpPrefix;
  readonly fwmark?: { readonly value: number; readonly mask: number };
  readonly priority: number;
  /** Number of the routing table to look in. */
  readonly table: number;
}

/** The virtual MAC address 00:00:5e:00:01:VRID, 02 for IPv6 (RFC 9568, 7.3), on a macvlan. */
export interface VirtualMacSpec {
  /** Name of the macvlan, which is made unless it is there. */
  readonly interface: string;
  /** Which MAC address the advertisements come from. */
  readonly transmitFrom: 'virtual' | 'base';
}

/** Where the bytes of a key are. */
export type KeySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'hex'; readonly digits: string };

/** How the advertisements of a router are authenticated (`vrrpAuthentication.ts`). */
export interface HmacSpec {
  /** Every key that is accepted, by its id 1..255. */
  readonly keys: readonly { readonly id: number; readonly source: KeySource }[];
  /** The key that is sent with. */
  readonly sendKeyId: number;
  /**
   * `enforce` rejects what has no trailer, `permissive` accepts that, `receive-only` sends none
   * itself on top. A trailer that is there is judged in every mode.
   */
  readonly mode: 'enforce' | 'permissive' | 'receive-only';
  readonly antiReplay: 'time' | 'monotonic';
  /** How far the clocks may be apart, 1..300 seconds. */
  readonly windowSeconds: number;
}

/** Peers that are sent to one by one, in place of the group. */
export interface UnicastSpec {
  /** The only ones that are heard. */
  readonly peers: readonly IpAddress[];
  /** Our own address that is sent from; absent: chosen by family and peers. */
  readonly source?: IpAddress;
  /** Least time to live that is accepted; absent: 255 of peers on the link, any of others. */
  readonly ttlMin?: number;
  readonly ttlMax: number;
}

/** When gratuitous ARP is sent (reference: RFC 9568, 6.4.2; periodic refresh is ours). */
export interface AnnouncementSettings {
  /** Announcements per address at promotion, and again after `delayMs`. */
  readonly repeat: number;
  /** Delay of the second burst after promotion; 0 sends none. */
  readonly delayMs: number;
  /** Period of the refresh while Active; 0 is never. */
  readonly refreshMs: number;
}

/** Everything that the vrrp thread needs to know of one virtual router. */
export interface VirtualRouterSpec {
  readonly name: string;
  /** Virtual router identifier, 1..255. */
  readonly vrid: number;
  readonly interface: string;
  /** Absent: 3. Version 2 has IPv4 only. */
  readonly version?: VrrpVersion;
  /** The password of simple-text authentication, up to 8 bytes; version 2 only. */
  readonly password?: string;
  /** Absent: advertisements have no trailer. */
  readonly hmac?: HmacSpec;
  /** Absent: the group is used. */
  readonly unicast?: UnicastSpec;
  /** Configured priority, 1..255; 255 is the address owner. */
  readonly priority: number;
  /** Advertisement interval in centiseconds, 1..4095, as it goes on the wire. */
  readonly advertIntervalCs: number;
  readonly preempt: { readonly enabled: boolean; readonly delayMs: number };
  /** How long after its start the router does not become Active, whatever it hears; absent: 0. */
  readonly startupDelayMs?: number;
  readonly addresses: readonly VirtualAddress[];
  /** Routes that are added after the addresses and removed before them. */
  readonly routes?: readonly VirtualRoute[];
  /** Rules that are added after the routes and removed before them. */
  readonly rules?: readonly VirtualRule[];
  /** Absent: the addresses answer with the MAC addresses of their interfaces. */
  readonly virtualMac?: VirtualMacSpec;
  /** Whether interfaces may be missing when the configuration is loaded; absent: they may not. */
  readonly dynamic?: boolean;
  /** The checksum form that is sent; both are accepted. */
  readonly checksum: ChecksumForm;
  readonly announcements: AnnouncementSettings;
  /**
   * Configured priorities of the other nodes, where known: an Active below one offers its place.
   */
  readonly peerPriorities?: readonly number[];
  /**
   * Whether there are two nodes only, so that this one waits for no other Backup when its peer
   * resigns. Absent: there may be others, and it waits for Skew_Time.
   */
  readonly onlyBackup?: boolean;
  /** The BFD session whose silence means that its peer, when it is the Active, is gone. */
  readonly bfd?: string;
}

/** One reason not to take over from a router that works, until this node is ready for it. */
export interface PreemptHoldRequest {
  readonly reason: PreemptHoldReason;
  /** After this it holds no longer, whether it was taken back or not. */
  readonly waitMaxMs: number;
}

/** Virtual routers that change state together. */
export interface SyncGroupSpec {
  readonly name: string;
  readonly members: readonly string[];
}

/** How the vrrp thread is scheduled. */
export interface RealtimeSettings {
  /** `auto` is `round-robin` where the machine permits it, and `none` where it does not. */
  readonly scheduler: 'auto' | 'none' | 'round-robin';
  /** Real-time priority, 1..99; it counts with `round-robin`. */
  readonly priority: number;
  /** Whether the kernel must keep the memory of the process. */
  readonly lockMemory: boolean;
  /** The processors that the thread may run on; null: all that the process may. */
  readonly cpus: readonly number[] | null;
}

/** The real-time settings that are in force. */
export interface RealtimeReport extends Omit<RealtimeSettings, 'scheduler'> {
  readonly scheduler: 'none' | 'round-robin';
  /** What was asked for and refused, with the reason. */
  readonly failures: readonly string[];
}

/** The whole configuration of the vrrp thread. Sent at start and at each reload. */
export interface VrrpConfiguration {
  readonly routers: readonly VirtualRouterSpec[];
  readonly syncGroups: readonly SyncGroupSpec[];
  /** Trackers of links, addresses and routes, which this thread follows itself. */
  readonly trackers?: readonly LinkTrackerSpec[];
  /** BFD sessions, which run in this thread; absent: none. */
  readonly sessions?: readonly BfdSessionSpec[];
  /** Absent: the thread is scheduled like any other. */
  readonly realtime?: RealtimeSettings;
}

/** One reason why an effective priority is lower than the configured one. */
export interface Demotion {
  readonly reason: DemotionReason;
  /** How much it takes off the priority, up to 254; a negative one is added. */
  readonly weight: number;
  /** Names of the virtual routers that it applies to; absent: all. */
  readonly routers?: readonly string[];
  /** Name of the tracker that it comes from. */
  readonly tracker?: string;
}

/** One reason why a router must not run at all: a tracker without a weight fails. */
export interface Fault {
  readonly reason: TrackerFailure;
  readonly tracker: string;
  /** Names of the virtual routers that it applies to. */
  readonly routers: readonly string[];
}

/** From main to the vrrp thread. */
export type ToVrrp =
  | { readonly type: 'configure'; readonly configuration: VrrpConfiguration }
  /**
   * Replaces the whole set of demotions and faults that main knows of. Demotions do not move an
   * owner; faults stop it as any other router.
   */
  | {
      readonly type: 'demotions';
      readonly demotions: readonly Demotion[];
      readonly faults?: readonly Fault[];
    }
  /** Replaces all holds. One that is repeated does not wait longer than when it was set first. */
  | { readonly type: 'holds'; readonly holds: readonly PreemptHoldRequest[] }
  /**
   * A virtual router, by its name, and those that move with it step down for a time; all of them
   * when none is named. A time of 0 takes that back.
   */
  | {
      readonly type: 'step-down';
      readonly router?: string;
      readonly forMs: number;
      /** Whether it lasts although nobody takes the place. */
      readonly force: boolean;
    }
  /** Main is awake; sent every second. */
  | { readonly type: 'alive' }
  | { readonly type: 'report' }
  /** Priority 0, addresses off when somebody has taken over or had the time to, then `stopped`. */
  | { readonly type: 'stop' };

/** What the thread tells of one virtual router. */
export interface VirtualRouterReport {
  readonly name: string;
  readonly vrid: number;
  readonly interface: string;
  readonly version: VrrpVersion;
  readonly family: IpFamily;
  /** Peers that are sent to one by one; absent: the group is used. */
  readonly peers?: readonly IpAddress[];
  /** How advertisements are authenticated; absent: they are not. */
  readonly authentication?: 'simple' | `hmac-${HmacSpec['mode']}`;
  readonly state: VirtualRouterState;
  readonly sinceUnixMs: number;
  readonly reason: TransitionReason;
  readonly priority: {
    readonly configured: number;
    readonly effective: number;
    readonly demotions: readonly Demotion[];
  };
  /** What keeps the router in Initialize beside its interface. */
  readonly faults: readonly Fault[];
  /** The Active as far as this router knows: itself, the last sender heard, or nobody. */
  readonly active: {
    readonly address: IpAddress;
    readonly priority: number;
    readonly self: boolean;
    readonly lastHeardUnixMs: number | null;
  } | null;
  /** The interval that the Active_Down_Timer is computed from, learned from the Active. */
  readonly activeAdvertIntervalCs: number;
  readonly addresses: readonly VirtualAddress[];
  readonly transitions: readonly {
    readonly from: VirtualRouterState;
    readonly to: VirtualRouterState;
    readonly reason: TransitionReason;
    readonly atUnixMs: number;
  }[];
  readonly counters: {
    readonly advertisementsSent: number;
    readonly advertisementsReceived: number;
    readonly announcementsSent: number;
    readonly sendErrors: number;
    readonly rejected: Readonly<Partial<Record<AdvertisementRejection, number>>>;
    readonly warnings: Readonly<Partial<Record<AdvertisementWarning, number>>>;
  };
  /** The last packet that was refused, those of virtual routers that are not here left aside. */
  readonly lastRejected: {
    readonly reason: AdvertisementRejection;
    /** Null where the packet did not tell. */
    readonly source: IpAddress | null;
    readonly atUnixMs: number;
    /** Length of the whole packet, IP header included. */
    readonly bytes: number;
    /** The packet from its IP header on, in hexadecimal digits; a long one is cut. */
    readonly hex: string;
  } | null;
  /** Greatest lateness of a due advertisement since start, in microseconds. */
  readonly latenessMaxUs: number;
  /** Until when it does not become Active because it has just started; null: not delayed. */
  readonly startupUntilUnixMs: number | null;
  /** What keeps it from taking over from a router that works. */
  readonly holds: readonly {
    readonly reason: PreemptHoldReason;
    readonly untilUnixMs: number;
    /** The time is over, and it holds no longer although it was not taken back. */
    readonly expired: boolean;
  }[];
  /** The operator's step-down, while it lasts. */
  readonly stepDown: {
    readonly untilUnixMs: number;
    /** Still Active, and offering its place with priority 0. */
    readonly offering: boolean;
    readonly force: boolean;
  } | null;
  /** How late our own advertisements are: from when they are due to when they are sent. */
  readonly lateness: LatenessReport;
}

/** How late something is that is done again and again, in microseconds, since the start. */
export interface LatenessSummary {
  readonly count: number;
  /** Quantiles, each at most a fifth too high. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** How late the advertisements of a virtual router are, and what came of it. */
export interface LatenessReport extends LatenessSummary {
  /** How often the router was silent for so long that it may have been deposed. */
  readonly pastBound: number;
  /** Whether it only listens at present, after such a silence. */
  readonly listening: boolean;
}

/** Levels of pino that the threads use. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** From the vrrp thread to main. */
export type FromVrrp =
  /** Sockets are open and every router of the configuration runs. */
  | { readonly type: 'configured' }
  /** A configuration that cannot be carried out; the previous one goes on. */
  | {
      readonly type: 'refused';
      readonly code:
        | 'INTERFACE_MISSING'
        | 'INTERFACE_UNUSABLE'
        | 'PERMISSION'
        | 'SYSTEM_CALL'
        | 'VRRP_KEY_UNUSABLE'
        | 'INTERNAL';
      readonly message: string;
      readonly hint: string;
    }
  | {
      readonly type: 'transition';
      readonly router: string;
      readonly from: VirtualRouterState;
      readonly to: VirtualRouterState;
      readonly reason: TransitionReason;
      readonly atUnixMs: number;
    }
  | {
      readonly type: 'report';
      readonly routers: readonly VirtualRouterReport[];
      /** The trackers that this thread follows; absent: as in the report before. */
      readonly trackers?: readonly TrackerReport[];
      /** Every BFD session. */
      readonly sessions: readonly BfdSessionReport[];
      /** Monotonic heartbeat of the loop; main compares two of them to see that it runs. */
      readonly turns: number;
      readonly realtime: RealtimeReport;
      /** How late the loop woke up for its deadlines. */
      readonly loop: LatenessSummary;
    }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    }
  | { readonly type: 'stopped' };
