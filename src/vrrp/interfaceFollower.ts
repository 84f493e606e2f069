/**
 * Follows the kernel's interfaces for the loop: what a configuration needs is opened, what changes
 * is opened anew, and the election is told where it can and cannot send.
 */
import type { RouteEvent, RouteNetlink } from '../kernel/routeNetlink.js';
import type { IpAddress } from '../wire/ipAddress.js';
import { ownerPriority } from '../wire/vrrp.js';
import type { ElectionState } from './election.js';
import {
  type InterfacePorts,
  interfaceNames,
  readInterfaces,
  requireInterfaces,
  virtualAddressesOf,
} from './interfacePorts.js';
import type { VrrpConfiguration } from './protocol.js';
import type { Reporter } from './reporter.js';
import { type DeviceChange, VirtualMacDevices } from './virtualMacDevices.js';
import { senderKey } from './virtualRouter.js';

/** What could not be opened is tried again after this. */
const retryUs = 1_000_000;

/** No address is of no concern. */
const noAddresses: ReadonlySet<IpAddress> = new Set();

/** The interfaces of one node. */
export class InterfaceFollower {
  readonly #routes: RouteNetlink;
  readonly #ports: InterfacePorts;
  readonly #reporter: Reporter;
  readonly #devices: VirtualMacDevices;
  #stale = false;
  #retryDueUs = Number.POSITIVE_INFINITY;
  /** The virtual addresses of a configuration that cannot be anybody's source. */
  #moving: { readonly of: VrrpConfiguration; readonly addresses: ReadonlySet<IpAddress> } = {
    of: { routers: [], syncGroups: [] },
    addresses: noAddresses,
  };

  constructor(routes: RouteNetlink, ports: InterfacePorts, reporter: Reporter) {
    this.#routes = routes;
    this.#ports = ports;
    this.#reporter = reporter;
    this.#devices = new VirtualMacDevices(routes);
  }

  /** When to look again without being asked; infinite when there is no need. */
  get nextDeadlineUs(): number {
    return this.#stale ? 0 : this.#retryDueUs;
  }

  /** Opens every interface of a configuration, all or none. Throws INTERFACE_MISSING and others. */
  openFor(configuration: VrrpConfiguration): void {
    this.#logDevices(this.#devices.ensure(configuration.routers));
    this.#ports.openAll(requireInterfaces(this.#routes, configuration));
  }

  /**
   * Closes what a configuration does not name, and takes away the devices of virtual MAC addresses
   * that it has not. A device that cannot be taken away is remarked.
   */
  retain(configuration: VrrpConfiguration): void {
    this.#ports.retain(interfaceNames(configuration));
    try {
      this.#logDevices(this.#devices.retain(configuration.routers));
    } catch (error) {
      this.#remarkFailure('of a virtual MAC address', error);
    }
  }

  /** A socket failed: its interface is closed and looked at anew. */
  reopen(name: string, error: unknown): void {
    this.#remarkFailure(name, error);
    this.#ports.close(name);
    this.#stale = true;
  }

  /**
   * Any event of one of our interfaces may change where we can send from; a look tells. The virtual
   * addresses change nothing, and a takeover of a thousand has as many events.
   */
  takeRouteEvents(events: readonly RouteEvent[], configuration: VrrpConfiguration): void {
    if (events.length === 0 || this.#stale) return;
    const names = interfaceNames(configuration);
    const indexes = new Set(this.#ports.all().map(({ identity }) => identity.index));
    const moving = this.#movingAddresses(configuration);
    this.#stale = events.some((event) => {
      if (event.kind === 'link') return names.has(event.link.name) || indexes.has(event.link.index);
      if (event.kind === 'overrun') return true;
      const { interfaceIndex, prefix } = event.address;
      return indexes.has(interfaceIndex) && !moving.has(prefix.address);
    });
  }

  /** An owner may have none but virtual addresses, and sends from one of them. */
  #movingAddresses(configuration: VrrpConfiguration): ReadonlySet<IpAddress> {
    if (this.#moving.of !== configuration) {
      const hasOwner = configuration.routers.some(({ priority }) => priority === ownerPriority);
      const addresses = hasOwner ? noAddresses : virtualAddressesOf(configuration);
      this.#moving = { of: configuration, addresses };
    }
    return this.#moving.addresses;
  }

  /** Brings the ports in step with the kernel if need be; true when any was opened or closed. */
  follow(configuration: VrrpConfiguration, turnUs: number): boolean {
    if (!this.#stale && turnUs < this.#retryDueUs) return false;
    this.#stale = false;
    this.#retryDueUs = Number.POSITIVE_INFINITY;
    try {
      // A device goes with its base, and comes back with it.
      this.#logDevices(this.#devices.ensure(configuration.routers));
      const view = readInterfaces(this.#routes, configuration);
      return this.#ports.follow(interfaceNames(configuration), view, (name, error) => {
        this.#remarkFailure(name, error);
        this.#retryDueUs = turnUs + retryUs;
      });
    } catch (error) {
      this.#remarkFailure('netlink', error);
      this.#retryDueUs = turnUs + retryUs;
      return false;
    }
  }

  /** Where the election's idea of our source address is not the real one, by `senderKey`. */
  changedSources(election: ElectionState): ReadonlyMap<string, IpAddress | undefined> {
    const changed = new Map<string, IpAddress | undefined>();
    for (const { spec, ownAddress } of election.routers.values()) {
      const source = this.#ports.sourceOf(spec);
      if (source !== ownAddress) changed.set(senderKey(spec), source);
    }
    return changed;
  }

  #logDevices(changes: readonly DeviceChange[]): void {
    for (const { change, name, base } of changes) {
      const text = `${change} the device of a virtual MAC address`;
      this.#reporter.log('info', text, { interface: name, base });
    }
  }

  #remarkFailure(name: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#reporter.remark(`interface ${name}`, 'warn', `cannot use an interface: ${text}`, {
      interface: name,
    });
  }
}
