/**
 * The network of a lab: one namespace per node, and one more with a bridge per network, so that
 * nothing of the machine's own network is touched.
 */

import { TandemError } from '../errors.js';
import {
  createNetworkNamespace,
  type NetworkNamespace,
  openNetworkNamespace,
} from '../kernel/networkNamespace.js';
import { openRouteNetlink, type RouteNetlink } from '../kernel/routeNetlink.js';
import { writeSysctl } from '../kernel/sysctl.js';
import { formatMacAddress } from '../wire/ethernet.js';
import { familyOf, formatIpPrefix, type IpFamily, type IpPrefix } from '../wire/ipAddress.js';
import type { Topology, TopologyNode } from './topology.js';

/** The namespace that holds the bridges. */
const fabricName = 'fabric';

/** Names of all namespaces of a lab. */
export function namespaceNames(topology: Topology, labId: string): readonly string[] {
  return [fabricName, ...topology.nodes.map((node) => node.name)].map((node) =>
    namespaceName(labId, node),
  );
}

/** The namespace of one node, unique on the machine. */
export function namespaceName(labId: string, node: string): string {
  return `tandem-${labId}-${node}`;
}

/** Removes namespaces by name, as far as they exist. Links and bridges end with them. */
export function removeNamespaces(names: readonly string[]): void {
  for (const name of names) {
    try {
      openNetworkNamespace(name).remove();
    } catch {
      // It does not exist, which is what was wanted.
    }
  }
}

/** A lab's network while it is up. */
export class LabNetwork {
  readonly #topology: Topology;
  readonly #labId: string;
  readonly #namespaces = new Map<string, NetworkNamespace>();

  /** Builds it, or removes what was built so far and throws. */
  constructor(topology: Topology, labId: string) {
    this.#topology = topology;
    this.#labId = labId;
    try {
      this.#build();
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  #build(): void {
    const fabric = this.#create(fabricName);
    withRouteNetlink(fabric, (netlink) => {
      for (const network of this.#topology.networks) {
        netlink.createBridge(network);
        netlink.setLink(network, { up: true });
      }
    });
    for (const node of this.#topology.nodes) this.#buildNode(fabric, node);
  }

  #create(node: string): NetworkNamespace {
    const namespace = createNetworkNamespace(namespaceName(this.#labId, node));
    this.#namespaces.set(node, namespace);
    namespace.run(() => {
      if (node !== fabricName && usesIpv6(this.#topology)) {
        for (const which of ['all', 'default']) {
          // Addresses are usable at once, and there are no others than those of the topology.
          writeSysctl(`net.ipv6.conf.${which}.accept_dad`, '0');
          writeSysctl(`net.ipv6.conf.${which}.addr_gen_mode`, '1');
          writeSysctl(`net.ipv6.conf.${which}.accept_ra`, '0');
        }
        return;
      }
      // Neighbour discovery would only cost time.
      writeSysctlIfPresent('net.ipv6.conf.all.disable_ipv6', '1');
      writeSysctlIfPresent('net.ipv6.conf.default.disable_ipv6', '1');
    });
    return namespace;
  }

  #buildNode(fabric: NetworkNamespace, node: TopologyNode): void {
    const namespace = this.#create(node.name);
    withRouteNetlink(fabric, (netlink) => {
      for (const link of node.interfaces) {
        const port = portName(node.name, link.network);
        netlink.createVeth({
          name: port,
          peerName: link.name,
          peerNamespaceFd: namespace.fd,
        });
        netlink.setLink(port, { masterName: link.network, up: true });
      }
    });
    withRouteNetlink(namespace, (netlink) => {
      for (const [name, value] of Object.entries(node.sysctls)) writeSysctl(name, value);
      for (const link of node.interfaces) {
        netlink.setLink(link.name, { up: true });
        const interfaceIndex = indexOf(netlink, link.name);
        addAddresses(netlink, interfaceIndex, link.addresses);
      }
      if (node.gateway !== undefined) {
        netlink.addRoute({ destination: 'default', gateway: node.gateway });
      }
    });
  }

  /** The namespace of a node. */
  namespace(node: string): NetworkNamespace {
    const namespace = this.#namespaces.get(node);
    if (namespace === undefined) {
      const names = this.#topology.nodes.map(({ name }) => name).join(', ');
      throw new TandemError('LAB_FAILED', `the lab has no node ${node}`, {
        hint: `Its nodes are: ${names}.`,
      });
    }
    return namespace;
  }

  /** Pulls or plugs every cable of a node, at the switch. */
  setLinks(node: string, up: boolean): void {
    const interfaces = this.#topology.nodes.find(({ name }) => name === node)?.interfaces ?? [];
    withRouteNetlink(this.namespace(fabricName), (netlink) => {
      for (const link of interfaces) netlink.setLink(portName(node, link.network), { up });
    });
  }

  /** Whether every cable of a node is plugged. */
  isConnected(node: string): boolean {
    const interfaces = this.#topology.nodes.find(({ name }) => name === node)?.interfaces ?? [];
    return withRouteNetlink(this.namespace(fabricName), (netlink) =>
      interfaces.every((link) => netlink.link(portName(node, link.network))?.up === true),
    );
  }

  /** The addresses of a family that a node has at this moment. */
  addresses(node: string, family: IpFamily = 4): readonly IpPrefix[] {
    return withRouteNetlink(this.namespace(node), (netlink) =>
      netlink.addresses({ family }).map(({ prefix }) => prefix),
    );
  }

  /** The MAC address of a node in a network. */
  macAddress(node: string, network: string): string {
    const interfaces = this.#topology.nodes.find(({ name }) => name === node)?.interfaces ?? [];
    const link = interfaces.find((candidate) => candidate.network === network)?.name ?? '';
    return withRouteNetlink(this.namespace(node), (netlink) =>
      formatMacAddress(netlink.link(link)?.macAddress ?? new Uint8Array()),
    );
  }

  /** Runs synchronous code where every frame of a network passes, with the bridge's index. */
  atNetwork<T>(network: string, run: (bridgeIndex: number) => T): T {
    return withRouteNetlink(this.namespace(fabricName), (netlink) =>
      run(indexOf(netlink, network)),
    );
  }

  /** Removes all of it. Can be called again. */
  remove(): void {
    for (const [node, namespace] of [...this.#namespaces]) {
      namespace.remove();
      this.#namespaces.delete(node);
    }
  }
}

function usesIpv6({ nodes }: Topology): boolean {
  return nodes.some(({ interfaces }) =>
    interfaces.some(({ addresses }) => addresses.some(({ address }) => familyOf(address) === 6)),
  );
}

function portName(node: string, network: string): string {
  return `${node}-${network}`;
}

function indexOf(netlink: RouteNetlink, name: string): number {
  const link = netlink.link(name);
  if (link === undefined) throw new TandemError('LAB_FAILED', `the link ${name} was not made`);
  return link.index;
}

function addAddresses(
  netlink: RouteNetlink,
  interfaceIndex: number,
  addresses: readonly IpPrefix[],
): void {
  const results = netlink.changeAddresses(
    addresses.map((prefix) => ({ action: 'add', interfaceIndex, prefix })),
  );
  for (const [index, error] of results.entries()) {
    if (error === undefined) continue;
    const prefix = addresses[index];
    const text = prefix === undefined ? '' : formatIpPrefix(prefix);
    throw new TandemError('LAB_FAILED', `address ${text}: ${error.message}`, { cause: error });
  }
}

function withRouteNetlink<T>(namespace: NetworkNamespace, use: (netlink: RouteNetlink) => T): T {
  return namespace.run(() => {
    const netlink = openRouteNetlink();
    try {
      return use(netlink);
    } finally {
      netlink.close();
    }
  });
}

function writeSysctlIfPresent(name: string, value: string): void {
  try {
    writeSysctl(name, value);
  } catch {
    // The kernel has no such setting, so there is nothing to switch off.
  }
}
