/**
 * The values that IPVS netlink messages carry, in the field's terms.
 *
 * These types belong to the wire layer because the codec produces and consumes them; the IPVS
 * reconciler, the status API and the tests speak them too.
 */
import type { IpAddress, IpFamily } from './ipAddress.js';
import type { UnknownAttribute } from './netlinkAttributes.js';

/** Transport protocols that IPVS balances by address and port. */
export type IpvsProtocol = 'tcp' | 'udp' | 'sctp';

/** How a director hands a packet to a real server (`ip_vs.h`, IP_VS_CONN_F_FWD_MASK). */
export type ForwardingMethod = 'nat' | 'local' | 'tunnel' | 'dr' | 'bypass';

/** What a packet must match for a virtual service to take it. */
export type ServiceIdentity =
  | {
      readonly kind: 'address';
      readonly protocol: IpvsProtocol;
      readonly address: IpAddress;
      /** 0 means every port, which IPVS serves only with persistence. */
      readonly port: number;
    }
  | {
      readonly kind: 'fwmark';
      /** The family of the packets that the mark selects. */
      readonly family: IpFamily;
      /** Firewall mark, 1 to 4294967295. */
      readonly fwmark: number;
    };

/** Persistence of a virtual service: the same client keeps its real server. */
export interface Persistence {
  /** How long a client without connections is remembered, in seconds. */
  readonly timeoutSeconds: number;
  /** Clients that share this many leading address bits count as one: 0..32, or 1..128 for IPv6. */
  readonly prefixLength: number;
  /**
   * An IPv4 mask whose ones are not all in front, such as 255.0.255.0, which the kernel takes as it
   * is. `prefixLength` is then the number of its ones. Absent: an ordinary mask.
   */
  readonly maskWithGaps?: IpAddress;
}

/** The settings of a virtual service that can change without making it anew. */
export interface ServiceSettings {
  /** Kernel name of the scheduler, for example `wrr`. */
  readonly scheduler: string;
  /** Absent: not persistent. */
  readonly persistence?: Persistence;
  /** One-packet scheduling: every UDP datagram is scheduled by itself. */
  readonly onePacket: boolean;
  /** The scheduler's own flags 1 to 3 (IP_VS_SVC_F_SCHED1..3), as a bit mask of 1, 2 and 4. */
  readonly schedulerFlags: number;
  /** Kernel name of the persistence engine, for example `sip`. Absent: by client address. */
  readonly persistenceEngine?: string;
}

/** How a tunnel wraps packets when it is not plain IP in IP (IP_VS_CONN_F_TUNNEL_TYPE_*). */
export type TunnelEncapsulation =
  | {
      readonly type: 'gue';
      /** UDP port of the receiving end, 1..65535. */
      readonly port: number;
      readonly checksum: 'none' | 'full' | 'remote';
    }
  | { readonly type: 'gre'; readonly checksum: 'none' | 'full' };

/** A virtual service as the kernel holds it, or as it shall be. */
export interface IpvsService extends ServiceSettings {
  readonly identity: ServiceIdentity;
  /** What a newer kernel says beyond this model; an edit sends it back, so that it is not lost. */
  readonly unknownAttributes?: readonly UnknownAttribute[];
}

/** A real server of a virtual service, as the kernel holds it, or as it shall be. */
export interface IpvsServer {
  readonly address: IpAddress;
  /** 0 keeps the packet's own port; only for fwmark and all-port services. */
  readonly port: number;
  readonly forwarding: ForwardingMethod;
  /** 0 takes no new connections and keeps the existing ones. */
  readonly weight: number;
  /** At this many connections the server takes no more; 0 is no limit. */
  readonly upperThreshold: number;
  /** Below this many connections it takes new ones again; 0 lets the kernel choose. */
  readonly lowerThreshold: number;
  /** Only for the forwarding method `tunnel`. Absent: IP in IP. */
  readonly encapsulation?: TunnelEncapsulation;
  /** What a newer kernel says beyond this model; an edit sends it back, so that it is not lost. */
  readonly unknownAttributes?: readonly UnknownAttribute[];
}

/** What tells one real server from another inside a virtual service. */
export type ServerIdentity = Pick<IpvsServer, 'address' | 'port'>;

/** 64-bit counters and smoothed rates of a service or server (IPVS_STATS_ATTR_*). */
export interface IpvsStatistics {
  readonly connections: bigint;
  readonly incomingPackets: bigint;
  readonly outgoingPackets: bigint;
  readonly incomingBytes: bigint;
  readonly outgoingBytes: bigint;
  readonly connectionsPerSecond: bigint;
  readonly incomingPacketsPerSecond: bigint;
  readonly outgoingPacketsPerSecond: bigint;
  readonly incomingBytesPerSecond: bigint;
  readonly outgoingBytesPerSecond: bigint;
}

/** A virtual service in a kernel dump. */
export interface ListedService extends IpvsService {
  readonly statistics: IpvsStatistics;
}

/** A real server in a kernel dump. */
export interface ListedServer extends IpvsServer {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
  readonly statistics: IpvsStatistics;
}

/** Role of a kernel connection synchronisation daemon. */
export type SyncDaemonRole = 'master' | 'backup';

/** A kernel connection synchronisation daemon, running or to be started. */
export interface SyncDaemon {
  readonly role: SyncDaemonRole;
  readonly interface: string;
  /** 0..255; a backup with 0 accepts every id. */
  readonly syncId: number;
  /** Multicast group; the kernel's default is 224.0.0.81. */
  readonly group?: IpAddress;
  /** UDP port; the kernel's default is 8848. */
  readonly port?: number;
  readonly ttl?: number;
  /** Largest datagram, in bytes. */
  readonly maxLengthBytes?: number;
}

/** One change to the kernel's table. A list of them is applied in order. */
export type IpvsOperation =
  | { readonly kind: 'add-service'; readonly service: IpvsService }
  | { readonly kind: 'edit-service'; readonly service: IpvsService }
  | { readonly kind: 'delete-service'; readonly service: ServiceIdentity }
  | { readonly kind: 'add-server'; readonly service: ServiceIdentity; readonly server: IpvsServer }
  | { readonly kind: 'edit-server'; readonly service: ServiceIdentity; readonly server: IpvsServer }
  | {
      readonly kind: 'delete-server';
      readonly service: ServiceIdentity;
      readonly server: ServerIdentity;
    };

/** What the kernel says of its IPVS. */
export interface IpvsInfo {
  /** As people write it: `1.2.1`. */
  readonly version: string;
  /** Buckets of the connection table. */
  readonly tableSize: number;
}

/** How long idle connections are remembered, in seconds. */
export interface IpvsTimeouts {
  readonly tcpSeconds: number;
  /** After a FIN. */
  readonly tcpFinSeconds: number;
  readonly udpSeconds: number;
}
