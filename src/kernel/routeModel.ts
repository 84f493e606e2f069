/** What rtnetlink tells and takes, as values. */
import type { IpAddress, IpFamily, IpPrefix } from '../wire/ipAddress.js';

/** A network interface. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** Whether the administrator has set it up (IFF_UP). */
  readonly up: boolean;
  /** Whether it can carry packets: up, with a carrier (IFF_RUNNING and IFF_LOWER_UP). */
  readonly running: boolean;
  /** Hardware address: 6 bytes for Ethernet, none for a tunnel without one. */
  readonly macAddress: Uint8Array;
  /** Bytes. */
  readonly mtu: number;
  /** `veth`, `bridge`, `vlan`...; absent for hardware. */
  readonly kind?: string;
  /** The bridge or bond that it is a port of. */
  readonly masterIndex?: number;
  /** What somebody noted on it (`ip link set alias`), at most 255 bytes. */
  readonly alias?: string;
  /** Set for a macvlan. */
  readonly macvlan?: { readonly parentIndex: number; readonly mode: MacvlanMode };
}

/** What takes packets out of a tunnel, by what the outer header is and what follows it. */
export type TunnelKind = 'ipip' | 'sit' | 'ip6tnl' | 'gre' | 'ip6gre';

/** Kinds of which one can be made for packets to one address. */
export type LocalTunnelKind = Extract<TunnelKind, 'ip6tnl' | 'gre' | 'ip6gre'>;

/** How the macvlans of one parent reach each other (if_link.h, MACVLAN_MODE_*). */
export type MacvlanMode = 'private' | 'vepa' | 'bridge' | 'passthru' | 'source';

/** An address of an interface. */
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly prefix: IpPrefix;
  /** IPv4: another address of the same network came first. IPv6: a temporary address. */
  readonly secondary: boolean;
  /** IPv4 only: the alias name of old, for example `eth0:1`. */
  readonly label?: string;
  /** The far end of a point-to-point address; the prefix length is that of the far end then. */
  readonly peer?: IpAddress;
  /** IPv6: duplicate address detection has not ended, or found one; nothing can be sent from it. */
  readonly tentative?: true;
}

/** How far an address or a route reaches (rtnetlink.h, RT_SCOPE_*). */
export type RouteScope = 'global' | 'site' | 'link' | 'host';

/** Which addresses are wanted; what is left out matches all. */
export interface AddressFilter {
  readonly interfaceIndex?: number;
  readonly family?: IpFamily;
}

/** One step of a batch. */
export interface AddressChange {
  readonly action: 'add' | 'delete';
  readonly interfaceIndex: number;
  readonly prefix: IpPrefix;
  /** The far end; the length of `prefix` is that of the far end then. */
  readonly peer?: IpAddress;
  /** IPv4 only: the alias name of old, at most 15 bytes. */
  readonly label?: string;
  /** `global` when left out. */
  readonly scope?: RouteScope;
  /** Metric of the route to the address's network, which comes with it; the kernel's own: 0. */
  readonly routeMetric?: number;
  /** Whether that route comes with it; it does when left out. */
  readonly prefixRoute?: boolean;
}

/** One step of a batch that has routes, rules and links beside addresses. */
export type NetworkChange =
  | ({ readonly kind: 'address' } & AddressChange)
  | {
      readonly kind: 'route';
      readonly action: 'add' | 'delete';
      readonly route: RouteEntry;
    }
  | { readonly kind: 'rule'; readonly action: 'add' | 'delete'; readonly rule: RuleEntry }
  /** Sets a link up or down. */
  | {
      readonly kind: 'link';
      readonly action: 'up' | 'down';
      readonly interfaceIndex: number;
      readonly name: string;
    };

/** A macvlan to make; it is down. */
export interface MacvlanOptions {
  readonly name: string;
  readonly parentIndex: number;
  readonly mode: MacvlanMode;
  readonly macAddress: Uint8Array;
  readonly alias: string;
}

/** A pair of connected Ethernet interfaces. */
export interface VethOptions {
  readonly name: string;
  readonly peerName: string;
  /** The namespace that the peer is made in; the socket's own when left out. */
  readonly peerNamespaceFd?: number;
}

/** What is to change at a link; what is left out stays. */
export interface LinkChange {
  readonly up?: boolean;
  /** The bridge or bond to become a port of; null to leave it. */
  readonly masterName?: string | null;
  /** The namespace to move to; it loses its addresses and is down there. */
  readonly namespaceFd?: number;
  readonly macAddress?: Uint8Array;
  /** Older kernels want the link down for this. */
  readonly newName?: string;
  /** Bytes. */
  readonly mtu?: number;
  /** Empty takes it away. */
  readonly alias?: string;
}

/** A route as it is added and deleted. */
export interface RouteEntry {
  /** `default` is of the given family. */
  readonly destination: IpPrefix | 'default';
  readonly family: IpFamily;
  readonly gateway?: IpAddress;
  readonly interfaceIndex?: number;
  /** Preferred source address (`src`). */
  readonly source?: IpAddress;
  readonly metric?: number;
  /** Number of the table. */
  readonly table: number;
  /** Left out: `link` for IPv4 without a gateway, `global` otherwise. */
  readonly scope?: RouteScope;
  /** Who made it (rtnetlink.h, RTPROT_*); deletes only what has the same. */
  readonly protocol: number;
}

/** A rule of policy routing that names the table to look in. */
export interface RuleEntry {
  readonly family: IpFamily;
  readonly from?: IpPrefix;
  readonly to?: IpPrefix;
  readonly fwmark?: { readonly value: number; readonly mask: number };
  readonly priority: number;
  /** Number of the table. */
  readonly table: number;
  /** Who made it, as for routes. */
  readonly protocol: number;
}

/** A static route of the main table. */
export interface RouteOptions {
  /** `default` takes its family from the gateway, IPv4 without one. */
  readonly destination: IpPrefix | 'default';
  readonly gateway?: IpAddress;
  /** Name of the interface to leave by. */
  readonly interface?: string;
}

/** One way that a route sends packets. */
export interface RouteHop {
  /** Absent: the destination is on the link. */
  readonly gateway?: IpAddress;
  readonly interfaceIndex?: number;
  /** Whether the kernel sends packets this way: neither dead nor without carrier. */
  readonly usable: boolean;
}

/** An entry of a routing table. */
export interface Route {
  /** Number of the table; 254 is the main one. */
  readonly table: number;
  /** Length 0 for a default route. */
  readonly destination: IpPrefix;
  /** Several for a multipath route; none for one that drops or refuses packets. */
  readonly hops: readonly RouteHop[];
}

/** What a route monitor hears. */
export type RouteEvent =
  | {
      readonly kind: 'link';
      /** `changed` is a new link as well. */
      readonly action: 'changed' | 'removed';
      readonly link: Link;
    }
  | {
      readonly kind: 'address';
      readonly action: 'added' | 'removed';
      readonly address: InterfaceAddress;
    }
  /** Events were lost: read links and addresses anew. */
  | { readonly kind: 'overrun' };
