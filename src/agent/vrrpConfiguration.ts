/** What the vrrp thread needs of a configuration. */
import type { TandemConfig } from '../config/model.js';
import type { VrrpConfiguration } from '../vrrp/protocol.js';
import { bfdSessions } from './bfdSessions.js';
import { linkTrackers } from './tracking.js';

/** Picks it. Throws `KEY_UNUSABLE` when the key of a BFD session cannot be used. */
export function vrrpConfiguration(config: TandemConfig): VrrpConfiguration {
  const { virtualRouters: routers, syncGroups, trackers, bfd, realtime } = config;
  const sessions = bfdSessions(bfd);
  return { routers, syncGroups, trackers: linkTrackers(trackers), sessions, realtime };
}
