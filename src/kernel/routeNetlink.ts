import { TandemError } from '../errors.js';
import type { IpAddress, IpPrefix } from '../wire/ipAddress.js';

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Whether the administrator set it up (IFF_UP). */
  readonly up: boolean;
  /** Whether it has a carrier (IFF_LOWER_UP and IFF_RUNNING). */
  readonly running: boolean;
  readonly macAddress: Uint8Array;
  readonly mtu: number;
  readonly kind?: string;
  readonly masterIndex?: number;
}
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly prefix: IpPrefix;
  readonly secondary: boolean;
  readonly label?: string;
}
export interface AddressFilter {
  readonly interfaceIndex?: number;
  readonly family?: 4 | 6;
}
export interface AddressChange {
  readonly action: 'add' | 'delete';
  readonly interfaceIndex: number;
  readonly prefix: IpPrefix;
}
export interface VethOptions {
  readonly name: string;
  readonly peerName: string;
  readonly peerNamespaceFd?: number;
}
export interface LinkChange {
  readonly up?: boolean;
  readonly masterName?: string;
  readonly namespaceFd?: number;
  readonly macAddress?: Uint8Array;
  readonly newName?: string;
  readonly mtu?: number;
}
export interface RouteOptions {
  readonly destination: IpPrefix | 'default';
  readonly gateway?: IpAddress;
  readonly interface?: string;
}
export interface RouteNetlink {
  links(): Link[];
  link(name: string): Link | undefined;
  addresses(filter?: AddressFilter): InterfaceAddress[];
  /** One result per change: `undefined` is success. */
  changeAddresses(changes: readonly AddressChange[]): readonly (TandemError | undefined)[];
  createVeth(options: VethOptions): void;
  createBridge(name: string): void;
  createDummy(name: string): void;
  deleteLink(name: string): void;
  setLink(name: string, change: LinkChange): void;
  addRoute(route: RouteOptions): void;
  close(): void;
}
export type RouteEvent =
  | { readonly kind: 'link'; readonly action: 'changed' | 'removed'; readonly link: Link }
  | { readonly kind: 'address'; readonly action: 'added' | 'removed'; readonly address: InterfaceAddress }
  | { readonly kind: 'overrun' };
export interface RouteMonitor {
  readonly fd: number;
  read(): RouteEvent[];
  close(): void;
}
export function openRouteNetlink(): RouteNetlink {
  throw new TandemError('INTERNAL', 'not written yet');
}
export function openRouteMonitor(): RouteMonitor {
  throw new TandemError('INTERNAL', 'not written yet');
}
