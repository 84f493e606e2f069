/**
 * Puts the virtual addresses where the election wants them, and keeps them there: an Active has all
 * of its own, every other router has none. The same holds for virtual routes and rules, and for the
 * device of a virtual MAC address, which is up while its router is Active.
 *
 * So an address that a crashed agent left behind is adopted by the router that becomes Active, and
 * taken off by one that does not; one that somebody removes from the Active is put back.
 */
import type {
  InterfaceAddress,
  NetworkChange,
  RouteEvent,
  RouteNetlink,
} from '../kernel/routeNetlink.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { RouterEffect } from './election.js';
import {
  type AddressIndex,
  addressAddition,
  byAddress,
  formatRouteEntry,
  formatVirtualAddress,
  formatVirtualRule,
  routingChanges,
} from './holdings.js';
import type { MachineState } from './machineModel.js';
import { type ChangeFailure, changeNetwork, claimRouting } from './networkChanges.js';
import type { PortIdentity } from './portIdentity.js';
import type { VirtualAddress, VirtualRouterSpec } from './protocol.js';
import type { RouterKey } from './reconfiguration.js';
import { isEmptyRouting, noRouting, routingOf } from './virtualRouting.js';

/** Events of the kernel that a rehearsal reads: they come when the takeover is over. */
const rehearsedEventsMax = 4;

type Routers = ReadonlyMap<RouterKey, MachineState>;
type AddressEffect = RouterEffect<'add-addresses' | 'remove-addresses'>;

/** The interfaces that are there, by name. */
export interface PortDirectory {
  get(name: string): { readonly identity: PortIdentity } | undefined;
  all(): readonly { readonly identity: PortIdentity }[];
}

/** What an audit found and repaired. */
export interface AuditResult {
  /** Addresses of an Active that were missing or cut off, and are back, by router. */
  readonly restored: ReadonlyMap<RouterKey, readonly VirtualAddress[]>;
  /** Everything that is back, for a person. */
  readonly restoredTexts: readonly string[];
  /** Everything that was on a router that is not Active and is off, for a person. */
  readonly removedTexts: readonly string[];
  readonly failures: readonly ChangeFailure[];
}

/** The virtual addresses of one node, and what goes with them. */
export class AddressKeeper {
  readonly #routes: RouteNetlink;
  readonly #ports: PortDirectory;
  readonly #made = new WeakMap<
    VirtualAddress,
    {
      readonly spec: VirtualRouterSpec;
      readonly interfaceIndex: number | undefined;
      readonly changes: readonly NetworkChange[];
    }
  >();
  #holders: {
    readonly specs: ReadonlyMap<RouterKey, VirtualRouterSpec>;
    readonly keysOf: ReadonlyMap<IpAddress, readonly RouterKey[]>;
  } = { specs: new Map(), keysOf: new Map() };
  readonly #indexOf = (name: string) => this.#ports.get(name)?.identity.index;
  readonly #nameOf = (index: number) =>
    this.#ports.all().find(({ identity }) => identity.index === index)?.identity.name;

  constructor(routes: RouteNetlink, ports: PortDirectory) {
    this.#routes = routes;
    this.#ports = ports;
  }

  /**
   * Carries out the address changes of one turn, of all routers, in one batch: devices up, then
   * what the effects say in their order, then devices down. `routers` are as the turn left them.
   */
  apply(effects: readonly AddressEffect[], routers: Routers): readonly ChangeFailure[] {
    // What is there matters only for removal: an old configuration may have had another length.
    const present = effects.some(({ type }) => type === 'remove-addresses')
      ? this.#routes.addresses()
      : [];
    const found = byAddress(present);
    const isActive = ({ router }: AddressEffect) => routers.get(router)?.current === 'active';
    const changes = [
      ...effects.filter(isActive).flatMap(({ spec }) => this.#device(spec, 'up')),
      ...effects.flatMap((effect) => this.#moves(effect, found)),
      ...effects
        .filter((effect) => !isActive(effect))
        .flatMap(({ spec }) => this.#device(spec, 'down')),
    ];
    const { outcomes, failures } = changeNetwork(this.#routes, changes, present, this.#nameOf);
    return [...failures, ...claimRouting(this.#routes, changes, outcomes)];
  }

  /** Makes what is needed to add the addresses of routers, so that a takeover finds it made. */
  prepare(routers: Routers): void {
    for (const { spec } of routers.values()) {
      for (const address of spec.addresses) this.#routes.prepare(this.#additions(address, spec));
    }
    this.#holdersByAddress(routers);
  }

  /** The changes that add an address, made once for as long as its interface is the same. */
  #additions(address: VirtualAddress, spec: VirtualRouterSpec): readonly NetworkChange[] {
    const interfaceIndex = this.#indexOf(address.interface);
    const made = this.#made.get(address);
    if (made?.interfaceIndex === interfaceIndex && made?.spec === spec) return made.changes;
    const changes = addressAddition(address, spec, this.#indexOf);
    this.#made.set(address, { spec, interfaceIndex, changes });
    return changes;
  }

  /** Writes the messages of a batch for the first addresses, and sends none of them. */
  rehearse(effects: readonly AddressEffect[], routers: Routers, addressesMax: number): void {
    const changes = effects
      .filter(({ type, router }) => type === 'remove-addresses' || routers.has(router))
      .map((effect) => ({ ...effect, addresses: effect.addresses.slice(0, addressesMax) }))
      .flatMap((effect) => this.#moves(effect, byAddress(this.#supposed(effect))));
    if (changes.length > 0) this.#routes.rehearse(changes, rehearsedEventsMax);
  }

  /** Compares the kernel with the states of the routers, and repairs the difference. */
  audit(routers: Routers): AuditResult {
    const present = this.#routes.addresses();
    const found = byAddress(present);
    const restored = new Map<RouterKey, readonly VirtualAddress[]>();
    const removed: VirtualAddress[] = [];
    const changes: NetworkChange[] = [];
    const links = this.#linksUp(routers);
    for (const [key, { current, spec }] of routers) {
      const there = spec.addresses.filter((address) => this.#find(address, found).length > 0);
      const device = spec.virtualMac?.interface;
      if (current === 'active') {
        // What is on a device that was down was cut off, so it is announced anew as well.
        const isCutOff = device !== undefined && !links.has(device);
        const missing = spec.addresses
          .filter((each) => !there.includes(each) || (isCutOff && each.interface === device))
          .filter((each) => this.#indexOf(each.interface) !== undefined);
        if (isCutOff) changes.push(...this.#device(spec, 'up'));
        if (missing.length > 0) restored.set(key, missing);
        changes.push(...missing.flatMap((each) => addressAddition(each, spec, this.#indexOf)));
        changes.push(...routingChanges('add', routingOf(spec), this.#indexOf));
      } else {
        const left = there.filter((address) => !this.#isOwnSource(address));
        removed.push(...left);
        changes.push(...routingChanges('delete', routingOf(spec), this.#indexOf));
        changes.push(...left.flatMap((address) => this.#removals(address, found)));
        if (device !== undefined && links.has(device)) changes.push(...this.#device(spec, 'down'));
      }
    }
    const { outcomes, failures } = changeNetwork(this.#routes, changes, present, this.#nameOf);
    const routing = (action: 'add' | 'delete') =>
      changes.flatMap((change, index) =>
        change.action === action && outcomes[index] === 'done' ? routingText(change) : [],
      );
    const restoredAddresses = [...restored.values()].flat();
    return {
      restored,
      restoredTexts: [...restoredAddresses.map(formatVirtualAddress), ...routing('add')],
      removedTexts: [...removed.map(formatVirtualAddress), ...routing('delete')],
      failures,
    };
  }

  /** Whether one of some events contradicts the state of a router, or may have undone it. */
  hasContradiction(events: readonly RouteEvent[], routers: Routers): boolean {
    if (events.length === 0) return false;
    // A promotion with a thousand addresses has as many events, most of them of no concern.
    const keysOf = this.#holdersByAddress(routers);
    return events.some((event) => {
      if (event.kind !== 'address') return this.isContradiction(event, routers);
      const keys = keysOf.get(event.address.prefix.address);
      if (keys === undefined) return false;
      const those = keys.flatMap((key): [RouterKey, MachineState][] => {
        const machine = routers.get(key);
        return machine === undefined ? [] : [[key, machine]];
      });
      return this.isContradiction(event, new Map(those));
    });
  }

  /** Which routers have an address, made once for as long as their settings are the same. */
  #holdersByAddress(routers: Routers): ReadonlyMap<IpAddress, readonly RouterKey[]> {
    const { specs, keysOf } = this.#holders;
    const isSame = [...routers].every(([key, { spec }]) => specs.get(key) === spec);
    if (isSame && routers.size === specs.size) return keysOf;
    const index = new Map<IpAddress, RouterKey[]>();
    for (const [key, { spec }] of routers) {
      for (const { prefix } of spec.addresses) {
        const keys = index.get(prefix.address);
        if (keys === undefined) index.set(prefix.address, [key]);
        else keys.push(key);
      }
    }
    const newSpecs = new Map([...routers].map(([key, { spec }]) => [key, spec]));
    this.#holders = { specs: newSpecs, keysOf: index };
    return index;
  }

  /** Whether an event of the kernel contradicts the state of a router, or may have undone it. */
  isContradiction(event: RouteEvent, routers: Routers): boolean {
    if (event.kind === 'overrun') return true;
    for (const { current, spec } of routers.values()) {
      if (event.kind === 'link') {
        const { name, up } = event.link;
        if (name === spec.virtualMac?.interface && up !== (current === 'active')) return true;
        // The kernel says nothing of the routes that go with a link.
        if (current === 'active' && !isEmptyRouting(routingOf(spec))) return true;
        continue;
      }
      // Most events are of what was just done here, so what it is about is looked at last.
      if ((event.action === 'removed') !== (current === 'active')) continue;
      const { interfaceIndex, prefix } = event.address;
      const isOurs = spec.addresses.some(
        (address) =>
          address.prefix.address === prefix.address &&
          this.#indexOf(address.interface) === interfaceIndex,
      );
      if (isOurs) return true;
    }
    return false;
  }

  #moves(
    { type, addresses, routing = noRouting, spec }: AddressEffect,
    found: AddressIndex,
  ): readonly NetworkChange[] {
    if (type === 'add-addresses') {
      return [
        ...addresses.flatMap((address) => this.#additions(address, spec)),
        ...routingChanges('add', routing, this.#indexOf),
      ];
    }
    return [
      ...routingChanges('delete', routing, this.#indexOf),
      ...addresses.flatMap((address) => this.#removals(address, found)),
    ];
  }

  /** The addresses of an effect as if they were on their interfaces. */
  #supposed({ addresses }: AddressEffect): readonly InterfaceAddress[] {
    return addresses.flatMap(({ prefix, interface: name }) => {
      const interfaceIndex = this.#indexOf(name);
      if (interfaceIndex === undefined) return [];
      return [{ interfaceIndex, prefix, secondary: false }];
    });
  }

  /** Sets the device of a virtual MAC address up or down, if there is one. */
  #device({ virtualMac }: VirtualRouterSpec, action: 'up' | 'down'): readonly NetworkChange[] {
    const interfaceIndex =
      virtualMac === undefined ? undefined : this.#indexOf(virtualMac.interface);
    if (virtualMac === undefined || interfaceIndex === undefined) return [];
    return [{ kind: 'link', action, interfaceIndex, name: virtualMac.interface }];
  }

  /** Names of the devices of virtual MAC addresses that are up. */
  #linksUp(routers: Routers): ReadonlySet<string> {
    const hasDevices = [...routers.values()].some(({ spec }) => spec.virtualMac !== undefined);
    if (!hasDevices) return new Set();
    return new Set(this.#routes.links().flatMap(({ name, up }) => (up ? [name] : [])));
  }

  #removals(address: VirtualAddress, found: AddressIndex): readonly NetworkChange[] {
    if (this.#isOwnSource(address)) return [];
    return this.#find(address, found).map(({ interfaceIndex, prefix, peer }) => ({
      kind: 'address',
      action: 'delete',
      interfaceIndex,
      prefix,
      ...(peer === undefined ? {} : { peer }),
    }));
  }

  /** An address is the same whatever its prefix length; an audit must not fight over that. */
  #find(address: VirtualAddress, found: AddressIndex): readonly InterfaceAddress[] {
    const those = found.get(address.prefix.address);
    if (those === undefined) return [];
    const index = this.#indexOf(address.interface);
    return those.filter(({ interfaceIndex }) => interfaceIndex === index);
  }

  /** The only address of an owner's interface is not taken off: it would cut the machine off. */
  #isOwnSource(address: VirtualAddress): boolean {
    const identity = this.#ports.get(address.interface)?.identity;
    const { address: virtual } = address.prefix;
    return identity?.source === virtual || identity?.linkLocal === virtual;
  }
}

function routingText(change: NetworkChange): readonly string[] {
  if (change.kind === 'rule') return [formatVirtualRule(change.rule)];
  if (change.kind !== 'route') return [];
  return [formatRouteEntry(change.route)];
}
