/** What a real server needs so that it serves a virtual address that a director holds. Pure. */
import type { ServerConfig, ServiceConfig } from '../config/model.js';
import type { GuePort } from '../kernel/guePorts.js';
import type { LocalTunnelKind, TunnelKind } from '../kernel/routeModel.js';
import {
  bitsOf,
  familyOf,
  type IpAddress,
  type IpFamily,
  type IpPrefix,
} from '../wire/ipAddress.js';
import { sameEncapsulation } from '../wire/ipvsEquality.js';
import type { TunnelEncapsulation } from '../wire/ipvsModel.js';
import type { SettingChange } from './settings.js';

/** How the director reaches the server; with address translation a server needs nothing. */
export const realServerModes = ['dr', 'tunnel'] as const;

/** A name of {@link realServerModes}. */
export type RealServerMode = (typeof realServerModes)[number];

/** A device that takes packets out of their tunnel. */
export type TunnelDevice = {
  readonly name: string;
  /** The module that has it. */
  readonly module: 'ipip' | 'sit' | 'ip6_tunnel' | 'ip_gre' | 'ip6_gre';
} & (
  | {
      /** It comes with its module, and takes every packet of its kind. */
      readonly kind: Exclude<TunnelKind, 'ip6tnl'>;
      readonly local?: never;
    }
  | {
      /** It is made and removed; `local` is the address that packets come to. */
      readonly kind: LocalTunnelKind;
      readonly local: IpAddress;
    }
);

/** A virtual address, alone in its network, and the device that has it. */
export interface PlacedAddress {
  /** `lo`, or a {@link TunnelDevice}. */
  readonly device: string;
  readonly prefix: IpPrefix;
}

/** All that is needed. */
export interface RealServerPlan {
  readonly mode: RealServerMode;
  readonly addresses: readonly PlacedAddress[];
  readonly tunnels: readonly TunnelDevice[];
  /** UDP ports at which GUE tunnels end. */
  readonly ports: readonly GuePort[];
  readonly settings: readonly SettingChange[];
}

/** What comes to a server through tunnels. */
export interface TunnelReception {
  /** How packets are wrapped; absent: IP in IP. */
  readonly encapsulation?: TunnelEncapsulation;
  /** The server's own address, which they come to. Absent: one of the virtual address's family. */
  readonly server?: IpAddress;
}

/**
 * The plan for virtual addresses and a mode. Throws `RangeError` for GRE with checksums, and for
 * IP in IPv6, without the server's address.
 */
export function realServerPlan(
  mode: RealServerMode,
  virtual: readonly IpAddress[],
  reception: TunnelReception = {},
): RealServerPlan {
  const placed = virtual.map((address): { readonly prefix: IpPrefix } & Partial<Receiver> => {
    const prefix = { address, length: bitsOf(familyOf(address)) };
    return mode === 'tunnel' ? { prefix, ...receiverOf(familyOf(address), reception) } : { prefix };
  });
  const ipv4 = placed.filter(({ prefix }) => familyOf(prefix.address) === 4);
  return {
    mode,
    addresses: placed.map(({ prefix, tunnel }) => ({
      device: tunnel === undefined || familyOf(prefix.address) === 6 ? 'lo' : tunnel.name,
      prefix,
    })),
    tunnels: distinct(placed.flatMap(({ tunnel }) => tunnel ?? [])),
    ports: distinct(placed.flatMap(({ port }) => port ?? [])),
    // IPv6 answers a solicitation only for addresses of the interface that heard it.
    settings:
      ipv4.length === 0
        ? []
        : [...quietArp, ...distinct(ipv4.flatMap(({ tunnel }) => tunnel ?? [])).map(looseTunnel)],
  };
}

/** The device, and the port before it, that take packets out of a tunnel. */
interface Receiver {
  readonly tunnel: TunnelDevice;
  readonly port?: GuePort;
}

function receiverOf(inner: IpFamily, { encapsulation, server }: TunnelReception): Receiver {
  const outer = server === undefined ? inner : familyOf(server);
  if (encapsulation?.type === 'gre') {
    if (encapsulation.checksum === 'none') return { tunnel: greDevices[outer] };
    if (server === undefined) throw new RangeError('GRE with checksums needs an address to end at');
    return { tunnel: { ...checksummedGreDevices[outer], local: server } };
  }
  let tunnel: TunnelDevice = inner === 6 ? plainDevices.ipv6InIpv4 : plainDevices.ipv4;
  if (outer === 6) {
    if (server === undefined) throw new RangeError('IP in IPv6 needs an address to end at');
    tunnel = { ...plainDevices.ipv6, local: server };
  }
  if (encapsulation === undefined) return { tunnel };
  return { tunnel, port: { family: outer, port: encapsulation.port } };
}

/**
 * What takes IP out of IP, and what GUE hands on. The device that comes with `ip6_tunnel` takes
 * nothing that comes to an address which it was not told (ip6_tunnel.c, ip6_tnl_rcv_ctl).
 */
const plainDevices = {
  ipv4: { name: 'tunl0', kind: 'ipip', module: 'ipip' },
  ipv6InIpv4: { name: 'sit0', kind: 'sit', module: 'sit' },
  ipv6: { name: 'tandem-ip6tnl', kind: 'ip6tnl', module: 'ip6_tunnel' },
} as const;

/** They take what carries neither a key nor a checksum. */
const greDevices = {
  4: { name: 'gre0', kind: 'gre', module: 'ip_gre' },
  6: { name: 'ip6gre0', kind: 'ip6gre', module: 'ip6_gre' },
} as const;

/** The kernel drops what carries a checksum where the device has not asked for one. */
const checksummedGreDevices = {
  4: { name: 'tandem-gre', kind: 'gre', module: 'ip_gre' },
  6: { name: 'tandem-gre6', kind: 'ip6gre', module: 'ip6_gre' },
} as const;

/** The plans for one of the servers of a configuration: for each way that packets come to it. */
export function realServerPlansOf(
  services: readonly ServiceConfig[],
  server: IpAddress,
): readonly RealServerPlan[] {
  const direct = virtualAddressesOn(services, server, 'dr');
  return [
    ...(direct.length === 0 ? [] : [realServerPlan('dr', direct)]),
    ...tunnelsTo(services, server).map((encapsulation) =>
      realServerPlan(
        'tunnel',
        virtualAddressesOn(services, server, 'tunnel', (each) =>
          sameEncapsulation(each.encapsulation, encapsulation),
        ),
        { server, ...(encapsulation === undefined ? {} : { encapsulation }) },
      ),
    ),
  ];
}

/** How the services of a configuration wrap packets for one of their servers, each way once. */
export function tunnelsTo(
  services: readonly ServiceConfig[],
  server: IpAddress,
): readonly (TunnelEncapsulation | undefined)[] {
  const entries = services.flatMap(({ servers }) => servers);
  return distinct(
    entries
      .filter(({ address, forwarding }) => address === server && forwarding === 'tunnel')
      .map(({ encapsulation }) => encapsulation),
  );
}

/** The virtual addresses that the services of a configuration have on one of their servers. */
export function virtualAddressesOn(
  services: readonly ServiceConfig[],
  server: IpAddress,
  mode: RealServerMode,
  isMeant: (entry: ServerConfig) => boolean = () => true,
): readonly IpAddress[] {
  const found = services
    .filter(({ servers }) =>
      servers.some(
        (entry) => entry.address === server && entry.forwarding === mode && isMeant(entry),
      ),
    )
    .flatMap(({ listeners, marks }) => [
      ...listeners.flatMap((one) => (one.kind === 'address' ? [one.address] : [])),
      ...(marks ?? []).map(({ address }) => address),
    ]);
  return [...new Set(found)];
}

/** Several plans of one server as one, in the mode of the first. */
export function joinedPlan(plans: readonly [RealServerPlan, ...RealServerPlan[]]): RealServerPlan {
  return {
    mode: plans[0].mode,
    addresses: distinct(plans.flatMap(({ addresses }) => addresses)),
    tunnels: distinct(plans.flatMap(({ tunnels }) => tunnels)),
    ports: distinct(plans.flatMap(({ ports }) => ports)),
    settings: distinct(plans.flatMap(({ settings }) => settings)),
  };
}

/** Values that are written alike are one; each of these is made in one place. */
function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/** ARP for an address of `lo` is neither answered nor asked from (ip-sysctl.rst, arp_ignore). */
const quietArp: readonly SettingChange[] = [
  { setting: 'net.ipv4.conf.all.arp_ignore', accepted: ['1', '2'], wanted: '1' },
  { setting: 'net.ipv4.conf.all.arp_announce', accepted: ['2'], wanted: '2' },
];

/**
 * The larger of `all` and the device counts, and 2 is larger than the strict 1. On a device without
 * an IPv4 address even 2 drops what comes in (fib_validate_source), so it has the virtual one.
 */
function looseTunnel({ name }: TunnelDevice): SettingChange {
  return { setting: `net.ipv4.conf.${name}.rp_filter`, accepted: ['2'], wanted: '2' };
}
