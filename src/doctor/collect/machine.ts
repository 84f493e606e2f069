/** Collects what every machine has: settings, links, addresses, routes and firewall rules. */
import { listFirewalls } from '../../kernel/firewallListing.js';
import { readNetworkCounter } from '../../kernel/networkCounters.js';
import { openRouteNetlink } from '../../kernel/routeNetlink.js';
import { openRouteTableReader } from '../../kernel/routeTable.js';
import { readSysctl } from '../../kernel/sysctl.js';
import { formatMacAddress } from '../../wire/ethernet.js';
import type { MachineFacts, NetworkFacts, RouteFact } from '../facts.js';
import { chainsOf } from '../firewall/chains.js';

/** The main routing table (rtnetlink.h, RT_TABLE_MAIN). */
const mainTable = 254;

/** Settings of the whole machine that findings are about. */
const machineSettings = [
  'net.ipv4.ip_forward',
  'net.ipv6.conf.all.forwarding',
  'net.ipv4.vs.conntrack',
  'net.ipv4.vs.expire_quiescent_template',
  'net.ipv4.vs.backup_only',
  'net.ipv4.vs.sync_version',
  'net.ipv4.vs.sync_threshold',
  'net.ipv4.vs.sync_refresh_period',
  'net.ipv4.vs.sync_persist_mode',
  'net.ipv4.vs.sync_ports',
  'net.ipv4.vs.sloppy_tcp',
] as const;

const linkSettings = ['rp_filter', 'arp_ignore', 'arp_announce'] as const;

/** Counts packets that the reverse path filter dropped, from now until it is called. */
export function watchReversePathDrops(): () => MachineFacts['reversePathDrops'] {
  const read = (): number => readNetworkCounter('TcpExt', 'IPReversePathFilter') ?? 0;
  const before = read();
  return () => {
    const total = read();
    return { total, now: total - before };
  };
}

/** Collects everything but the drops, which take a while. */
export async function collectMachine(
  network: NetworkFacts = collectNetwork(),
): Promise<Omit<MachineFacts, 'reversePathDrops'>> {
  const { listings, failures } = await listFirewalls();
  return {
    ...network,
    settings: readSettings(network.links.map(({ name }) => name)),
    chains: chainsOf(listings),
    notLookedAt: failures.map((failure) => `firewall rules: ${failure}`),
  };
}

/** Links, addresses and routes. */
export function collectNetwork(): NetworkFacts {
  const netlink = openRouteNetlink();
  const tables = openRouteTableReader();
  try {
    const links = netlink.links();
    const names = new Map(links.map(({ index, name }) => [index, name]));
    const nameOf = (index: number | undefined): { interface?: string } => {
      const name = index === undefined ? undefined : names.get(index);
      return name === undefined ? {} : { interface: name };
    };
    return {
      links: links.map(({ name, index, up, running, mtu, macAddress }) => ({
        name,
        index,
        up,
        running,
        mtu,
        macAddress: formatMacAddress(macAddress),
      })),
      addresses: netlink.addresses().map(({ interfaceIndex, prefix }) => ({
        interface: '',
        ...nameOf(interfaceIndex),
        prefix,
      })),
      routes: ([4, 6] as const)
        .flatMap((family) => tables.routes(family, mainTable))
        .flatMap(({ destination, hops }) =>
          hops.map(
            ({ gateway, interfaceIndex }): RouteFact => ({
              destination,
              ...(gateway === undefined ? {} : { gateway }),
              ...nameOf(interfaceIndex),
            }),
          ),
        ),
    };
  } finally {
    netlink.close();
    tables.close();
  }
}

function readSettings(links: readonly string[]): Readonly<Record<string, string>> {
  const names = [
    ...machineSettings,
    ...['all', ...links.map((name) => name.replaceAll('.', '/'))].flatMap((link) =>
      linkSettings.map((setting) => `net.ipv4.conf.${link}.${setting}`),
    ),
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      try {
        return [[name, readSysctl(name)]];
      } catch {
        // The kernel does not have it, or its module is not loaded.
        return [];
      }
    }),
  );
}
