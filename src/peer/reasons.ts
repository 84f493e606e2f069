/** The closed sets of reasons of the peer channel, used alike by logs, status and tests. */

/** Every reason why one director does not take the other as its peer. */
export const peerRefusalReasons = [
  /** The other side has not this key: the TLS handshake failed. */
  'wrong-key',
  /** It belongs to another pair. */
  'wrong-cluster',
  /** It calls itself by this node's own name. */
  'same-node-name',
  /** It calls itself by a name that is not the peer's in the configuration. */
  'unknown-node',
  /** It speaks a version of the protocol that is not spoken any more. */
  'protocol-version-too-old',
  /** It refused with a reason that this version does not know. */
  'other',
] as const;

/** One of {@link peerRefusalReasons}. */
export type PeerRefusalReason = (typeof peerRefusalReasons)[number];

/** Why the channel is not connected, or why a connection of it ended. */
export type PeerDisconnectReason =
  /** Nothing was tried yet, or nobody has called yet. */
  | 'not-yet-connected'
  /** No path leads to the peer, or nobody listens there. */
  | 'unreachable'
  /** One side refused the other; the refusal says why. */
  | 'refused'
  /** Connected, but nothing was heard for too long. */
  | 'heartbeat-timeout'
  /** The introduction was not over in time. */
  | 'introduction-timeout'
  /** The peer closed it, as an agent does that stops. */
  | 'closed-by-peer'
  /** The connection broke. */
  | 'connection-lost'
  /** The peer sent what no version of the protocol allows. */
  | 'protocol-error'
  /** The peer called again, so it had given up this connection. */
  | 'replaced'
  /** The key that it was made with is not in the key file any more. */
  | 'key-removed'
  /** The configuration changed. */
  | 'reconfigured'
  /** This agent is stopping. */
  | 'stopping';

/** Which side refused. */
export type PeerRefuser = 'this-node' | 'peer';
