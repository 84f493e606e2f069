/**
 * The network that daemons are compared on: a client and two directors on one Ethernet, each in a
 * network namespace of its own.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabNetwork, namespaceName } from '../../src/drill/labNetwork.js';
import { natTopology } from '../../src/drill/natTopologies.js';
import { onProcessEnd } from '../../src/drill/processEnd.js';
import type { Topology, TopologyNode } from '../../src/drill/topology.js';
import type { NetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { openRouteNetlink } from '../../src/kernel/routeNetlink.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { formatMacAddress } from '../../src/wire/ethernet.js';
import {
  familyOf,
  type IpAddress,
  type IpFamily,
  type IpPrefix,
  ipAddress,
} from '../../src/wire/ipAddress.js';

/** The two directors. */
export const directors = ['lb1', 'lb2'] as const;

/** One of {@link directors}. */
export type DirectorName = (typeof directors)[number];

/** Any node of the network. */
export type LanNode = DirectorName | 'client';

/** Each node's own address. That of lb2 is the higher one, which decides between equals. */
export const nodeAddresses = {
  client: ipAddress('192.0.2.10'),
  lb1: ipAddress('192.0.2.101'),
  lb2: ipAddress('192.0.2.102'),
} as const satisfies Record<LanNode, IpAddress>;

/** The address that moves. */
export const virtualAddress = ipAddress('192.0.2.100');

/** Each director's own addresses of IPv6, on a network that has it. */
export const ipv6NodeAddresses = {
  lb1: { linkLocal: ipAddress('fe80::101'), global: ipAddress('2001:db8::101') },
  lb2: { linkLocal: ipAddress('fe80::102'), global: ipAddress('2001:db8::102') },
} as const satisfies Record<DirectorName, Readonly<Record<'linkLocal' | 'global', IpAddress>>>;

/** The address of IPv6 that moves. */
export const ipv6VirtualAddress = ipAddress('2001:db8::100');

/** The other director. */
export function peerOf(node: DirectorName): DirectorName {
  return node === 'lb1' ? 'lb2' : 'lb1';
}

/** The name of a director by its address. */
export function directorAt(address: IpAddress): DirectorName | undefined {
  return directors.find((node) => nodeAddresses[node] === address);
}

const network = 'lan';
/** An Ethernet with nothing on it, for a node that is cut off without noticing. */
const emptyNetwork = 'apart';
const prefixLength = 24;
const ipv6PrefixLength = 64;

// Networks and nodes are all that the network is built from; there is no balancing here.
const topology: Topology = {
  ...natTopology,
  networks: [network, emptyNetwork],
  serviceNetwork: network,
  nodes: [node('client', 'client'), node('lb1', 'director'), node('lb2', 'director')],
};

/** The network while it is up. */
export class Lan {
  readonly id = `lan-${randomBytes(3).toString('hex')}`;
  /** For the files of the daemons; goes away with the network. */
  readonly folder: string;
  readonly network: LabNetwork;
  readonly #forget: () => boolean;

  /** The address whose holder is of interest. */
  readonly virtualAddress: IpAddress;

  /** Builds it. With IPv6 the directors have addresses of that as well, and one of that moves. */
  constructor(family: IpFamily = 4) {
    this.virtualAddress = family === 4 ? virtualAddress : ipv6VirtualAddress;
    this.folder = mkdtempSync(join(tmpdir(), `tandem-${this.id}-`));
    try {
      this.network = new LabNetwork(topology, this.id);
    } catch (error) {
      rmSync(this.folder, { recursive: true, force: true });
      throw error;
    }
    this.#forget = onProcessEnd(() => this.#remove());
    if (family === 6) for (const name of directors) this.#enableIpv6(name);
  }

  /** Its own addresses and no others, all usable at once. */
  #enableIpv6(name: DirectorName): void {
    this.namespace(name).run(() => {
      writeSysctl('net.ipv6.conf.eth0.accept_dad', '0');
      writeSysctl('net.ipv6.conf.eth0.addr_gen_mode', '1');
      for (const which of ['default', 'all', 'eth0']) {
        writeSysctl(`net.ipv6.conf.${which}.disable_ipv6`, '0');
      }
      const netlink = openRouteNetlink();
      try {
        const interfaceIndex = netlink.link('eth0')?.index ?? 0;
        const { linkLocal, global } = ipv6NodeAddresses[name];
        const prefixes = [linkLocal, global].map((address) => ({
          address,
          length: ipv6PrefixLength,
        }));
        const failures = netlink.changeAddresses(
          prefixes.map((prefix) => ({ action: 'add', interfaceIndex, prefix })),
        );
        for (const failure of failures) if (failure !== undefined) throw failure;
      } finally {
        netlink.close();
      }
    });
  }

  /** Every address that is a director's own. */
  ownAddresses(name: DirectorName): readonly IpAddress[] {
    return [nodeAddresses[name], ...Object.values(ipv6NodeAddresses[name])];
  }

  /** The namespace of a node. */
  namespace(name: LanNode): NetworkNamespace {
    return this.network.namespace(name);
  }

  /** The name by which a worker thread opens the namespace of a node. */
  namespaceName(name: LanNode): string {
    return namespaceName(this.id, name);
  }

  /** The directors that have an address at this moment: one of them, if all is well. */
  holders(address: IpAddress = this.virtualAddress): readonly DirectorName[] {
    return directors.filter((name) => this.hasAddress(name, address));
  }

  /** Whether a node has an address at this moment. */
  hasAddress(name: LanNode, address: IpAddress): boolean {
    const addresses = this.network.addresses(name, familyOf(address));
    return addresses.some((prefix) => prefix.address === address);
  }

  /** The MAC address of a node, as adverts and gratuitous ARPs carry it. */
  macAddress(name: LanNode): string {
    return this.namespace(name).run(() => {
      const netlink = openRouteNetlink();
      try {
        return formatMacAddress(netlink.link('eth0')?.macAddress ?? new Uint8Array(6));
      } finally {
        netlink.close();
      }
    });
  }

  /** Pulls or plugs the cable of a node. The node sees that its link is down. */
  setLink(name: LanNode, up: boolean): void {
    this.network.setLinks(name, up);
  }

  /** Moves a node to an empty Ethernet, or back. Its link stays up, so it notices nothing. */
  setApart(name: LanNode, apart: boolean): void {
    this.network.atNetwork(network, () => {
      const netlink = openRouteNetlink();
      try {
        netlink.setLink(`${name}-${network}`, { masterName: apart ? emptyNetwork : network });
      } finally {
        netlink.close();
      }
    });
  }

  /** Takes an address off a director, whoever has left it there. */
  removeAddress(name: DirectorName, address: IpAddress): void {
    this.namespace(name).run(() => {
      const netlink = openRouteNetlink();
      try {
        const left = netlink.addresses().filter(({ prefix }) => prefix.address === address);
        netlink.changeAddresses(left.map((entry) => ({ action: 'delete', ...entry })));
      } finally {
        netlink.close();
      }
    });
  }

  /** Takes everything but its own address off a director, whoever has left it there. */
  removeVirtualAddresses(name: DirectorName): void {
    this.namespace(name).run(() => {
      const netlink = openRouteNetlink();
      try {
        const interfaceIndex = netlink.link('eth0')?.index;
        const left = netlink
          .addresses({ family: 4 })
          .filter((entry) => entry.interfaceIndex === interfaceIndex)
          .filter(({ prefix }) => prefix.address !== nodeAddresses[name]);
        netlink.changeAddresses(left.map((entry) => ({ action: 'delete', ...entry })));
      } finally {
        netlink.close();
      }
    });
  }

  /** Removes all of it. Daemons must have ended. */
  remove(): void {
    if (this.#forget()) this.#remove();
  }

  #remove(): void {
    this.network.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The virtual address as the daemons put it on their interface. */
export const virtualPrefix: IpPrefix = { address: virtualAddress, length: prefixLength };

/** Those of IPv6: the link-local one comes first in adverts (RFC 9568, 5.2.9). */
export const ipv6VirtualPrefixes: readonly IpPrefix[] = [
  ipAddress('fe80::100'),
  ipv6VirtualAddress,
].map((address) => ({ address, length: ipv6PrefixLength }));

function node(name: LanNode, role: TopologyNode['role']): TopologyNode {
  const prefix = { address: nodeAddresses[name], length: prefixLength };
  return {
    name,
    role,
    interfaces: [{ name: 'eth0', network, addresses: [prefix] }],
    sysctls: {},
  };
}
