/** The closed sets of reasons and states that health checks give. */

/** What the checks say of a server. */
export type HealthState =
  /** No verdict yet: the weight stays what the kernel has, or what is configured. */
  'unknown' | 'up' | 'down';

/** Why a probe did not pass. */
export type ProbeFailure =
  | 'connection-refused'
  | 'connection-reset'
  | 'host-unreachable'
  | 'network-unreachable'
  /** The total deadline passed before the probe was done. */
  | 'timeout'
  | 'unexpected-status'
  | 'body-mismatch'
  /** The server ended its answer early. */
  | 'truncated'
  /** The answer was larger than a probe reads. */
  | 'too-large'
  | 'malformed-response';

/** Why a probe says nothing about the server: the fault is on this side. */
export type ProbeInconclusive =
  /** No local port, descriptor or buffer was free. */
  | 'local-resources'
  /** The probe's own address or interface is missing. */
  | 'local-address'
  | 'internal-error';

/** Every word that status, logs and metrics use for the last result of a check. */
export type ProbeReason = 'passed' | ProbeFailure | ProbeInconclusive;
