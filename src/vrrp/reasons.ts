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
  /** The agent is stopping. */
  | 'shutdown'
  /** The configuration of this router changed in a way that starts it anew. */
  | 'reconfigured'
  /** The operator asked for it. */
  | 'operator';

/** Why an effective priority is lower than the configured one. */
export type DemotionReason =
  /** The health checks do not run; the weights are those of before. */
  | 'health-thread-lost'
  /** The agent's main thread has stalled. */
  | 'main-thread-late'
  /** The operator asked this router to step down. */
  | 'operator-step-down';

/** Why a received packet was not given to the election (checks of RFC 9568, 7.1). */
export type { AdvertisementRejection } from '../wire/vrrpReceive.js';

/** Differences from a peer that are reported and do not make its packet invalid. */
export type AdvertisementWarning =
  | 'address-list-differs'
  | 'interval-differs'
  | 'checksum-form-differs'
  | 'second-owner'
  | 'duplicate-address';
