/**
 * The messages between the main thread and the vrrp thread. Everything here survives structured
 * cloning; times that cross threads are Unix milliseconds, because the threads share no other
 * clock.
 */
import type { IpAddress, IpPrefix } from '../wire/ipAddress.js';
import type { ChecksumForm } from '../wire/vrrp.js';
import type {
  AdvertisementRejection,
  AdvertisementWarning,
  DemotionReason,
  TransitionReason,
  VirtualRouterState,
} from './reasons.js';

/** A virtual IP address and where it goes. */
export interface VirtualAddress {
  readonly prefix: IpPrefix;
  readonly interface: string;
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
  /** Configured priority, 1..255; 255 is the address owner. */
  readonly priority: number;
  /** Advertisement interval in centiseconds, 1..4095, as it goes on the wire. */
  readonly advertIntervalCs: number;
  readonly preempt: { readonly enabled: boolean; readonly delayMs: number };
  readonly addresses: readonly VirtualAddress[];
  /** The checksum form that is sent; both are accepted. */
  readonly checksum: ChecksumForm;
  readonly announcements: AnnouncementSettings;
}

/** Virtual routers that change state together. */
export interface SyncGroupSpec {
  readonly name: string;
  readonly members: readonly string[];
}

/** The whole configuration of the vrrp thread. Sent at start and at each reload. */
export interface VrrpConfiguration {
  readonly routers: readonly VirtualRouterSpec[];
  readonly syncGroups: readonly SyncGroupSpec[];
}

/** One reason why an effective priority is lower than the configured one. */
export interface Demotion {
  readonly reason: DemotionReason;
  /** How much it takes off the priority, 1..254. */
  readonly weight: number;
}

/** From main to the vrrp thread. */
export type ToVrrp =
  | { readonly type: 'configure'; readonly configuration: VrrpConfiguration }
  /** Replaces the whole set of demotions, which apply to every router that is not an owner. */
  | { readonly type: 'demotions'; readonly demotions: readonly Demotion[] }
  | { readonly type: 'report' }
  /** Priority 0, addresses off, then `stopped`. */
  | { readonly type: 'stop' };

/** What the thread tells of one virtual router. */
export interface VirtualRouterReport {
  readonly name: string;
  readonly vrid: number;
  readonly interface: string;
  readonly state: VirtualRouterState;
  readonly sinceUnixMs: number;
  readonly reason: TransitionReason;
  readonly priority: {
    readonly configured: number;
    readonly effective: number;
    readonly demotions: readonly Demotion[];
  };
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
  /** Greatest lateness of a due advertisement since start, in microseconds. */
  readonly latenessMaxUs: number;
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
      readonly code: 'INTERFACE_MISSING' | 'PERMISSION' | 'SYSTEM_CALL' | 'INTERNAL';
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
      /** Monotonic heartbeat of the loop; main compares two of them to see that it runs. */
      readonly turns: number;
    }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    }
  | { readonly type: 'stopped' };
