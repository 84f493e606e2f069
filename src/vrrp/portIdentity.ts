/** What the election needs to know of one network interface. Pure. */
import type { InterfaceAddress, Link } from '../kernel/routeModel.js';
import {
  familyOf,
  formatIpPrefix,
  type IpAddress,
  type IpFamily,
  type IpPrefix,
  isLinkLocal,
  prefixContains,
} from '../wire/ipAddress.js';
import type { VirtualRouterSpec } from './protocol.js';
import { familyOfRouter, hasGlobalPeers } from './virtualRouter.js';

/** What a port is opened from; when it changes, the port is opened anew. */
export interface PortIdentity {
  readonly name: string;
  readonly index: number;
  readonly macAddress: Uint8Array;
  /** The families that virtual routers are elected over here. */
  readonly families: readonly IpFamily[];
  /**
   * The IPv4 address that advertisements come from. Absent when the interface is down, or has no
   * address of its own: no advertisements then.
   */
  readonly source: IpAddress | undefined;
  /** The same of IPv6, a link-local address (RFC 9568, 5.1.2.1). */
  readonly linkLocal: IpAddress | undefined;
  /** The addresses of the interface that are not virtual, each with its network. */
  readonly own: readonly IpPrefix[];
}

/** What a port shall be, from the kernel's view of the interface. */
export function portIdentity(
  link: Link,
  addresses: readonly InterfaceAddress[],
  virtualAddresses: ReadonlySet<IpAddress>,
  ownsAddresses: boolean,
  families: readonly IpFamily[] = [4],
): PortIdentity {
  const { name, index, macAddress } = link;
  const usable = link.up && link.running;
  const here = addresses.filter(
    ({ interfaceIndex, tentative }) => usable && interfaceIndex === index && tentative !== true,
  );
  const own = here.filter(({ prefix }) => !virtualAddresses.has(prefix.address));
  const choose = (isFit: (address: IpAddress) => boolean) =>
    primaryOf(own, isFit) ?? (ownsAddresses ? primaryOf(here, isFit) : undefined);
  return {
    name,
    index,
    macAddress,
    families,
    source: choose((address) => familyOf(address) === 4),
    linkLocal: choose(isLinkLocal),
    own: own.map(({ prefix }) => prefix),
  };
}

/**
 * The interface's primary address that is not virtual: a virtual one moves, and both routers would
 * compare equal. Only an owner (priority 255) may have none but virtual ones.
 */
function primaryOf(
  addresses: readonly InterfaceAddress[],
  isFit: (address: IpAddress) => boolean,
): IpAddress | undefined {
  const fit = addresses.filter(({ prefix }) => isFit(prefix.address));
  return (fit.find(({ secondary }) => !secondary) ?? fit[0])?.prefix.address;
}

/** Whether two identities ask for the same sockets. */
export function isSamePort(left: PortIdentity, right: PortIdentity): boolean {
  return textOf(left) === textOf(right);
}

function textOf(identity: PortIdentity): string {
  const { index, macAddress, families, source, linkLocal, own } = identity;
  const networks = own.map(formatIpPrefix).sort();
  return [index, ...macAddress, ...families, source, linkLocal, ...networks].join(' ');
}

/** Where a router's advertisements come from; `undefined` when they cannot be sent now. */
export function senderAddress(
  identity: PortIdentity,
  spec: Pick<VirtualRouterSpec, 'addresses' | 'unicast'>,
): IpAddress | undefined {
  const wanted = spec.unicast?.source;
  if (wanted !== undefined) {
    return identity.own.some(({ address }) => address === wanted) ? wanted : undefined;
  }
  if (familyOfRouter(spec) === 4) return identity.source;
  return hasGlobalPeers(spec) ? globalAddress(identity) : identity.linkLocal;
}

/** An address from which the IPv6 socket of a port can send at all. */
export function ipv6Source(identity: PortIdentity): IpAddress | undefined {
  return identity.linkLocal ?? globalAddress(identity);
}

/** Whether an address is on the link of a port, so that no router is on the way to it. */
export function isOnLink(identity: PortIdentity, address: IpAddress): boolean {
  return isLinkLocal(address) || identity.own.some((prefix) => prefixContains(prefix, address));
}

function globalAddress({ own }: PortIdentity): IpAddress | undefined {
  return own.find(({ address }) => familyOf(address) === 6 && !isLinkLocal(address))?.address;
}
