/** What a real server needs so that it serves a virtual address that a director holds. Pure. */
import type { ServiceConfig } from '../config/model.js';
import { bitsOf, familyOf, type IpAddress, type IpPrefix } from '../wire/ipAddress.js';
import type { SettingChange } from './settings.js';

/** How the director reaches the server; with address translation a server needs nothing. */
export const realServerModes = ['dr', 'tunnel'] as const;

/** A name of {@link realServerModes}. */
export type RealServerMode = (typeof realServerModes)[number];

/** A device that takes packets out of their tunnel. */
export interface TunnelDevice {
  readonly name: 'tunl0' | 'ip6tnl0';
  readonly kind: 'ipip' | 'ip6tnl';
  /** The module that has it. */
  readonly module: 'ipip' | 'ip6_tunnel';
}

/** A virtual address, alone in its network, and the device that has it. */
export interface PlacedAddress {
  readonly device: 'lo' | 'tunl0';
  readonly prefix: IpPrefix;
}

/** All that is needed. */
export interface RealServerPlan {
  readonly mode: RealServerMode;
  readonly addresses: readonly PlacedAddress[];
  readonly tunnels: readonly TunnelDevice[];
  readonly settings: readonly SettingChange[];
}

/** The plan for virtual addresses and a mode. */
export function realServerPlan(
  mode: RealServerMode,
  virtual: readonly IpAddress[],
): RealServerPlan {
  const families = new Set(virtual.map(familyOf));
  const tunnels: readonly TunnelDevice[] = [
    ...(families.has(4) ? [{ name: 'tunl0', kind: 'ipip', module: 'ipip' } as const] : []),
    ...(families.has(6)
      ? [{ name: 'ip6tnl0', kind: 'ip6tnl', module: 'ip6_tunnel' } as const]
      : []),
  ];
  return {
    mode,
    addresses: virtual.map((address) => ({
      device: mode === 'tunnel' && familyOf(address) === 4 ? 'tunl0' : 'lo',
      prefix: { address, length: bitsOf(familyOf(address)) },
    })),
    tunnels: mode === 'tunnel' ? tunnels : [],
    // IPv6 answers a solicitation only for addresses of the interface that heard it.
    settings: families.has(4) ? [...quietArp, ...(mode === 'tunnel' ? [looseTunnel] : [])] : [],
  };
}

/** The virtual addresses that the services of a configuration have on one of their servers. */
export function virtualAddressesOn(
  services: readonly ServiceConfig[],
  server: IpAddress,
  mode: RealServerMode,
): readonly IpAddress[] {
  const found = services
    .filter(({ servers }) =>
      servers.some(({ address, forwarding }) => address === server && forwarding === mode),
    )
    .flatMap(({ listeners, marks }) => [
      ...listeners.flatMap((one) => (one.kind === 'address' ? [one.address] : [])),
      ...(marks ?? []).map(({ address }) => address),
    ]);
  return [...new Set(found)];
}

/** ARP for an address of `lo` is neither answered nor asked from (ip-sysctl.rst, arp_ignore). */
const quietArp: readonly SettingChange[] = [
  { setting: 'net.ipv4.conf.all.arp_ignore', accepted: ['1', '2'], wanted: '1' },
  { setting: 'net.ipv4.conf.all.arp_announce', accepted: ['2'], wanted: '2' },
];

/**
 * The larger of `all` and the device counts, and 2 is larger than the strict 1. On a device without
 * an IPv4 address even 2 drops what comes in (fib_validate_source), so `tunl0` has the virtual one.
 */
const looseTunnel: SettingChange = {
  setting: 'net.ipv4.conf.tunl0.rp_filter',
  accepted: ['2'],
  wanted: '2',
};
