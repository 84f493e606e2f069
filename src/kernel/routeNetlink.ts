/**
 * Links, addresses and routes through rtnetlink, synchronously and with bounded waits.
 *
 * Synchronous because the vrrp thread installs virtual addresses inside its own loop, and because
 * a socket must be opened while its thread is in the right network namespace.
 */
import { TandemError } from '../errors.js';
import { familyOf, type IpAddress } from '../wire/ipAddress.js';
import { type NetlinkRequest, NetlinkRequester } from './netlinkRequest.js';
import {
  addRouteRequest,
  addressesRequest,
  addressRequest,
  createLinkRequest,
  createLocalTunnelRequest,
  createMacvlanRequests,
  createVethRequest,
  deleteLinkRequest,
  linkRequest,
  linksRequest,
  macvlanModeRequest,
  readAddress,
  readLink,
  setLinkRequest,
} from './routeMessages.js';
import type {
  AddressChange,
  AddressFilter,
  InterfaceAddress,
  Link,
  LinkChange,
  LocalTunnelKind,
  MacvlanMode,
  MacvlanOptions,
  NetworkChange,
  RouteOptions,
  TunnelKind,
  VethOptions,
} from './routeModel.js';
import { routeRequest, ruleRequest } from './routingMessages.js';
import { systemCallError } from './systemCall.js';

export type * from './routeModel.js';
export { openRouteMonitor, type RouteMonitor } from './routeMonitor.js';

const errnoNoDevice = 19;
/** The kernel answers ERANGE to a longer name (if.h, IFNAMSIZ). */
const linkNameBytesMax = 15;

/**
 * A connection to rtnetlink. It stays in the network namespace that its thread was in when it was
 * opened. Every method throws `PERMISSION` without CAP_NET_ADMIN (reading needs none),
 * `SYSTEM_CALL` with what the kernel refused, or `NETLINK_TIMEOUT`.
 */
export class RouteNetlink {
  readonly #requester = new NetlinkRequester('route');
  readonly #prepared = new WeakMap<NetworkChange, NetlinkRequest>();

  /** All links of the namespace. */
  links(): Link[] {
    return this.#requester.dump(linksRequest(), (message) => readLink(message.data));
  }

  /** The link of a name; `undefined` when there is none. */
  link(name: string): Link | undefined {
    if (name === '' || Buffer.byteLength(name) > linkNameBytesMax) return undefined;
    return ifDevice(undefined, () =>
      this.#requester.query(linkRequest(name), (message) => readLink(message.data)),
    );
  }

  /** Addresses, primary before secondary; none of an interface that does not exist. */
  addresses(filter: AddressFilter = {}): InterfaceAddress[] {
    const { family, interfaceIndex } = filter;
    const request = addressesRequest(family, interfaceIndex ?? 0);
    const all = ifDevice([], () =>
      this.#requester.dump(request, (message) => readAddress(message.data)),
    );
    // Kernels before 4.20 filter by family only.
    return all.filter(
      (address) =>
        (interfaceIndex === undefined || address.interfaceIndex === interfaceIndex) &&
        (family === undefined || familyOf(address.prefix.address) === family),
    );
  }

  /**
   * Adds and deletes addresses in one call to the kernel, in order. One result for each change:
   * `undefined` for success, which includes adding what is there and deleting what is not. IPv6
   * addresses are usable at once: duplicate address detection is left out. When it throws (no
   * answer in time), any part of the batch may have been done: read {@link addresses}.
   */
  changeAddresses(changes: readonly AddressChange[]): readonly (TandemError | undefined)[] {
    return this.change(changes.map((change) => ({ kind: 'address', ...change }))).map((outcome) =>
      outcome instanceof TandemError ? outcome : undefined,
    );
  }

  /**
   * Carries out changes of addresses, routes, rules and links in one call to the kernel, in order.
   * One outcome for each, whatever became of the others; otherwise as {@link changeAddresses}.
   */
  change(changes: readonly NetworkChange[]): readonly ChangeOutcome[] {
    const results = this.#requester.batch(changes.map((change) => this.#requestOf(change)));
    return results.map((error, index) => {
      if (error === undefined) return 'done';
      const change = changes[index];
      return change !== undefined && isAlreadySo(change, error) ? 'already' : error;
    });
  }

  /**
   * Writes the messages of {@link change}, reads what a monitor would hear of so many of them, and
   * sends nothing.
   */
  rehearse(changes: readonly NetworkChange[], eventsMax = changes.length): void {
    const requests = changes.map((change) => this.#requestOf(change));
    this.#requester.rehearse(requests);
    for (const [index, { kind }] of changes.slice(0, eventsMax).entries()) {
      if (kind === 'address') readAddress(Buffer.from(requests[index]?.payload ?? []));
    }
  }

  /** Writes the messages of changes that {@link change} may be given, the very objects, later. */
  prepare(changes: readonly NetworkChange[]): void {
    for (const change of changes) this.#prepared.set(change, changeRequest(change));
  }

  #requestOf(change: NetworkChange): NetlinkRequest {
    return this.#prepared.get(change) ?? changeRequest(change);
  }

  /** Creates a pair of connected Ethernet links, both down. */
  createVeth(options: VethOptions): void {
    const peer = { name: options.peerName, namespaceFd: options.peerNamespaceFd };
    this.#requester.change(createVethRequest(options.name, peer));
  }

  /** Creates a bridge without ports, down. */
  createBridge(name: string): void {
    this.#requester.change(createLinkRequest(name, 'bridge'));
  }

  /** Creates a link that swallows what it is given, down. */
  createDummy(name: string): void {
    this.#requester.change(createLinkRequest(name, 'dummy'));
  }

  /**
   * Sees to it that there is a tunnel device that takes every packet, `tunl0` of kind `ipip` for
   * one; asking for it loads its module, which brings the device.
   */
  ensureTunnel(name: string, kind: TunnelKind): void {
    this.#ensure(createLinkRequest(name, kind));
  }

  /**
   * Sees to it that there is a tunnel device for packets to `local`: with GRE those that carry a
   * checksum, over IPv6 those of either family.
   */
  ensureLocalTunnel(name: string, kind: LocalTunnelKind, local: IpAddress): void {
    this.#ensure(createLocalTunnelRequest(name, kind, local));
  }

  #ensure(creation: NetlinkRequest): void {
    try {
      this.#requester.change(creation);
    } catch (error) {
      if (!(error instanceof TandemError && error.errnoName === 'EEXIST')) throw error;
    }
  }

  /** Creates a link with a MAC address of its own on another one, down. */
  createMacvlan(options: MacvlanOptions): void {
    const failure = this.#requester
      .batch(createMacvlanRequests(options))
      .find((error) => error !== undefined);
    if (failure !== undefined) throw failure;
  }

  /** Changes the mode of a macvlan; `passthru` can neither be taken nor left. */
  setMacvlanMode(name: string, mode: MacvlanMode): void {
    this.#requester.change(macvlanModeRequest(this.#existingLink(name), mode));
  }

  /** Deletes a link; a veth goes with its peer. */
  deleteLink(name: string): void {
    this.#requester.change(deleteLinkRequest(this.#existingLink(name)));
  }

  /** Changes a link, all in one message. */
  setLink(name: string, change: LinkChange): void {
    const { masterName } = change;
    let masterIndex: number | undefined;
    if (masterName === null) masterIndex = 0;
    else if (masterName !== undefined) masterIndex = this.#existingLink(masterName).index;
    this.#requester.change(setLinkRequest(this.#existingLink(name), change, masterIndex));
  }

  /** Adds a static route to the main table. */
  addRoute(route: RouteOptions): void {
    const index =
      route.interface === undefined ? undefined : this.#existingLink(route.interface).index;
    this.#requester.change(addRouteRequest(route, index));
  }

  close(): void {
    this.#requester.close();
  }

  #existingLink(name: string): Link {
    const link = this.link(name);
    if (link !== undefined) return link;
    throw systemCallError('RTM_GETLINK', errnoNoDevice, {
      context: name,
      hint: 'List the interfaces with `ip link`.',
    });
  }
}

/** What became of one change: `already` when there was nothing to change. */
export type ChangeOutcome = 'done' | 'already' | TandemError;

/** What the kernel answers when a change was made before. */
const alreadyErrnos = {
  add: { address: ['EEXIST'], route: ['EEXIST'], rule: ['EEXIST'] },
  // Routes go with their interface, so that one without interface is not there either.
  delete: { address: ['EADDRNOTAVAIL'], route: ['ESRCH', 'ENODEV'], rule: ['ENOENT'] },
} as const satisfies Record<string, Record<string, readonly string[]>>;

function isAlreadySo(change: NetworkChange, error: TandemError): boolean {
  if (change.kind === 'link') return false;
  const names: readonly string[] = alreadyErrnos[change.action][change.kind];
  return error.errnoName !== undefined && names.includes(error.errnoName);
}

function changeRequest(change: NetworkChange): NetlinkRequest {
  switch (change.kind) {
    case 'address':
      return addressRequest(change);
    case 'route':
      return routeRequest(change.action, change.route);
    case 'rule':
      return ruleRequest(change.action, change.rule);
    case 'link': {
      const link = { index: change.interfaceIndex, name: change.name };
      return setLinkRequest(link, { up: change.action === 'up' }, undefined);
    }
  }
}

/** What a reading gives; `missing` where the kernel says that there is no such interface. */
function ifDevice<T>(missing: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TandemError && error.errnoName === 'ENODEV') return missing;
    throw error;
  }
}

/** Opens rtnetlink in the calling thread's network namespace. */
export function openRouteNetlink(): RouteNetlink {
  return new RouteNetlink();
}
