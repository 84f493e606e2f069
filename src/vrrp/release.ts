/**
 * Gives up the virtual addresses that an agent left behind when it died: without this they stay on
 * a machine that answers for them but does not take part in the election any more.
 */

import type { InterfaceAddress } from '../kernel/routeModel.js';
import { openRouteNetlink, type RouteNetlink } from '../kernel/routeNetlink.js';
import { openVrrpSocket, type VrrpSocket } from '../kernel/vrrpSocket.js';
import { familyOf, type IpAddress } from '../wire/ipAddress.js';
import { resignPriority } from '../wire/vrrp.js';
import { AddressKeeper, type PortDirectory } from './addressKeeper.js';
import type { Authenticator } from './authenticator.js';
import { readAuthenticators } from './authenticators.js';
import type { RouterEffect } from './election.js';
import { type InterfaceView, readInterfaces } from './interfacePorts.js';
import { type OutgoingAdvertisement, outgoingAdvertisements } from './outgoingAdvertisements.js';
import { type PortIdentity, senderAddress } from './portIdentity.js';
import type { VirtualAddress, VirtualRouterSpec, VrrpConfiguration } from './protocol.js';
import { type RouterKey, routerKey } from './reconfiguration.js';
import { VirtualMacDevices } from './virtualMacDevices.js';
import { routingOf } from './virtualRouting.js';

/** What was given up. */
export interface ReleaseResult {
  /** Names of the virtual routers that priority 0 was said for. */
  readonly resigned: readonly string[];
  readonly removed: readonly VirtualAddress[];
}

/**
 * Sends priority 0 for each virtual router that left addresses behind, then takes them off, with
 * its routes, its rules and the devices of virtual MAC addresses.
 *
 * A router without addresses says nothing: either it was not Active, or it has resigned already,
 * and a second priority 0 would only make its Backups count anew. Interfaces that are gone are
 * passed over. Throws TandemError (PERMISSION, SYSTEM_CALL) when an address cannot be taken off.
 */
export function releaseAddresses(configuration: VrrpConfiguration): ReleaseResult {
  const routes = openRouteNetlink();
  try {
    const farewells = new Farewells(readInterfaces(routes, configuration));
    try {
      return releaseWith(routes, farewells, configuration);
    } finally {
      farewells.close();
    }
  } finally {
    routes.close();
  }
}

/** Addresses of each router whose removal is rehearsed: more of the same teaches nothing new. */
const rehearsedAddressesMax = 4;

/** A release that may be due at any time: everything that it needs is open, read and rehearsed. */
export class StandbyRelease {
  readonly #configuration: VrrpConfiguration;
  readonly #routes: RouteNetlink;
  readonly #farewells: Farewells;

  /** Throws TandemError (PERMISSION, SYSTEM_CALL); what cannot be opened now is opened then. */
  constructor(configuration: VrrpConfiguration) {
    this.#configuration = configuration;
    this.#routes = openRouteNetlink();
    const view = readInterfaces(this.#routes, configuration);
    this.#farewells = new Farewells(view);
    const present = this.#routes.addresses();
    for (const router of configuration.routers) {
      addressesLeft(view, router, present);
      this.#farewells.rehearse(router);
    }
    const keeper = new AddressKeeper(this.#routes, directoryOf(view));
    keeper.rehearse(configuration.routers.map(leaving), new Map(), rehearsedAddressesMax);
  }

  /** See {@link releaseAddresses}. To be called once. */
  release(): ReleaseResult {
    const { routers } = this.#configuration;
    // The interfaces are most likely as they were, so the peers are told before they are read.
    const present = this.#routes.addresses();
    const leavers = routers.filter(
      (router) => addressesLeft(this.#farewells.view, router, present).length > 0,
    );
    for (const router of leavers) this.#farewells.say(router);
    this.#farewells.close(readInterfaces(this.#routes, this.#configuration));
    return releaseWith(this.#routes, this.#farewells, this.#configuration);
  }

  close(): void {
    this.#farewells.close();
    this.#routes.close();
  }
}

function releaseWith(
  routes: RouteNetlink,
  farewells: Farewells,
  { routers }: VrrpConfiguration,
): ReleaseResult {
  const present = routes.addresses();
  const left = new Map(
    routers.map((router) => [router, addressesLeft(farewells.view, router, present)]),
  );
  // The peers can take over while the addresses are still being taken off.
  for (const router of routers) if (left.get(router)?.length !== 0) farewells.say(router);
  const keeper = new AddressKeeper(routes, directoryOf(farewells.view));
  const [failure] = keeper.apply(routers.map(leaving), new Map());
  new VirtualMacDevices(routes).retain([]);
  if (failure !== undefined) throw failure.error;
  return { resigned: farewells.said, removed: [...left.values()].flat() };
}

/** What the election would want done when the router stops being Active. */
function leaving(spec: VirtualRouterSpec): RouterEffect<'remove-addresses'> {
  const { addresses } = spec;
  const router = routerKey(spec);
  return { type: 'remove-addresses', addresses, routing: routingOf(spec), router, spec };
}

/** The addresses of a router that are on their interfaces, as they are there. */
function addressesLeft(
  view: InterfaceView,
  router: VirtualRouterSpec,
  present: readonly InterfaceAddress[],
): readonly VirtualAddress[] {
  return router.addresses.flatMap((address) => {
    const port = view.get(address.interface);
    // The only address of an owner's interface stays, see AddressKeeper.
    if (port === undefined) return [];
    if ([port.source, port.linkLocal].includes(address.prefix.address)) return [];
    return present
      .filter(
        ({ interfaceIndex, prefix }) =>
          interfaceIndex === port.index && prefix.address === address.prefix.address,
      )
      .map(({ prefix }) => ({ prefix, interface: address.interface }));
  });
}

/** Priority 0 of virtual routers. One that cannot be said is no reason to keep the addresses. */
class Farewells {
  #view: InterfaceView;
  readonly #sockets = new Map<string, VrrpSocket>();
  readonly #authenticators = new Map<RouterKey, Authenticator | undefined>();
  readonly #said = new Set<string>();

  constructor(view: InterfaceView) {
    this.#view = view;
  }

  /** The interfaces as they are known. */
  get view(): InterfaceView {
    return this.#view;
  }

  /** Names of the virtual routers that it was said for. */
  get said(): readonly string[] {
    return [...this.#said];
  }

  /** Says it once; where it cannot be said, the peers find out by their own timers. */
  say(router: VirtualRouterSpec): void {
    if (this.#said.has(router.name)) return;
    const isSaid = this.#each(router, (socket, source, { message, destination }) => {
      socket.send(message, destination, source);
    });
    if (isSaid) this.#said.add(router.name);
  }

  /** Does the same, but sends nothing. */
  rehearse(router: VirtualRouterSpec): void {
    this.#each(router, (socket, source, { message, destination }) => {
      socket.rehearse(message, destination, source);
    });
  }

  /** Closes its sockets; where a newer view is given, they are opened anew when they are needed. */
  close(view = this.#view): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
    this.#view = view;
  }

  #each(
    router: VirtualRouterSpec,
    use: (socket: VrrpSocket, source: IpAddress, message: OutgoingAdvertisement) => void,
  ): boolean {
    const identity = this.#view.get(router.interface);
    const source = identity === undefined ? undefined : senderAddress(identity, router);
    if (identity === undefined || source === undefined) return false;
    try {
      const socket = this.#socketOf(identity, source);
      const authenticator = this.#authenticatorOf(router);
      const messages = outgoingAdvertisements(router, resignPriority, source, (message, from) =>
        authenticator?.sign(message, from, Date.now()),
      );
      for (const message of messages) use(socket, source, message);
      return true;
    } catch {
      return false;
    }
  }

  #socketOf({ name, index }: PortIdentity, source: IpAddress): VrrpSocket {
    const key = `${familyOf(source)} ${name}`;
    const open = this.#sockets.get(key);
    if (open !== undefined) return open;
    const options = { interface: name, interfaceIndex: index, source, listens: false };
    const socket = openVrrpSocket(options);
    this.#sockets.set(key, socket);
    return socket;
  }

  /** Keys are read once: the files may be out of reach when it counts. */
  #authenticatorOf(router: VirtualRouterSpec): Authenticator | undefined {
    const key = routerKey(router);
    if (!this.#authenticators.has(key)) {
      this.#authenticators.set(key, readAuthenticators([router]).get(key));
    }
    return this.#authenticators.get(key);
  }
}

/** The interfaces as the keeper of addresses looks them up. */
function directoryOf(view: InterfaceView): PortDirectory {
  const entries = new Map([...view].map(([name, identity]) => [name, { identity }]));
  return { get: (name) => entries.get(name), all: () => [...entries.values()] };
}
