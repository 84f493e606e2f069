/** The status document: what `GET /v1/status` answers and `tandem status --json` prints. */
import type { CheckReport } from '../health/protocol.js';
import type { HealthState } from '../health/reasons.js';
import type { VirtualRouterReport } from '../vrrp/protocol.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { ForwardingMethod, SyncDaemon } from '../wire/ipvsModel.js';

/** Why a server has the weight that it has. */
export type WeightReason =
  | 'configured'
  /** No verdict yet, and the kernel's weight from before the start was adopted. */
  | 'adopted'
  | 'check-failed'
  /** Every server is down, and the service keeps the last one that was up. */
  | 'last-server-kept';

/** One real server in the status document. */
export interface ServerStatus {
  readonly address: IpAddress;
  readonly port: number;
  readonly forwarding: ForwardingMethod;
  readonly weight: {
    readonly configured: number;
    /** What the agent wants the kernel to have; null: removed from the table. */
    readonly desired: number | null;
    /** What the kernel has, from the last audit; null: not in the table. */
    readonly kernel: number | null;
    readonly reason: WeightReason;
  };
  /** Absent when the service has no check. */
  readonly check?: CheckReport;
  readonly connections: {
    readonly active: number;
    readonly inactive: number;
    readonly persistent: number;
    /** Total since the counters were last zeroed. */
    readonly total: number;
  } | null;
}

/** One virtual service in the status document. */
export interface ServiceStatus {
  readonly name: string;
  /** As an operator writes them: `tcp://172.25.254.100:80` or `fwmark:66`. */
  readonly listeners: readonly string[];
  readonly scheduler: string;
  readonly state: HealthState;
  readonly servers: readonly ServerStatus[];
}

/** The last comparison of the kernel's table with what it shall be. */
export interface IpvsStatus {
  readonly available: boolean;
  readonly lastAuditUnixMs: number | null;
  /** Operations that the last audit or change had to send; 0 when all was right. */
  readonly lastOperations: number;
  readonly operationsTotal: number;
  readonly errorsTotal: number;
  readonly lastError: string | null;
  /** Services in the kernel that the configuration does not name; they are left alone. */
  readonly foreignServices: number;
}

/** The whole status document. */
export interface StatusDocument {
  readonly version: string;
  readonly cluster: string;
  readonly node: string;
  readonly pid: number;
  readonly startedUnixMs: number;
  readonly nowUnixMs: number;
  readonly configuration: {
    readonly path: string;
    readonly loadedUnixMs: number;
    /** Outcome of the last reload, null before the first. */
    readonly lastReload: {
      readonly atUnixMs: number;
      readonly ok: boolean;
      readonly message: string;
    } | null;
  };
  readonly virtualRouters: readonly VirtualRouterReport[];
  readonly services: readonly ServiceStatus[];
  readonly ipvs: IpvsStatus;
  readonly connectionSync: {
    readonly mode: 'off' | 'kernel';
    readonly daemons: readonly SyncDaemon[];
    readonly lastError: string | null;
  };
  readonly threads: {
    readonly vrrp: { readonly restarts: number; readonly running: boolean };
    readonly health: { readonly restarts: number; readonly running: boolean };
  };
}
