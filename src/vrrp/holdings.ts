/**
 * What a virtual router has on its machine, as changes of the kernel's tables. Pure: interfaces
 * come in as a function from name to index.
 */
import type { InterfaceAddress, NetworkChange, RouteEntry } from '../kernel/routeModel.js';
import { familyOf, formatIpPrefix, type IpAddress, ipToBytes } from '../wire/ipAddress.js';
import type { VirtualAddress, VirtualRoute, VirtualRouterSpec, VirtualRule } from './protocol.js';
import type { VirtualRouting } from './virtualRouting.js';

/** Marks the routes and rules of Tandem in the kernel (rtnetlink.h, RTPROT_*; nobody else's). */
export const tandemRouteProtocol = 84;

/**
 * Metric of the network route that comes with an address on the device of a virtual MAC address.
 * The route of the base to the same network is better, so that the node's own packets keep its own
 * MAC address; where the base has none, this one serves.
 */
export const virtualMacRouteMetric = 32_768;

/** The index of an interface by its name; `undefined` when there is none of that name. */
export type IndexOf = (name: string) => number | undefined;

/** An address as an operator writes it: `192.0.2.100/24 on eth0`. */
export function formatVirtualAddress(address: VirtualAddress): string {
  return `${formatIpPrefix(address.prefix)} on ${address.interface}`;
}

/** A route as an operator writes it: `default via 192.0.2.1 table 100`. */
export function formatRouteEntry({ destination, gateway, table }: RouteEntry): string {
  const target = destination === 'default' ? destination : formatIpPrefix(destination);
  return `${target}${gateway === undefined ? '' : ` via ${gateway}`} table ${table}`;
}

/** A rule as an operator writes it: `from 192.0.2.0/24 table 100 priority 1000`. */
export function formatVirtualRule({ from, to, fwmark, table, priority }: VirtualRule): string {
  const parts = [
    from === undefined ? '' : `from ${formatIpPrefix(from)}`,
    to === undefined ? '' : `to ${formatIpPrefix(to)}`,
    fwmark === undefined ? '' : `fwmark ${fwmark.value}`,
    `table ${table} priority ${priority}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** A change as an operator writes it. */
export function formatChange(change: NetworkChange): string {
  switch (change.kind) {
    case 'address':
      return `the virtual address ${formatIpPrefix(change.prefix)}`;
    case 'route':
      return `the virtual route ${formatRouteEntry(change.route)}`;
    case 'rule':
      return `the virtual rule ${formatVirtualRule(change.rule)}`;
    case 'link':
      return `the interface ${change.name}`;
  }
}

/** Adds an address; nothing while its interface is not there. */
export function addressAddition(
  address: VirtualAddress,
  spec: VirtualRouterSpec,
  indexOf: IndexOf,
): readonly NetworkChange[] {
  const interfaceIndex = indexOf(address.interface);
  if (interfaceIndex === undefined) return [];
  const { prefix, peer, label, scope, prefixRoute } = address;
  const isOnVirtualMac = address.interface === spec.virtualMac?.interface;
  return [
    {
      kind: 'address',
      action: 'add',
      interfaceIndex,
      // On the wire the length is that of the network of the far end.
      prefix: peer === undefined ? prefix : { ...prefix, length: peer.length },
      ...(peer === undefined ? {} : { peer: peer.address }),
      ...(label === undefined ? {} : { label }),
      ...(scope === undefined ? {} : { scope }),
      ...(prefixRoute === undefined ? {} : { prefixRoute }),
      ...(isOnVirtualMac ? { routeMetric: virtualMacRouteMetric } : {}),
    },
  ];
}

/**
 * Adds or deletes routes and rules: routes before the rules that lead to them, and rules away
 * before their routes. A route whose interface is not there is left out: it cannot be there.
 */
export function routingChanges(
  action: 'add' | 'delete',
  { routes, rules }: VirtualRouting,
  indexOf: IndexOf,
): readonly NetworkChange[] {
  const routeChanges = routes.flatMap((route) => routeChange(action, route, indexOf));
  const ruleChanges = rules.map(
    (rule): NetworkChange => ({
      kind: 'rule',
      action,
      rule: { ...rule, protocol: tandemRouteProtocol },
    }),
  );
  return action === 'add'
    ? [...routeChanges, ...ruleChanges]
    : [...ruleChanges.toReversed(), ...routeChanges.toReversed()];
}

function routeChange(
  action: 'add' | 'delete',
  route: VirtualRoute,
  indexOf: IndexOf,
): readonly NetworkChange[] {
  const { to, via, interface: name, source, metric, table, scope } = route;
  const interfaceIndex = name === undefined ? undefined : indexOf(name);
  if (name !== undefined && interfaceIndex === undefined) return [];
  return [
    {
      kind: 'route',
      action,
      route: {
        destination: to.length === 0 ? 'default' : to,
        family: familyOf(to.address),
        table,
        protocol: tandemRouteProtocol,
        ...(via === undefined ? {} : { gateway: via }),
        ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
        ...(source === undefined ? {} : { source }),
        ...(metric === undefined ? {} : { metric }),
        ...(scope === undefined ? {} : { scope }),
      },
    },
  ];
}

/** Addresses that are on interfaces, by the address: one may be on several. */
export type AddressIndex = ReadonlyMap<IpAddress, readonly InterfaceAddress[]>;

/** Nothing may grow with the square of what is there: a director may have thousands. */
export function byAddress(present: readonly InterfaceAddress[]): AddressIndex {
  const index = new Map<IpAddress, InterfaceAddress[]>();
  for (const address of present) {
    const those = index.get(address.prefix.address);
    if (those === undefined) index.set(address.prefix.address, [address]);
    else those.push(address);
  }
  return index;
}

/**
 * Addresses that the kernel would take off together with those that are deleted. An IPv4 address
 * that was there first has the later ones of its network as secondaries, and takes them with it
 * unless the interface promotes them.
 */
export function endangeredBy(
  deleted: readonly InterfaceAddress[],
  present: readonly InterfaceAddress[],
): readonly InterfaceAddress[] {
  const primaries = deleted.filter(({ secondary, prefix }) => !secondary && prefix.length < 32);
  const leaving = new Set(deleted);
  return present.filter(
    (address) =>
      address.secondary && !leaving.has(address) && primaries.some(isSameNetwork(address)),
  );
}

function isSameNetwork(address: InterfaceAddress): (other: InterfaceAddress) => boolean {
  return (other) =>
    other.interfaceIndex === address.interfaceIndex &&
    other.prefix.length === address.prefix.length &&
    networkBits(other) === networkBits(address);
}

function networkBits({ prefix, peer }: InterfaceAddress): string {
  const bytes = [...ipToBytes(peer ?? prefix.address)];
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.slice(0, prefix.length);
}
