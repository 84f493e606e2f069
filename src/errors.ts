/**
 * The one error class of Tandem and the closed table of its codes.
 *
 * An operator who meets an error must learn three things from it: what happened, where, and what
 * to do next. The table gives each code its exit status and a standing hint; the place that throws
 * adds the particulars. `docs/reference/errors.md` is generated from this table.
 */

/** What the table says of one code. */
interface ErrorDefinition {
  /** One sentence that names the failure, without particulars. */
  readonly summary: string;
  /** What the operator can do about it, when the thrower knows nothing better. */
  readonly hint: string;
  /** Exit status of the command that ends with it: 1 the operation failed, 2 usage or config. */
  readonly exitCode: 1 | 2;
}

/** Every code that Tandem can end with. Adding one here documents it as well. */
export const errorTable = {
  USAGE: {
    summary: 'The command line is not valid.',
    hint: 'Run the command with --help to see its options and an example.',
    exitCode: 2,
  },
  CONFIG_UNREADABLE: {
    summary: 'The configuration file cannot be read.',
    hint: 'Check the path and its permissions; -c names another file.',
    exitCode: 2,
  },
  CONFIG_INVALID: {
    summary: 'The configuration file has errors.',
    hint: 'Each error names its line and column; `tandem check FILE` lists them all.',
    exitCode: 2,
  },
  NODE_UNKNOWN: {
    summary: 'This machine is not one of the nodes of the configuration.',
    hint: 'Name the node with --node or TANDEM_NODE, or add this hostname under `nodes`.',
    exitCode: 2,
  },
  INTERFACE_MISSING: {
    summary: 'A network interface that the configuration names does not exist.',
    hint: 'List the interfaces with `ip link`, then correct `interface` in the configuration.',
    exitCode: 2,
  },
  INTERFACE_UNUSABLE: {
    summary: 'A network interface is there but is not what the configuration needs.',
    hint: 'Compare it with the configuration: `ip -details link show` tells its kind and parent.',
    exitCode: 2,
  },
  USER_UNKNOWN: {
    summary: 'A user or group that a command shall run as does not exist.',
    hint: 'Correct `user` in the configuration; a number is taken without a name.',
    exitCode: 2,
  },
  KEY_UNUSABLE: {
    summary: 'A key file of the configuration cannot be used.',
    hint: 'Check that the file exists, and that its owner alone can read it.',
    exitCode: 2,
  },
  CHECK_FILE_UNUSABLE: {
    summary: 'A file that a health check needs cannot be used.',
    hint: 'Check that the file exists and holds what it shall; a secret is for its owner alone.',
    exitCode: 2,
  },
  PERMISSION: {
    summary: 'The kernel refused the operation for lack of privilege.',
    hint: 'Run as root, or grant CAP_NET_ADMIN and CAP_NET_RAW.',
    exitCode: 1,
  },
  IPVS_UNAVAILABLE: {
    summary: 'The running kernel offers no IPVS.',
    hint: 'Load it with `modprobe ip_vs`; a kernel built without CONFIG_IP_VS cannot balance.',
    exitCode: 1,
  },
  IPVS_REFUSED: {
    summary: 'The kernel refused an IPVS operation.',
    hint: 'The message names the operation; `tandem status` shows what is programmed.',
    exitCode: 1,
  },
  FIREWALL_UNAVAILABLE: {
    summary: 'Nothing on this machine keeps firewall rules.',
    hint: 'Install nftables, or iptables where the kernel has no nftables.',
    exitCode: 1,
  },
  FIREWALL_REFUSED: {
    summary: 'The firewall refused our rules.',
    hint: 'The message has what nft or iptables said; the rules of others are as they were.',
    exitCode: 1,
  },
  TOOL_MISSING: {
    summary: 'A tool of the system is not installed.',
    hint: 'Install the package that has it; the message names the tool.',
    exitCode: 1,
  },
  SYSTEM_CALL: {
    summary: 'A system call failed.',
    hint: 'The message names the call and its errno.',
    exitCode: 1,
  },
  NETLINK_TIMEOUT: {
    summary: 'The kernel did not answer a netlink request in time.',
    hint: 'The machine may be overloaded; the request is repeated at the next audit.',
    exitCode: 1,
  },
  API_SOCKET_IN_USE: {
    summary: 'Another agent already answers on the API socket.',
    hint: 'Stop the other agent, or give this one another `api.socket`.',
    exitCode: 1,
  },
  API_SOCKET_UNUSABLE: {
    summary: 'The API socket cannot be created.',
    hint: 'Check that the directory of `api.socket` exists and is writable.',
    exitCode: 1,
  },
  AGENT_NOT_RUNNING: {
    summary: 'No agent answers on the API socket.',
    hint: 'Start it with `tandem run`, or name its socket with --socket.',
    exitCode: 1,
  },
  AGENT_REFUSED: {
    summary: 'The agent refused the request.',
    hint: 'The message says why.',
    exitCode: 1,
  },
  THREAD_FAILED: {
    summary: 'A worker thread of the agent ended unexpectedly.',
    hint: 'The agent restarts it; please report the message.',
    exitCode: 1,
  },
  VRRP_KEY_UNUSABLE: {
    summary: 'A key that authenticates advertisements cannot be used.',
    hint: 'A key file has 32 to 64 bytes, or `hex:` and 64 to 128 digits; it must be readable.',
    exitCode: 2,
  },
  PEER_KEY_UNUSABLE: {
    summary: 'The key file of the peer channel cannot be used.',
    hint: 'Make one with `tandem peer-key new --out FILE` and copy it to the other director.',
    exitCode: 2,
  },
  DRAIN_INCOMPLETE: {
    summary: 'A drained server still has connections at the deadline.',
    hint: 'It stays drained; repeat the command to wait longer, or `tandem undrain` it.',
    exitCode: 1,
  },
  DRILL_FAILED: {
    summary: 'A promise of the drill did not hold.',
    hint: 'The report names the promise and what was measured.',
    exitCode: 1,
  },
  LAB_FAILED: {
    summary: 'The lab could not be built.',
    hint: 'The message names the step; `npm run setup` brings what a lab needs.',
    exitCode: 1,
  },
  INTERNAL: {
    summary: 'Tandem met a state that it holds to be impossible.',
    hint: 'This is a bug; please report the message and the log.',
    exitCode: 1,
  },
} as const satisfies Record<string, ErrorDefinition>;

/** A code of {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** Particulars of one {@link TandemError}. */
export interface ErrorOptions {
  /** Replaces the table's hint where the thrower knows better. */
  readonly hint?: string;
  /** The error beneath this one. */
  readonly cause?: unknown;
  /** Name of the errno, for example `EPERM`, when a system call is at the bottom of it. */
  readonly errnoName?: string;
}

/**
 * The one class of errors that Tandem throws on purpose.
 *
 * `message` says what happened and where; `hint` says what to do; `code` is stable and may be
 * matched by programs.
 */
export class TandemError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly exitCode: 1 | 2;
  readonly errnoName: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TandemError';
    this.code = code;
    this.hint = options.hint ?? errorTable[code].hint;
    this.exitCode = errorTable[code].exitCode;
    this.errnoName = options.errnoName;
  }
}
