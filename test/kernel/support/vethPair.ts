/** Two network namespaces joined by a cable. */
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import {
  createNetworkNamespace,
  type NetworkNamespace,
} from '../../../src/kernel/networkNamespace.js';
import { openRouteNetlink, type RouteNetlink } from '../../../src/kernel/routeNetlink.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

/** One end of the cable; its link is named `eth0`, is up and has one address. */
export interface VethEnd {
  readonly namespace: NetworkNamespace;
  readonly netlink: RouteNetlink;
  readonly interfaceIndex: number;
  readonly address: ReturnType<typeof ipAddress>;
}

/** A namespace with a name of its own, removed when the test ends. */
export function temporaryNamespace(context: TestContext): NetworkNamespace {
  const namespace = createNetworkNamespace(`tandem-test-${randomBytes(4).toString('hex')}`);
  context.after(() => namespace.remove());
  return namespace;
}

/** Joins two new namespaces; everything is gone when the test ends. */
export function vethPair(context: TestContext): { left: VethEnd; right: VethEnd } {
  const leftNamespace = temporaryNamespace(context);
  const rightNamespace = temporaryNamespace(context);
  const leftNetlink = leftNamespace.run(openRouteNetlink);
  const rightNetlink = rightNamespace.run(openRouteNetlink);
  context.after(() => {
    leftNetlink.close();
    rightNetlink.close();
  });
  addCable(leftNetlink, rightNamespace, rightNetlink, 'eth0');
  return {
    left: configure(leftNamespace, leftNetlink, '192.0.2.1'),
    right: configure(rightNamespace, rightNetlink, '192.0.2.2'),
  };
}

/** Adds a cable whose ends have one name in both namespaces, both up. */
export function addCable(
  left: RouteNetlink,
  rightNamespace: NetworkNamespace,
  right: RouteNetlink,
  name: string,
): void {
  left.createVeth({ name, peerName: name, peerNamespaceFd: rightNamespace.fd });
  left.setLink(name, { up: true });
  right.setLink(name, { up: true });
}

/** The index of a link that must be there. */
export function indexOf(netlink: RouteNetlink, name: string): number {
  const link = netlink.link(name);
  if (link === undefined) throw new Error(`no link ${name}`);
  return link.index;
}

function configure(namespace: NetworkNamespace, netlink: RouteNetlink, text: string): VethEnd {
  const interfaceIndex = indexOf(netlink, 'eth0');
  const address = ipAddress(text);
  const [error] = netlink.changeAddresses([
    { action: 'add', interfaceIndex, prefix: { address, length: 24 } },
  ]);
  if (error !== undefined) throw error;
  return { namespace, netlink, interfaceIndex, address };
}
