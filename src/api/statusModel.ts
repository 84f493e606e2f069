/** The status document: what `GET /v1/status` answers and `tandem status --json` prints. */
import type { BfdSessionReport } from '../bfd/protocol.js';
import type { ServerHealth } from '../health/healthBoard.js';
import type { HealthLoad } from '../health/protocol.js';
import type { QuorumRules, QuorumVerdict } from '../health/quorum.js';
import type { HealthState } from '../health/reasons.js';
import type { ServerOverride } from '../ipvs/overrides.js';
import type { FirewallBackendName } from '../kernel/firewall.js';
import type { SplitBrain } from '../peer/comparison.js';
import type { PeerReport } from '../peer/protocol.js';
import type { RelayReport } from '../sync/protocol.js';
import type { TrackerReport } from '../track/model.js';
import type { LatenessSummary, RealtimeReport, VirtualRouterReport } from '../vrrp/protocol.js';
import type { VirtualRouterState } from '../vrrp/reasons.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { ForwardingMethod, SyncDaemon, TunnelEncapsulation } from '../wire/ipvsModel.js';

/** Why a server has the weight that it has. */
export type WeightReason =
  | 'configured'
  /** No verdict yet, and the kernel's weight from before the start was adopted. */
  | 'adopted'
  | 'check-failed'
  /** There is no verdict yet, and until there is the service wants the server out. */
  | 'not-checked-yet'
  /** Its checks pass, but it failed too often of late. */
  | 'flap-damped'
  /** It came back a short while ago, and gains weight. */
  | 'slow-start'
  /** It asks for less than its weight: by an agent, a script or a file. */
  | 'asked-by-server'
  /** It failed, but so did all others at once: this director has lost its network. */
  | 'network-lost'
  /** It failed, but the checks have taken out as many servers as they may. */
  | 'too-many-out'
  /** So few servers are up that the service treats all of them alike. */
  | 'panic'
  /** The service has fewer servers than it needs, and the sorry server takes its traffic. */
  | 'below-quorum'
  /** Every server is down, and the service keeps all weights. */
  | 'weights-kept'
  /** Every server is down, and the service keeps the last one that was up. */
  | 'last-server-kept'
  /** The operator has drained it. */
  | 'drained'
  /** The operator has put it into maintenance, by command or by a file. */
  | 'maintenance'
  /** The operator has set another weight. */
  | 'weight-set';

/** What operators and configuration want of a server, whatever it does. */
export type AdminState =
  /** It is to take traffic. */
  | 'enabled'
  /** Its configured weight is 0. */
  | 'disabled'
  | 'drained'
  | 'maintenance';

/**
 * One real server in the status document. Its three states are kept apart: what is wanted of it
 * (`admin`), what the checks find (`operational`), and what follows (`weight`, with the reason).
 */
export interface ServerStatus {
  readonly address: IpAddress;
  readonly port: number;
  readonly forwarding: ForwardingMethod;
  /** How packets through a tunnel are wrapped; absent: IP in IP, or no tunnel. */
  readonly encapsulation?: TunnelEncapsulation;
  /** Absent when the server has no limit of connections. `lower` 0: the kernel chooses. */
  readonly thresholds?: { readonly upper: number; readonly lower: number };
  readonly admin: AdminState;
  /** `unchecked`: the service has no check. */
  readonly operational: HealthState | 'unchecked';
  readonly weight: {
    readonly configured: number;
    /** What the agent wants the kernel to have; null: removed from the table. */
    readonly desired: number | null;
    /** What the kernel has, from the last audit; null: not in the table. */
    readonly kernel: number | null;
    readonly reason: WeightReason;
  };
  /** What an operator has set for it; absent when nothing. */
  readonly override?: ServerOverride;
  /** Absent when the service has no check. */
  readonly check?: ServerHealth;
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
  /** The scheduler's own flags by their names; absent when none is set. */
  readonly schedulerFlags?: readonly string[];
  /** Absent when each connection is scheduled by itself. */
  readonly persistence?: {
    readonly timeoutSeconds: number;
    /** Clients that share so many leading bits of their address count as one. */
    readonly prefixLength: number;
    /** Absent: clients are told apart by their address. */
    readonly engine?: string;
  };
  /** Whether each datagram is scheduled by itself; absent when not. */
  readonly onePacket?: true;
  readonly state: HealthState;
  /** Absent when the service has no quorum. */
  readonly quorum?: QuorumVerdict & Omit<QuorumRules, 'hysteresis'>;
  /** Whether so few servers are up that all are treated alike; absent when it has no threshold. */
  readonly panic?: boolean;
  /** Absent when the service has no sorry server. */
  readonly sorryServer?: {
    readonly address: IpAddress;
    readonly port: number;
    readonly forwarding: ForwardingMethod;
    readonly encapsulation?: TunnelEncapsulation;
    /** Whether it takes the traffic. */
    readonly inUse: boolean;
  };
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

/** The channel to the other director, and what is known of that one over it. */
export type PeerStatus =
  /** Plain VRRP; `missing` says what the pair does without. */
  | { readonly configured: false; readonly missing: string }
  | (PeerReport & {
      readonly configured: true;
      /** The peer's name in the configuration. */
      readonly name: string;
      /** How the peer's VRRP configuration differs from ours, in words. */
      readonly drift: readonly string[];
      /** Virtual routers that both directors are Active for. */
      readonly splitBrain: readonly SplitBrain[];
    });

/** What a hook is called for: the new state of a router, a quorum or a server. */
export type HookState = VirtualRouterState | 'quorum-met' | 'quorum-lost' | HealthState;

/** One hook: what it was called for, and how that ended. */
export interface HookStatus {
  readonly name: string;
  readonly runs: number;
  /** Runs that ended otherwise than with status 0. */
  readonly failures: number;
  /** Calls that were dropped because too many waited. */
  readonly dropped: number;
  readonly running: number;
  readonly waiting: number;
  readonly last: {
    /** `router outside`, `group edge`, `service web` or `server web/192.0.2.1:80`. */
    readonly target: string;
    readonly state: HookState;
    readonly outcome: 'exited' | 'signalled' | 'timed-out' | 'not-started';
    /** Null when it did not end by itself. */
    readonly exitCode: number | null;
    /** What it printed, or why it could not be started; at most 200 characters. */
    readonly detail: string;
    readonly startedUnixMs: number;
    readonly durationMs: number;
  } | null;
}

/** What the machine does for the services beside IPVS. */
export interface HostStatus {
  /** What keeps our firewall rules; null while there are none. */
  readonly firewall: FirewallBackendName | null;
  /** How many rules of ours there shall be. */
  readonly rules: number;
  /** How often somebody else's change of our rules was undone. */
  readonly repairs: number;
  readonly lastError: string | null;
  /** Kernel settings that the agent has changed and puts back. */
  readonly managed: readonly string[];
  /** Kernel settings that are not as they should be. */
  readonly settings: readonly {
    readonly setting: string;
    /** Null: the kernel has no such setting. */
    readonly found: string | null;
    readonly wanted: string;
    readonly level: 'required' | 'advised';
    readonly why: string;
  }[];
}

/** The relay of the connection table. */
export interface RelayStatus extends RelayReport {
  /** Whether nobody but the agent may send to the ports of the daemons on `lo`. */
  readonly portsProtected: boolean;
  /** Whether this node does not take over from one that works, for want of the table. */
  readonly holding: boolean;
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
  /** The BFD sessions. */
  readonly bfd: readonly BfdSessionReport[];
  readonly trackers: readonly TrackerReport[];
  readonly hooks: readonly HookStatus[];
  readonly peer: PeerStatus;
  readonly services: readonly ServiceStatus[];
  readonly ipvs: IpvsStatus;
  readonly host: HostStatus;
  readonly connectionSync: {
    readonly mode: 'off' | 'kernel' | 'relay';
    readonly daemons: readonly SyncDaemon[];
    readonly lastError: string | null;
    /** With mode relay. */
    readonly relay?: RelayStatus;
  };
  readonly threads: {
    readonly vrrp: {
      readonly restarts: number;
      readonly running: boolean;
      /** How late the election's loop woke up; null before its first report. */
      readonly loop: LatenessSummary | null;
      /** How the thread is scheduled; null before its first report. */
      readonly realtime: RealtimeReport | null;
    };
    readonly health: {
      readonly restarts: number;
      readonly running: boolean;
      /** How each thread of the checks keeps up, as far as they have reported. */
      readonly loads: readonly HealthLoad[];
      /** Times that the kernel's counters had a server checked at once. */
      readonly hints: number;
      /** Since when every check has failed as with a lost network; null: it is not so. */
      readonly networkLostUnixMs: number | null;
    };
    /** Absent without `peering`. */
    readonly peer?: { readonly restarts: number; readonly running: boolean };
    /** The process that stands in when the agent dies; absent where none is wanted. */
    readonly guard?: { readonly restarts: number; readonly running: boolean };
    /** With `connectionSync.mode: relay`. */
    readonly sync?: { readonly restarts: number; readonly running: boolean };
  };
}
