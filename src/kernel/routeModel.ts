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
}

/** An address of an interface. */
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly prefix: IpPrefix;
  /** IPv4: another address of the same network came first. IPv6: a temporary address. */
  readonly secondary: boolean;
  /** IPv4 only: the alias name of old, for example `eth0:1`. */
  readonly label?: string;
}

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
}

/** A static route of the main table. */
export interface RouteOptions {
  /** `default` takes its family from the gateway, IPv4 without one. */
  readonly destination: IpPrefix | 'default';
  readonly gateway?: IpAddress;
  /** Name of the interface to leave by. */
  readonly interface?: string;
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
