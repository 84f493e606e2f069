/** From the settings of a virtual router to what it accepts of others. Pure. */
import type { IpAddress } from '../wire/ipAddress.js';
import { ownerPriority, vrrpTimeToLive } from '../wire/vrrp.js';
import type { RouterExpectation } from '../wire/vrrpReceive.js';
import type { VirtualRouterSpec } from './protocol.js';
import { versionOf } from './virtualRouter.js';

/** What the settings do not say. */
export interface ReceiveCircumstances {
  /** Our own source address. */
  readonly ownAddress: IpAddress;
  readonly hmac?: RouterExpectation['hmac'];
  /** Whether no router is between us and an address. */
  readonly isOnLink: (address: IpAddress) => boolean;
}

/** What a router accepts now. */
export function routerExpectation(
  spec: VirtualRouterSpec,
  { ownAddress, hmac, isOnLink }: ReceiveCircumstances,
): RouterExpectation {
  const { advertIntervalCs, password, unicast } = spec;
  return {
    version: versionOf(spec),
    ownAddress,
    isOwner: spec.priority === ownerPriority,
    advertIntervalCs,
    ...(password === undefined ? {} : { password }),
    ...(hmac === undefined ? {} : { hmac }),
    ...(unicast === undefined
      ? {}
      : {
          unicast: {
            peers: new Set(unicast.peers),
            // On the link a packet arrives as it was sent, with 255; a forged one from elsewhere
            // cannot (RFC 5082). Behind routers nothing is known of it.
            minTimeToLive: (peer: IpAddress) =>
              unicast.ttlMin ?? (isOnLink(peer) ? vrrpTimeToLive : 0),
            maxTimeToLive: unicast.ttlMax,
          },
        }),
  };
}
