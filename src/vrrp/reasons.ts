/**
 * The closed sets of reasons that the election gives, used alike by logs, status and tests.
 */

/** States of a virtual router (RFC 9568, 6.4). */
export type VirtualRouterState = 'initialize' | 'backup' | 'active';

/** Why a virtual router entered the state that it is in. */
export type TransitionReason =
  /** It was started and waits for an Active to be heard. */
  | 'startup'
  /** It was started as the address owner (priority 255) and is Active at once. */
  | 'startup-owner'
  /** No advertisement came within Active_Down_Interval. */
  | 'active-down-timer'
  /** The Active said that it leaves (priority 0), and Skew_Time passed. */
  | 'active-resigned'
  /** Its BFD session fell silent (diagnostic 1), and nothing came from it within Skew_Time. */
  | 'active-unreachable-bfd'
  /** A router with a higher priority advertised. */
  | 'higher-priority-heard'
  /** A router with the same priority and a higher address advertised. */
  | 'higher-address-heard'
  /** Another member of the sync group changed state, and the group moves together. */
  | 'sync-group'
  /** The interface went down or lost its address. */
  | 'interface-down'
  /** The interface came back. */
  | 'interface-up'
  /** A tracker without a weight fails: this router must not run. */
  | 'tracker-failed'
  /** The last tracker that kept this router from running passes again. */
  | 'tracker-recovered'
  /** The election's thread ended; the addresses were given up in its place. */
  | 'thread-lost'
  /** The agent is stopping. */
  | 'shutdown'
  /** The configuration of this router changed in a way that starts it anew. */
  | 'reconfigured'
  /** The operator asked for it. */
  | 'operator'
  /** This router was stalled, another took over, and preemption is not to happen at once. */
  | 'own-loop-late'
  /** Another owner (priority 255) does not yield although its address is lower. */
  | 'second-owner-heard';

/** What a tracker that fails has found. */
export type TrackerFailure =
  /** The tracked interface is missing, down or without carrier. */
  | 'tracked-interface-down'
  /** The tracked address is not on the machine, or not on the interface named. */
  | 'tracked-address-missing'
  /** The tracked route is not in the table, or cannot be used. */
  | 'tracked-route-missing'
  /** The tracked script ended with another status than 0, was ended, or could not be started. */
  | 'tracked-script-failing'
  /** The tracked file holds a value other than 0. */
  | 'tracked-file-value'
  /** Fewer or more processes run than allowed. */
  | 'tracked-process-count'
  /** Fewer servers of a virtual service are up than it needs. */
  | 'service-below-quorum'
  /** The BFD session is not up. */
  | 'bfd-session-down';

/** Why an effective priority is lower than the configured one. */
export type DemotionReason =
  | TrackerFailure
  /** The health checks do not run; the weights are those of before. */
  | 'health-thread-lost'
  /** Every check of every service fails at once and in silence. */
  | 'checks-network-lost'
  /** The agent's main thread has stalled. */
  | 'main-thread-late'
  /** The operator asked this router to step down. */
  | 'operator-step-down'
  /** The election's own loop was stalled past the bound more than once within a minute. */
  | 'own-loop-late';

/** Why a Backup does not take over from a router that works. */
export type PreemptHoldReason =
  /** The connection table of the Active has not been received yet. */
  'connections-not-synced';

/** Why a received packet was not given to the election (checks of RFC 9568, 7.1). */
export type { AdvertisementRejection } from '../wire/vrrpReceive.js';

/** Differences from a peer that are reported and do not make its packet invalid. */
export type AdvertisementWarning =
  | 'address-list-differs'
  | 'interval-differs'
  | 'checksum-form-differs'
  | 'second-owner'
  | 'duplicate-address'
  /** It has no authentication trailer, which is accepted for now. */
  | 'hmac-absent'
  /** Its clock is off by more than half of what is accepted. */
  | 'clock-skew';
