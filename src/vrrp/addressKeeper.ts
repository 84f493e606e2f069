/**
 * Puts the virtual addresses where the election wants them, and keeps them there: an Active has all
 * of its own, every other router has none.
 *
 * So an address that a crashed agent left behind is adopted by the router that becomes Active, and
 * taken off by one that does not; one that somebody removes from the Active is put back.
 */
import type { TandemError } from '../errors.js';
import type {
  AddressChange,
  InterfaceAddress,
  RouteEvent,
  RouteNetlink,
} from '../kernel/routeNetlink.js';
import { formatIpPrefix } from '../wire/ipAddress.js';
import type { RouterEffect } from './election.js';
import type { InterfacePorts } from './interfacePorts.js';
import type { MachineState } from './machineModel.js';
import type { VirtualAddress } from './protocol.js';
import type { RouterKey } from './reconfiguration.js';

/** An address as an operator writes it: `192.0.2.100/24 on eth0`. */
export function formatVirtualAddress(address: VirtualAddress): string {
  return `${formatIpPrefix(address.prefix)} on ${address.interface}`;
}

/** One address that could not be added or removed. */
export interface AddressFailure {
  readonly change: AddressChange;
  readonly error: TandemError;
}

/** What an audit found and repaired. */
export interface AuditResult {
  /** Addresses that were missing from an Active and are back, by router. */
  readonly restored: ReadonlyMap<RouterKey, readonly VirtualAddress[]>;
  /** Addresses that were on a router that is not Active, and are off. */
  readonly removed: readonly VirtualAddress[];
  readonly failures: readonly AddressFailure[];
}

/** The virtual addresses of one node. */
export class AddressKeeper {
  readonly #routes: RouteNetlink;
  readonly #ports: InterfacePorts;

  constructor(routes: RouteNetlink, ports: InterfacePorts) {
    this.#routes = routes;
    this.#ports = ports;
  }

  /** Carries out the address changes of one turn, of all routers, in one batch. */
  apply(
    effects: readonly RouterEffect<'add-addresses' | 'remove-addresses'>[],
  ): readonly AddressFailure[] {
    // What is there matters only for removal: an old configuration may have had another length.
    const present = effects.some(({ type }) => type === 'remove-addresses')
      ? this.#routes.addresses({ family: 4 })
      : [];
    const changes = effects.flatMap(({ type, addresses }) =>
      addresses.flatMap((address) =>
        type === 'add-addresses' ? this.#additions(address) : this.#removals(address, present),
      ),
    );
    return this.#change(changes);
  }

  /** Compares the kernel's addresses with the states of the routers, and repairs the difference. */
  audit(routers: ReadonlyMap<RouterKey, MachineState>): AuditResult {
    const present = this.#routes.addresses({ family: 4 });
    const restored = new Map<RouterKey, readonly VirtualAddress[]>();
    const removed: VirtualAddress[] = [];
    for (const [key, { current, spec }] of routers) {
      const there = spec.addresses.filter((address) => this.#find(address, present).length > 0);
      if (current !== 'active') {
        removed.push(...there.filter((address) => !this.#isOwnSource(address)));
        continue;
      }
      const missing = spec.addresses.filter((address) => !there.includes(address));
      if (missing.length > 0) restored.set(key, missing);
    }
    const failures = this.#change([
      ...removed.flatMap((address) => this.#removals(address, present)),
      ...[...restored.values()].flat().flatMap((address) => this.#additions(address)),
    ]);
    return { restored, removed, failures };
  }

  /** Whether an event of the kernel contradicts the state of a router. */
  isContradiction(
    event: Extract<RouteEvent, { kind: 'address' }>,
    routers: ReadonlyMap<RouterKey, MachineState>,
  ): boolean {
    for (const { current, spec } of routers.values()) {
      const isOurs = spec.addresses.some(
        (address) => this.#find(address, [event.address]).length > 0,
      );
      if (isOurs && (event.action === 'removed') === (current === 'active')) return true;
    }
    return false;
  }

  #change(changes: readonly AddressChange[]): readonly AddressFailure[] {
    if (changes.length === 0) return [];
    return this.#routes.changeAddresses(changes).flatMap((error, index) => {
      const change = changes[index];
      return error === undefined || change === undefined ? [] : [{ change, error }];
    });
  }

  #additions(address: VirtualAddress): readonly AddressChange[] {
    const port = this.#ports.get(address.interface);
    if (port === undefined) return [];
    return [{ action: 'add', interfaceIndex: port.identity.index, prefix: address.prefix }];
  }

  #removals(
    address: VirtualAddress,
    present: readonly InterfaceAddress[],
  ): readonly AddressChange[] {
    if (this.#isOwnSource(address)) return [];
    return this.#find(address, present).map(({ interfaceIndex, prefix }) => ({
      action: 'delete',
      interfaceIndex,
      prefix,
    }));
  }

  /** An address is the same whatever its prefix length; an audit must not fight over that. */
  #find(
    address: VirtualAddress,
    present: readonly InterfaceAddress[],
  ): readonly InterfaceAddress[] {
    const index = this.#ports.get(address.interface)?.identity.index;
    return present.filter(
      ({ interfaceIndex, prefix }) =>
        interfaceIndex === index && prefix.address === address.prefix.address,
    );
  }

  /** The only address of an owner's interface is not taken off: it would cut the machine off. */
  #isOwnSource(address: VirtualAddress): boolean {
    return this.#ports.get(address.interface)?.identity.source === address.prefix.address;
  }
}
