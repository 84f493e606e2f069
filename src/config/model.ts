/**
 * The configuration as the program uses it: validated, defaults filled in, this node resolved.
 * The reader makes it from a file; nothing else makes one, except tests.
 */
import type { BfdSessionSpec } from '../bfd/protocol.js';
import type { ProbeConfig } from '../health/probeSpec.js';
import type { CheckTiming } from '../health/protocol.js';
import type { QuorumRules } from '../health/quorum.js';
import type { ServerRules } from '../health/serverVerdict.js';
import type { PassiveHintRules } from '../ipvs/passiveHints.js';
import type { FirewallBackendName } from '../kernel/firewall.js';
import type { TrackerSpec } from '../track/model.js';
import type { RealtimeSettings, SyncGroupSpec, VirtualRouterSpec } from '../vrrp/protocol.js';
import type { BfdKey } from '../wire/bfdAuthentication.js';
import type { IpAddress, IpPrefix } from '../wire/ipAddress.js';
import type {
  ForwardingMethod,
  ServiceIdentity,
  ServiceSettings,
  TunnelEncapsulation,
} from '../wire/ipvsModel.js';
import type { KeySource } from './schema/bfdDefinition.js';
import type { MarkTarget } from './schema/systemDefinition.js';

/** One of the two directors. */
export interface NodeConfig {
  readonly name: string;
  readonly address: IpAddress;
  readonly interface: string;
}

/** A health check as configured on a service. */
export interface CheckConfig {
  /** Passwords and certificates are in files, which the agent reads. */
  readonly probe: ProbeConfig;
  readonly timing: CheckTiming;
  /** Where to probe instead of the server's own port; absent: the server's port. */
  readonly port?: number;
  /** Where to probe instead of the server's own address; absent: the server's address. */
  readonly address?: IpAddress;
}

/** A real server as configured. */
export interface ServerConfig {
  readonly address: IpAddress;
  readonly port: number;
  readonly weight: number;
  readonly forwarding: Exclude<ForwardingMethod, 'local' | 'bypass'>;
  /** Only for the forwarding method `tunnel`. Absent: IP in IP. */
  readonly encapsulation?: TunnelEncapsulation;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

/** What happens to the weights when every server of a service is down. */
export type WhenAllDown =
  /** Every weight is 0: clients are refused at once. */
  | 'zero'
  /** The last server that was up keeps its weight. */
  | 'keep-last'
  /** All of them keep their weights. */
  | 'keep-weights'
  /** Another server takes the traffic. */
  | 'sorry-server';

/** What follows from the checks of a service, beside taking a server out. */
export interface ServiceHealthConfig extends Omit<ServerRules, 'needed'> {
  /** Most servers that the checks may take out at once; absent: all of them. */
  readonly maxOutPercent?: number;
  /** What happens when fewer servers than this share are up; absent: nothing special. */
  readonly panic?: { readonly belowPercent: number; readonly use: 'all' | 'none' };
  /** Absent: one server is enough. */
  readonly quorum?: QuorumRules;
  readonly whenQuorumLost: 'nothing' | 'sorry-server';
  readonly checkOnlyWhenActive: boolean;
  /** Absent: the kernel's counters are not looked at. */
  readonly passiveHints?: PassiveHintRules;
}

/** A virtual service as configured: one pool of servers behind one or several listeners. */
export interface ServiceConfig {
  readonly name: string;
  /** One kernel service each. */
  readonly listeners: readonly ServiceIdentity[];
  readonly settings: ServiceSettings;
  /** What gets the service's firewall mark; absent: rules of others set it. */
  readonly marks?: readonly MarkTarget[];
  /** Absent, and no `checks` either: servers are always held to be up. */
  readonly check?: CheckConfig;
  /** Several checks of each server; absent where there is `check`. See `serviceChecks.ts`. */
  readonly checks?: readonly CheckConfig[];
  /** How many of `checks` must pass; absent: all. */
  readonly checksNeeded?: number;
  /** Absent: all defaults. */
  readonly health?: ServiceHealthConfig;
  /** Takes the traffic when the rules say so. */
  readonly sorryServer?: ServerConfig;
  /** Whether a server that is down gets weight 0 or leaves the table. */
  readonly whenDown: 'weight-zero' | 'remove';
  readonly whenAllDown: WhenAllDown;
  readonly servers: readonly ServerConfig[];
}

/** What follows from the checks of all services together. */
export interface HealthConfig {
  /** Whether weights stay or follow when every check fails at once. */
  readonly whenAllFail: 'hold' | 'follow';
  /** What that takes off the priorities; 0: nothing. */
  readonly demotion: number;
  /** Absent: as many as the checks need. */
  readonly threads?: number;
}

/** How the connection table reaches the peer. */
export type ConnectionSyncConfig =
  | { readonly mode: 'off' }
  | {
      readonly mode: 'kernel';
      /** Interface of the multicast; the node's own unless configured. */
      readonly interface: string;
      /** 0..255, the same on both directors. */
      readonly syncId: number;
      readonly group?: IpAddress;
      readonly port?: number;
      readonly ttl?: number;
      readonly maxLengthBytes?: number;
    }
  | RelaySyncConfig;

/** The relay over the channel of `peering`. */
export interface RelaySyncConfig {
  readonly mode: 'relay';
  /** 0..255. */
  readonly syncId: number;
  /** IPv4. */
  readonly group: IpAddress;
  /** First port of the daemon that tells; the one that is told has the ports after the last. */
  readonly port: number;
  /** A power of two. */
  readonly portCount: number;
  readonly entriesMax: number;
  readonly joinWaitMs: number;
}

/** The channel to the other director, from the point of view of one node. */
export interface PeeringConfig {
  /** The name of the other node. */
  readonly peer: string;
  /** The TCP port that the listening side listens on. */
  readonly port: number;
  /** The file that holds the pre-shared keys. */
  readonly keyFile: string;
  /** One path each, in order of preference. At least one. */
  readonly paths: readonly { readonly own: IpAddress; readonly peer: IpAddress }[];
}

/** What the machine itself must do for the services. */
export interface SystemConfig {
  /** Whether kernel settings are set, or only looked at. */
  readonly manage: boolean;
  readonly firewall: FirewallBackendName | 'auto';
  readonly masquerade: readonly { readonly source: IpPrefix; readonly interface?: string }[];
}

/** Levels of the log, most severe first. */
export type ConfiguredLogLevel = 'error' | 'warn' | 'info' | 'debug';

/** When a hook is called; `initialize` is each of `fault` and `stop`. */
export type HookOccasion =
  | 'active'
  | 'backup'
  | 'initialize'
  | 'fault'
  | 'stop'
  | 'quorum-met'
  | 'quorum-lost'
  | 'server-up'
  | 'server-down';

/** A program that is called when something changes its state. */
export interface HookSpec {
  readonly name: string;
  readonly on: readonly HookOccasion[];
  /** The program by its absolute path, then its arguments; no shell is involved. */
  readonly command: readonly string[];
  /** `name`, `uid`, `name:group` or `uid:gid`; absent: the user of the agent. */
  readonly user?: string;
  readonly timeoutMs: number;
  /** `keepalived` adds the four arguments of its notify scripts. */
  readonly style: 'environment' | 'keepalived';
  /** Names of the virtual routers that call it. */
  readonly routers: readonly string[];
  /** Names of the sync groups that call it. */
  readonly groups: readonly string[];
  /** Names of the services that call it; absent: none. */
  readonly services?: readonly string[];
}

/** A BFD session, whose key may still have to be read. */
export interface BfdSessionConfig extends Omit<BfdSessionSpec, 'authentication'> {
  readonly authentication?: Omit<BfdKey, 'key'> & { readonly key: KeySource };
}

/** The whole configuration, from the point of view of one node. */
export interface TandemConfig {
  readonly cluster: string;
  /** This node. */
  readonly node: NodeConfig;
  readonly nodes: readonly NodeConfig[];
  readonly virtualRouters: readonly VirtualRouterSpec[];
  readonly syncGroups: readonly SyncGroupSpec[];
  /** Those that a virtual router tracks. */
  readonly trackers: readonly TrackerSpec[];
  readonly hooks: readonly HookSpec[];
  readonly bfd: readonly BfdSessionConfig[];
  readonly services: readonly ServiceConfig[];
  readonly health: HealthConfig;
  readonly ipvs: {
    /** Whether a polite stop leaves the kernel's table as it is or takes our services out. */
    readonly onStop: 'keep' | 'remove';
    /** How often the kernel's table is compared with what it shall be. */
    readonly auditIntervalMs: number;
  };
  readonly system: SystemConfig;
  /** Where what operators set for servers is kept. */
  readonly overrides: { readonly stateFile: string; readonly maintenanceFolder: string };
  readonly reload: {
    /** Share of servers or services, 0..1, that a reload may remove without being forced. */
    readonly maxRemovedShare: number;
  };
  /** Absent: plain VRRP, without a channel to the other director. */
  readonly peering?: PeeringConfig;
  readonly connectionSync: ConnectionSyncConfig;
  readonly api: {
    readonly socket: string;
    /** Where metrics and status are told over TCP; absent: nowhere. */
    readonly listen?: { readonly address: IpAddress; readonly port: number };
  };
  /** Whether a process stands by to give up the addresses when the agent dies. */
  readonly guard: { readonly enabled: boolean };
  /** How the election's thread is scheduled. */
  readonly realtime: RealtimeSettings;
  readonly log: { readonly level: ConfiguredLogLevel };
}
