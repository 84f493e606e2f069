/**
 * Gives up the virtual addresses that an agent left behind when it died: without this they stay on
 * a machine that answers for them but does not take part in the election any more.
 */
import { openRouteNetlink, type RouteNetlink } from '../kernel/routeNetlink.js';
import { resignPriority } from '../wire/vrrp.js';
import { AddressKeeper, type PortDirectory } from './addressKeeper.js';
import { readAuthenticators } from './authenticators.js';
import type { RouterEffect } from './election.js';
import { InterfacePort } from './interfacePort.js';
import { type InterfaceView, readInterfaces } from './interfacePorts.js';
import { outgoingAdvertisements } from './outgoingAdvertisements.js';
import { senderAddress } from './portIdentity.js';
import type { VirtualAddress, VirtualRouterSpec, VrrpConfiguration } from './protocol.js';
import { routerKey } from './reconfiguration.js';
import { VirtualMacDevices } from './virtualMacDevices.js';
import { routingOf } from './virtualRouting.js';

/** What was given up. */
export interface ReleaseResult {
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
    const view = readInterfaces(routes, configuration);
    const keeper = new AddressKeeper(routes, directoryOf(view));
    const removed: VirtualAddress[] = [];
    for (const router of configuration.routers) {
      const left = addressesLeft(routes, view, router);
      if (left.length > 0) resign(view, router);
      const [failure] = keeper.apply([leaving(router)], new Map());
      if (failure !== undefined) throw failure.error;
      removed.push(...left);
    }
    new VirtualMacDevices(routes).retain([]);
    return { removed };
  } finally {
    routes.close();
  }
}

/** What the election would want done when the router stops being Active. */
function leaving(spec: VirtualRouterSpec): RouterEffect<'remove-addresses'> {
  const { addresses } = spec;
  const router = routerKey(spec);
  return { type: 'remove-addresses', addresses, routing: routingOf(spec), router, spec };
}

/** The addresses of a router that are on their interfaces, as they are there. */
function addressesLeft(
  routes: RouteNetlink,
  view: InterfaceView,
  router: VirtualRouterSpec,
): readonly VirtualAddress[] {
  const present = routes.addresses();
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

/** A router that cannot say that it leaves is no reason to keep the addresses. */
function resign(view: InterfaceView, router: VirtualRouterSpec): void {
  const identity = view.get(router.interface);
  const source = identity === undefined ? undefined : senderAddress(identity, router);
  if (identity === undefined || source === undefined) return;
  let port: InterfacePort | undefined;
  try {
    const authenticator = readAuthenticators([router]).get(routerKey(router));
    const messages = outgoingAdvertisements(router, resignPriority, source, (message, from) =>
      authenticator?.sign(message, from, Date.now()),
    );
    port = new InterfacePort(identity);
    for (const { message, destination } of messages) {
      port.sendAdvertisement(message, source, destination);
    }
  } catch {
    // The peers find out by their own timers.
  } finally {
    port?.close();
  }
}

/** The interfaces as the keeper of addresses looks them up. */
function directoryOf(view: InterfaceView): PortDirectory {
  const entries = new Map([...view].map(([name, identity]) => [name, { identity }]));
  return { get: (name) => entries.get(name), all: () => [...entries.values()] };
}
