/** What follows from the settings of a virtual router, wherever they are used. Pure. */
import { familyOf, type IpAddress, type IpFamily, isLinkLocal } from '../wire/ipAddress.js';
import { advertisedAddressesMax, type VrrpVersion } from '../wire/vrrp.js';
import type { VirtualRouterSpec } from './protocol.js';

/** The version that a router speaks. */
export function versionOf(spec: Pick<VirtualRouterSpec, 'version'>): VrrpVersion {
  return spec.version ?? 3;
}

/** The family that a router is elected over: that of the addresses that it advertises. */
export function familyOfRouter(spec: Pick<VirtualRouterSpec, 'addresses'>): IpFamily {
  const first = spec.addresses.find(({ advertised }) => advertised !== false) ?? spec.addresses[0];
  return first === undefined ? 4 : familyOf(first.prefix.address);
}

/**
 * The addresses that go on the wire: at most as many as one advertisement has room for. The others
 * move with the router all the same.
 */
export function advertisedAddresses(
  spec: Pick<VirtualRouterSpec, 'addresses'>,
): readonly IpAddress[] {
  return spec.addresses
    .filter(({ advertised }) => advertised !== false)
    .slice(0, advertisedAddressesMax)
    .map(({ prefix }) => prefix.address);
}

/** Whether the peers of a router are beyond what a link-local address can reach. */
export function hasGlobalPeers(spec: Pick<VirtualRouterSpec, 'unicast'>): boolean {
  return spec.unicast?.peers.some((peer) => !isLinkLocal(peer)) ?? false;
}

/**
 * Names where a router sends from. Routers of the same name have the same source address: the
 * interface's primary IPv4 address, its link-local or its global IPv6 address, or the one that is
 * configured.
 */
export function senderKey(
  spec: Pick<VirtualRouterSpec, 'interface' | 'addresses' | 'unicast'>,
): string {
  if (spec.unicast?.source !== undefined) return `${spec.interface} ${spec.unicast.source}`;
  if (familyOfRouter(spec) === 4) return spec.interface;
  return `${spec.interface} ${hasGlobalPeers(spec) ? 'ipv6-global' : 'ipv6'}`;
}
