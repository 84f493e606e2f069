/**
 * All interfaces that a configuration names, kept in step with the kernel: opened when they come,
 * closed when they go, opened anew when their index or source address changes.
 */
import { TandemError } from '../errors.js';
import type { RouteNetlink } from '../kernel/routeNetlink.js';
import type { IpAddress, IpFamily } from '../wire/ipAddress.js';
import { ownerPriority } from '../wire/vrrp.js';
import { InterfacePort } from './interfacePort.js';
import { isSamePort, type PortIdentity, portIdentity, senderAddress } from './portIdentity.js';
import type { VirtualRouterSpec, VrrpConfiguration } from './protocol.js';
import { familyOfRouter, senderKey } from './virtualRouter.js';

/** What the kernel says of the interfaces of a configuration; absent ones are not in the map. */
export type InterfaceView = ReadonlyMap<string, PortIdentity>;

/** Reads the kernel's view of every interface that a configuration names. */
export function readInterfaces(
  routes: RouteNetlink,
  configuration: VrrpConfiguration,
): InterfaceView {
  const names = interfaceNames(configuration);
  const links = routes.links().filter(({ name }) => names.has(name));
  const addresses = routes.addresses();
  const virtualAddresses = virtualAddressesOf(configuration);
  const owners = new Set(
    configuration.routers
      .filter(({ priority }) => priority === ownerPriority)
      .map((router) => router.interface),
  );
  return new Map(
    links.map((link) => [
      link.name,
      portIdentity(
        link,
        addresses,
        virtualAddresses,
        owners.has(link.name),
        familiesOn(link.name, configuration),
      ),
    ]),
  );
}

/** An interface that only addresses are put on needs no socket for advertisements. */
function familiesOn(name: string, configuration: VrrpConfiguration): readonly IpFamily[] {
  const here = configuration.routers.filter((router) => router.interface === name);
  const families = new Set(here.map(familyOfRouter));
  return ([4, 6] as const).filter((family) => families.has(family));
}

/**
 * The view of a configuration that is about to start. Throws INTERFACE_MISSING, naming who asks.
 */
export function requireInterfaces(
  routes: RouteNetlink,
  configuration: VrrpConfiguration,
): InterfaceView {
  const view = readInterfaces(routes, configuration);
  for (const router of configuration.routers) {
    if (router.dynamic === true) continue;
    for (const name of interfacesOf(router)) {
      if (view.has(name)) continue;
      throw new TandemError(
        'INTERFACE_MISSING',
        `virtual router ${router.name}: there is no interface ${name}`,
      );
    }
  }
  return view;
}

/** The open ports by interface name. */
export class InterfacePorts {
  readonly #ports = new Map<string, InterfacePort>();

  get(name: string): InterfacePort | undefined {
    return this.#ports.get(name);
  }

  /** Every open port. */
  all(): readonly InterfacePort[] {
    return [...this.#ports.values()];
  }

  /** Descriptors to wait for. */
  get fds(): readonly number[] {
    return this.all().flatMap((port) => port.fds);
  }

  /** Where a router's advertisements come from; `undefined` when they cannot be sent now. */
  sourceOf(spec: VirtualRouterSpec): IpAddress | undefined {
    const port = this.#ports.get(spec.interface);
    return port === undefined ? undefined : senderAddress(port.identity, spec);
  }

  /** Our source address wherever one of these routers can send, by `senderKey`. */
  sourcesOf(routers: readonly VirtualRouterSpec[]): ReadonlyMap<string, IpAddress> {
    const sources = new Map<string, IpAddress>();
    for (const spec of routers) {
      const source = this.sourceOf(spec);
      if (source !== undefined) sources.set(senderKey(spec), source);
    }
    return sources;
  }

  /**
   * Opens every interface of a view, all or none: when one fails the error is thrown and the ports
   * are as they were. Ports that the view does not name stay open, see {@link retain}.
   */
  openAll(view: InterfaceView): void {
    const opened: InterfacePort[] = [];
    try {
      for (const identity of view.values()) {
        if (!this.#isOpen(identity)) opened.push(new InterfacePort(identity));
      }
    } catch (error) {
      for (const port of opened) port.close();
      throw error;
    }
    for (const port of opened) this.#replace(port.identity.name, port);
  }

  /**
   * Follows the kernel's view for the given names; true when any port was opened or closed. What
   * cannot be opened is closed and reported, and counts as unusable until the next call.
   */
  follow(
    names: Iterable<string>,
    view: InterfaceView,
    onError: (name: string, error: unknown) => void,
  ): boolean {
    let changed = false;
    for (const name of names) {
      const identity = view.get(name);
      if (identity === undefined ? !this.#ports.has(name) : this.#isOpen(identity)) continue;
      changed = true;
      this.close(name);
      if (identity === undefined) continue;
      try {
        this.#replace(name, new InterfacePort(identity));
      } catch (error) {
        onError(name, error);
      }
    }
    return changed;
  }

  /** Closes one interface; it does nothing when there is none of that name. */
  close(name: string): void {
    this.#replace(name, undefined);
  }

  /** Closes the ports of interfaces that are configured no longer. */
  retain(names: ReadonlySet<string>): void {
    for (const name of [...this.#ports.keys()]) if (!names.has(name)) this.close(name);
  }

  #isOpen(identity: PortIdentity): boolean {
    const open = this.#ports.get(identity.name)?.identity;
    return open !== undefined && isSamePort(open, identity);
  }

  #replace(name: string, port: InterfacePort | undefined): void {
    this.#ports.get(name)?.close();
    if (port === undefined) this.#ports.delete(name);
    else this.#ports.set(name, port);
  }
}

/** Every virtual address of a configuration. */
export function virtualAddressesOf(configuration: VrrpConfiguration): ReadonlySet<IpAddress> {
  const { routers } = configuration;
  return new Set(routers.flatMap(({ addresses }) => addresses.map(({ prefix }) => prefix.address)));
}

/** Every interface that a configuration names. */
export function interfaceNames(configuration: VrrpConfiguration): ReadonlySet<string> {
  return new Set(configuration.routers.flatMap(interfacesOf));
}

/** What a router needs: the interfaces of its advertisements, addresses and routes. */
function interfacesOf(router: VirtualRouterSpec): readonly string[] {
  const { virtualMac, addresses, routes = [] } = router;
  const ofRoutes = routes.map((route) => route.interface).filter((name) => name !== undefined);
  const device = virtualMac === undefined ? [] : [virtualMac.interface];
  return [
    router.interface,
    ...device,
    ...addresses.map((address) => address.interface),
    ...ofRoutes,
  ];
}
