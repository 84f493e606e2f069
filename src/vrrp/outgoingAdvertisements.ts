/** From the settings of a virtual router to the messages that go out for it. Pure. */
import { familyOf, type IpAddress } from '../wire/ipAddress.js';
import { encodeUnsummed, vrrpGroup, withChecksum } from '../wire/vrrp.js';
import type { VirtualRouterSpec } from './protocol.js';
import { advertisedAddresses, versionOf } from './virtualRouter.js';

/** One message and where it goes. */
export interface OutgoingAdvertisement {
  readonly destination: IpAddress;
  readonly message: Uint8Array;
}

/** Makes the authentication trailer of a message; `undefined` where none is sent. */
export type TrailerSigner = (message: Uint8Array, source: IpAddress) => Uint8Array | undefined;

/**
 * One message to the group, or one to each peer. The copies differ in their checksums only: all
 * have the same trailer.
 */
export function outgoingAdvertisements(
  spec: VirtualRouterSpec,
  priority: number,
  source: IpAddress,
  sign?: TrailerSigner,
): readonly OutgoingAdvertisement[] {
  const { vrid, advertIntervalCs, checksum, password, unicast } = spec;
  const family = familyOf(source);
  const format = {
    version: versionOf(spec),
    checksum,
    ...(password === undefined ? {} : { password }),
  };
  const addresses = advertisedAddresses(spec);
  const message = encodeUnsummed({ vrid, priority, advertIntervalCs, addresses }, family, format);
  const trailer = sign?.(message, source);
  // The list may be the same on every node, and then it has our own address.
  const peers = unicast?.peers.filter((peer) => peer !== source);
  const destinations = peers ?? [vrrpGroup(family)];
  return destinations.map((destination) => ({
    destination,
    message: withChecksum(message, { source, destination }, format, trailer),
  }));
}
