/**
 * Gives up the virtual addresses that an agent left behind when it died: without this they stay on
 * a machine that answers for them but does not take part in the election any more.
 */
import { openRouteNetlink, type RouteNetlink } from '../kernel/routeNetlink.js';
import { encodeAdvertisement, resignPriority, vrrpGroupIpv4 } from '../wire/vrrp.js';
import { InterfacePort } from './interfacePort.js';
import { type InterfaceView, readInterfaces } from './interfacePorts.js';
import type { VirtualAddress, VirtualRouterSpec, VrrpConfiguration } from './protocol.js';

/** What was given up. */
export interface ReleaseResult {
  readonly removed: readonly VirtualAddress[];
}

/**
 * Sends priority 0 for each virtual router that left addresses behind, then takes them off.
 *
 * A router without any is left alone: either it was not Active, or it has resigned already, and a
 * second priority 0 would only make its Backups count anew. Interfaces that are gone are passed
 * over. Throws TandemError (PERMISSION, SYSTEM_CALL) when an address cannot be taken off.
 */
export function releaseAddresses(configuration: VrrpConfiguration): ReleaseResult {
  const routes = openRouteNetlink();
  try {
    const view = readInterfaces(routes, configuration);
    const removed: VirtualAddress[] = [];
    for (const router of configuration.routers) {
      const left = addressesLeft(routes, view, router);
      if (left.length === 0) continue;
      resign(view, router);
      removeAll(routes, view, left);
      removed.push(...left);
    }
    return { removed };
  } finally {
    routes.close();
  }
}

/** The addresses of a router that are on their interfaces, as they are there. */
function addressesLeft(
  routes: RouteNetlink,
  view: InterfaceView,
  router: VirtualRouterSpec,
): readonly VirtualAddress[] {
  const present = routes.addresses({ family: 4 });
  return router.addresses.flatMap((address) => {
    const port = view.get(address.interface);
    // The only address of an owner's interface stays, see AddressKeeper.
    if (port === undefined || port.source === address.prefix.address) return [];
    return present
      .filter(
        ({ interfaceIndex, prefix }) =>
          interfaceIndex === port.index && prefix.address === address.prefix.address,
      )
      .map(({ prefix }) => ({ prefix, interface: address.interface }));
  });
}

/** An interface that cannot send is no reason to keep the addresses. */
function resign(view: InterfaceView, router: VirtualRouterSpec): void {
  const identity = view.get(router.interface);
  if (identity?.source === undefined) return;
  const { vrid, advertIntervalCs, checksum } = router;
  const message = encodeAdvertisement(
    {
      vrid,
      priority: resignPriority,
      advertIntervalCs,
      addresses: router.addresses.map(({ prefix }) => prefix.address),
    },
    { source: identity.source, destination: vrrpGroupIpv4 },
    checksum,
  );
  const port = new InterfacePort(identity);
  try {
    port.sendAdvertisement(message);
  } catch {
    // The peers find out by their own timers.
  } finally {
    port.close();
  }
}

function removeAll(
  routes: RouteNetlink,
  view: InterfaceView,
  addresses: readonly VirtualAddress[],
): void {
  const changes = addresses.flatMap(({ prefix, interface: name }) => {
    const interfaceIndex = view.get(name)?.index;
    return interfaceIndex === undefined
      ? []
      : [{ action: 'delete' as const, interfaceIndex, prefix }];
  });
  const failure = routes.changeAddresses(changes).find((error) => error !== undefined);
  if (failure !== undefined) throw failure;
}
