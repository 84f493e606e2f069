/** Whether the one who introduces itself is the peer. Pure. */
import { type PeerHello, peerProtocolVersionMin } from '../wire/peerMessage.js';
import type { PeerRefusalReason } from './reasons.js';

/** Why an introduction is refused, with the particulars. Both sides show it. */
export interface Refusal {
  readonly reason: PeerRefusalReason;
  readonly detail: string;
}

/**
 * Judges the peer's hello against our own. The version comes first: what an older version means by
 * the rest is not known here.
 */
export function judgeHello(own: PeerHello, peer: string, hello: PeerHello): Refusal | undefined {
  if (hello.protocolVersion < peerProtocolVersionMin) {
    return {
      reason: 'protocol-version-too-old',
      detail: `version ${hello.protocolVersion}, and ${own.node} needs ${peerProtocolVersionMin}`,
    };
  }
  if (hello.cluster !== own.cluster) {
    return {
      reason: 'wrong-cluster',
      detail: `${own.node} is of cluster ${own.cluster}, ${hello.node} of ${hello.cluster}`,
    };
  }
  if (hello.node === own.node) {
    return { reason: 'same-node-name', detail: `both call themselves ${own.node}` };
  }
  if (hello.node !== peer) {
    return {
      reason: 'unknown-node',
      detail: `${own.node} expects ${peer}, and this is ${hello.node}`,
    };
  }
  return undefined;
}
