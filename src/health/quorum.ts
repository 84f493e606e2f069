/** Whether a service has enough servers that are up, without wavering at the border. Pure. */

/** When a service has enough. */
export interface QuorumRules {
  /** What is counted: servers that are up, or their configured weights. */
  readonly of: 'servers' | 'weight';
  /** The quorum is lost below this. */
  readonly min: number;
  /** A lost quorum is met again at `min` and so much more. */
  readonly hysteresis: number;
}

/** Whether the quorum is met. A service begins with it met, so that a start calls nobody. */
export type QuorumState = 'met' | 'lost';

/** What is known of the quorum of a service. */
export interface QuorumVerdict {
  readonly state: QuorumState;
  /** What its servers come to now. */
  readonly count: number;
}

/** A server, as far as it counts. */
export interface QuorumServer {
  /** The weight that it is meant to have; 0 for one that an operator has taken out. */
  readonly weight: number;
  /**
   * Whether it takes new clients, as far as the checks go. Unknown servers do: nothing speaks
   * against them yet.
   */
  readonly serves: boolean;
}

/** What the servers come to. */
export function quorumCount(servers: readonly QuorumServer[], of: QuorumRules['of']): number {
  const serving = servers.filter(({ weight, serves }) => serves && weight > 0);
  return of === 'servers'
    ? serving.length
    : serving.reduce((total, { weight }) => total + weight, 0);
}

/** Takes in a count. */
export function stepQuorum(before: QuorumState, count: number, rules: QuorumRules): QuorumState {
  if (before === 'met') return count < rules.min ? 'lost' : 'met';
  return count >= rules.min + rules.hysteresis ? 'met' : 'lost';
}
