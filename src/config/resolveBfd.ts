/** From `bfd` without errors to the sessions as one node runs them. */
import type { IpAddress } from '../wire/ipAddress.js';
import type { BfdSessionConfig, NodeConfig } from './model.js';
import type { BfdPeer } from './schema/bfdDefinition.js';
import { onNode } from './schema/containerTypes.js';
import type { RootComplete } from './schema/rootDefinition.js';

/** The sessions of a node. */
export function resolveBfd(
  root: RootComplete,
  node: NodeConfig,
  nodes: readonly NodeConfig[],
): readonly BfdSessionConfig[] {
  return root.bfd.flatMap((session) => {
    const given = session.peer === undefined ? undefined : onNode(session.peer, node.name);
    const peer = peerAddress(given, node, nodes);
    // The cross checks saw to it that every node has a peer.
    if (peer === undefined) return [];
    const { name, enabled, multihop, desiredMinTx, requiredMinRx, multiplier } = session;
    const { interface: named, authentication } = session;
    return [
      {
        name,
        peer,
        interface: (named === undefined ? undefined : onNode(named, node.name)) ?? node.interface,
        multihop,
        enabled,
        desiredMinTxUs: desiredMinTx * 1000,
        requiredMinRxUs: (requiredMinRx ?? desiredMinTx) * 1000,
        detectMultiplier: multiplier,
        ...(authentication === undefined ? {} : { authentication }),
      },
    ];
  });
}

/** Without a peer, and on the node that is named as one, the other of two nodes is meant. */
function peerAddress(
  peer: BfdPeer | undefined,
  node: NodeConfig,
  nodes: readonly NodeConfig[],
): IpAddress | undefined {
  if (peer?.kind === 'address') return peer.address;
  const others = nodes.filter((other) => other !== node);
  const named = others.find((other) => other.name === peer?.node);
  return (named ?? others[0])?.address;
}
