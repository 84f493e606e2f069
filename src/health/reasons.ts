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
  | 'tls-handshake'
  /** The certificate was not signed by an authority that the check trusts. */
  | 'certificate-untrusted'
  /** The certificate is for other names than the one that the check expects. */
  | 'certificate-name'
  /** The certificate is not valid any more, or not yet. */
  | 'certificate-expired'
  /** The certificate is valid for fewer days than the check demands. */
  | 'certificate-expires-soon'
  | 'unexpected-status'
  /** The answer was well formed, and not what the check expects. */
  | 'unexpected-answer'
  | 'body-mismatch'
  /** The server ended its answer early. */
  | 'truncated'
  /** The answer was larger than a probe reads. */
  | 'too-large'
  | 'malformed-response'
  /** A command of the operator ended otherwise than with success. */
  | 'command-failed'
  /** An agent or a file says that the server is down. */
  | 'reported-down'
  /** An agent says that the server is in maintenance. */
  | 'reported-maintenance'
  /** The BFD session with it is not up. */
  | 'session-down';

/** Why a probe says nothing about the server: the fault is on this side. */
export type ProbeInconclusive =
  /** No local port, descriptor or buffer was free. */
  | 'local-resources'
  /** The probe's own address or interface is missing. */
  | 'local-address'
  /** The kernel refused what the probe needs for lack of privilege. */
  | 'local-permission'
  /** The command of the operator could not be started, or the file not be read. */
  | 'command-not-started'
  /** The agent on the server cannot be asked, which says nothing of the service. */
  | 'agent-silent'
  /** The BFD session has told nothing yet, or is held down by the configuration. */
  | 'session-unknown'
  | 'internal-error';

/** Every word that status, logs and metrics use for the last result of a check. */
export type ProbeReason = 'passed' | ProbeFailure | ProbeInconclusive;
