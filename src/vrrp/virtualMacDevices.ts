/**
 * The macvlans that carry virtual MAC addresses (RFC 9568, 7.3): made when a configuration needs
 * them, taken away when none does, with the kernel parameters that make them right.
 *
 * They are in **bridge** mode. In private mode the kernel hands a multicast frame whose source is
 * the MAC address of a macvlan to that macvlan alone, so that an Active would not hear another
 * Active on the base; and other macvlans of the same base could not reach the virtual addresses.
 *
 * A device is **up only while its router is Active** (`addressKeeper.ts`). One that is down has its
 * MAC address in no filter, so a Backup drops what is sent to it, as RFC 9568 (6.4.2) has it, and
 * neither answers for it nor forwards it.
 */
import { TandemError } from '../errors.js';
import type { Link, RouteNetlink } from '../kernel/routeNetlink.js';
import { readSysctl, writeSysctl } from '../kernel/sysctl.js';
import { formatMacAddress, virtualRouterMacAddress } from '../wire/ethernet.js';
import type { VirtualMacSpec, VirtualRouterSpec } from './protocol.js';
import {
  type BaseParameter,
  baseParameters,
  type DeviceNote,
  formatDeviceNote,
  parseDeviceNote,
} from './virtualMac.js';
import { familyOfRouter } from './virtualRouter.js';

/**
 * What the base needs: it must not answer for addresses of another device, nor name the virtual
 * address as the sender of its own requests, which would move the address to its MAC address.
 */
const baseValues: Readonly<Record<BaseParameter, number>> = { arp_ignore: 1, arp_announce: 2 };

/**
 * What the device needs beside that. Clients are routed by the base, so a strict reverse path
 * filter would drop what they send (2 is loose, and the greater of `all` and this counts).
 * `accept_local` is not needed: advertisements are heard by the base.
 */
const deviceParameters = { ...baseValues, rp_filter: 2 } as const;

/**
 * IPv6 is off the device but for the virtual addresses: an address that is made of the virtual MAC
 * address would be the same on every router (RFC 9568, 7.4). `addr_gen_mode` 1 is none.
 */
const deviceIpv6Parameters = { addr_gen_mode: 1, accept_ra: 0, accept_dad: 0 } as const;

/** A virtual router with a virtual MAC address. */
type VirtualMacRouter = VirtualRouterSpec & { readonly virtualMac: VirtualMacSpec };

/** What was done to one device. */
export interface DeviceChange {
  readonly change: 'made' | 'adopted' | 'removed';
  readonly name: string;
  readonly base: string;
}

/** The devices of one network namespace. */
export class VirtualMacDevices {
  readonly #routes: RouteNetlink;
  /** Notes of adopted devices whose alias is somebody else's; they are lost in a crash. */
  readonly #unwritten = new Map<string, DeviceNote>();

  constructor(routes: RouteNetlink) {
    this.#routes = routes;
  }

  /**
   * Makes or adopts every device whose base is there; what is there already stays as it is. Throws
   * `INTERFACE_UNUSABLE` when a link of that name is something else, `PERMISSION`, `SYSTEM_CALL`.
   */
  ensure(routers: readonly VirtualRouterSpec[]): readonly DeviceChange[] {
    const wanted = routers.filter(hasVirtualMac);
    if (wanted.length === 0) return [];
    const changes: DeviceChange[] = [];
    for (const router of wanted) {
      // Read anew for each: the one before may have left its note on a device of the same base.
      const links = this.#routes.links();
      const base = links.find(({ name }) => name === router.interface);
      if (base === undefined) continue;
      const change = this.#ensureOne(router, base, links);
      if (change !== undefined) {
        changes.push({ change, name: router.virtualMac.interface, base: base.name });
      }
    }
    return changes;
  }

  /** Takes away the devices of ours that none of these routers has. */
  retain(routers: readonly VirtualRouterSpec[]): readonly DeviceChange[] {
    const names = new Set(
      routers.filter(hasVirtualMac).map((router) => router.virtualMac.interface),
    );
    const noted = this.#noted(this.#routes.links());
    const changes: DeviceChange[] = [];
    for (const [index, { link, note }] of noted.entries()) {
      if (names.has(link.name)) continue;
      this.#remove(link, note);
      changes.push({ change: 'removed', name: link.name, base: note.base });
      const others = noted.filter((other, at) => at > index || names.has(other.link.name));
      if (!others.some((other) => other.note.base === note.base)) restoreBase(note);
    }
    return changes;
  }

  #ensureOne(
    router: VirtualMacRouter,
    base: Link,
    links: readonly Link[],
  ): 'made' | 'adopted' | undefined {
    const name = router.virtualMac.interface;
    const macAddress = virtualRouterMacAddress(familyOfRouter(router), router.vrid);
    const present = links.find((link) => link.name === name);
    if (present === undefined) {
      refuseSecondDevice(links, base, macAddress, name);
      const alias = formatDeviceNote(this.#noteFor(base, links, false));
      const parentIndex = base.index;
      this.#routes.createMacvlan({ name, parentIndex, mode: 'bridge', macAddress, alias });
    } else {
      requireFitting(present, base, macAddress);
      if (present.macvlan?.mode !== 'bridge') this.#routes.setMacvlanMode(name, 'bridge');
    }
    const isNoted = parseDeviceNote(present?.alias) !== undefined || this.#unwritten.has(name);
    if (present !== undefined && !isNoted) this.#adopt(present, base, links);
    setParameters(base.name, baseValues);
    setParameters(name, deviceParameters);
    if (!isNoted) setIpv6Parameters(name);
    if (present === undefined) return 'made';
    return isNoted ? undefined : 'adopted';
  }

  #adopt(device: Link, base: Link, links: readonly Link[]): void {
    const note = this.#noteFor(base, links, true);
    if (device.alias === undefined || device.alias === '') {
      this.#routes.setLink(device.name, { alias: formatDeviceNote(note) });
    } else {
      this.#unwritten.set(device.name, note);
    }
  }

  /** The parameters before the first device of a base; later ones see them changed already. */
  #noteFor(base: Link, links: readonly Link[], adopted: boolean): DeviceNote {
    const earlier = this.#noted(links).find(({ note }) => note.base === base.name);
    if (earlier !== undefined) return { ...earlier.note, adopted };
    const read = (parameter: BaseParameter) => Number(readSysctl(ipv4Name(base.name, parameter)));
    const before = { arp_ignore: read('arp_ignore'), arp_announce: read('arp_announce') };
    return { adopted, base: base.name, before };
  }

  #noted(links: readonly Link[]): readonly { readonly link: Link; readonly note: DeviceNote }[] {
    return links.flatMap((link) => {
      const note = parseDeviceNote(link.alias) ?? this.#unwritten.get(link.name);
      return note === undefined || link.kind !== 'macvlan' ? [] : [{ link, note }];
    });
  }

  #remove(link: Link, note: DeviceNote): void {
    if (!note.adopted) this.#routes.deleteLink(link.name);
    else if (!this.#unwritten.delete(link.name)) this.#routes.setLink(link.name, { alias: '' });
  }
}

/** The macvlan of a router, if it has one. */
export function hasVirtualMac(router: VirtualRouterSpec): router is VirtualMacRouter {
  return router.virtualMac !== undefined;
}

/** A device that only happens to have the name must not be turned into another. */
function requireFitting(present: Link, base: Link, macAddress: Uint8Array): void {
  const { name, macvlan } = present;
  const wanted = `a macvlan on ${base.name} with MAC address ${formatMacAddress(macAddress)}`;
  const refuse = (what: string) => {
    throw new TandemError('INTERFACE_UNUSABLE', `${name} ${what}, and not ${wanted}`, {
      hint: 'Name another device in `virtualMac.interface`, or remove this one.',
    });
  };
  if (macvlan === undefined) refuse(`is ${present.kind ?? 'hardware'}`);
  else if (macvlan.parentIndex !== base.index) refuse('is a macvlan on another interface');
  else if (macvlan.mode === 'passthru') refuse('is a macvlan in passthru mode');
  else if (Buffer.compare(present.macAddress, macAddress) !== 0) {
    refuse(`has MAC address ${formatMacAddress(present.macAddress)}`);
  }
}

/** The kernel lets only one of two macvlans with one MAC address come up on a base. */
function refuseSecondDevice(
  links: readonly Link[],
  base: Link,
  macAddress: Uint8Array,
  wanted: string,
): void {
  const other = links.find(
    (link) =>
      link.macvlan?.parentIndex === base.index && Buffer.compare(link.macAddress, macAddress) === 0,
  );
  if (other === undefined) return;
  throw new TandemError(
    'INTERFACE_UNUSABLE',
    `${other.name} has the virtual MAC address on ${base.name}, so ${wanted} cannot have it`,
    { hint: `Adopt it with \`virtualMac.interface: ${other.name}\`, or remove it.` },
  );
}

function restoreBase({ base, before }: DeviceNote): void {
  for (const parameter of baseParameters) {
    try {
      writeSysctl(ipv4Name(base, parameter), before[parameter]);
    } catch (error) {
      // The base may be gone, and its parameters with it.
      if (!(error instanceof TandemError && error.errnoName === 'ENOENT')) throw error;
    }
  }
}

/** Raises parameters; a greater value is stricter already. */
function setParameters(name: string, values: Readonly<Record<string, number>>): void {
  for (const [parameter, value] of Object.entries(values)) {
    const path = ipv4Name(name, parameter);
    if (Number(readSysctl(path)) < value) writeSysctl(path, value);
  }
}

function setIpv6Parameters(name: string): void {
  for (const [parameter, value] of Object.entries(deviceIpv6Parameters)) {
    try {
      writeSysctl(`net.ipv6.conf.${name.replaceAll('.', '/')}.${parameter}`, value);
    } catch (error) {
      // A kernel without IPv6 has none of them.
      if (!(error instanceof TandemError && error.errnoName === 'ENOENT')) throw error;
    }
  }
}

function ipv4Name(interfaceName: string, parameter: string): string {
  return `net.ipv4.conf.${interfaceName.replaceAll('.', '/')}.${parameter}`;
}
