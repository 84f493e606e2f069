/** What the doctor has seen of a machine: values only, no judgement. */
import type { RealServerMode, TunnelDevice } from '../host/realServerPlan.js';
import type { Requirement } from '../host/requirements.js';
import type { GuePort } from '../kernel/guePorts.js';
import type { IpAddress, IpFamily, IpPrefix } from '../wire/ipAddress.js';
import type {
  ListedServer,
  ListedService,
  SyncDaemon,
  TunnelEncapsulation,
} from '../wire/ipvsModel.js';
import type { ChainFact } from './firewall/model.js';

/** An interface. */
export interface LinkFact {
  readonly name: string;
  readonly index: number;
  readonly up: boolean;
  /** Up, and with a carrier. */
  readonly running: boolean;
  /** Bytes. */
  readonly mtu: number;
  /** `00:00:5e:00:01:33`; empty for a link without one. */
  readonly macAddress: string;
}

/** An address of this machine. */
export interface AddressFact {
  readonly interface: string;
  readonly prefix: IpPrefix;
}

/** A route of the main table; with several hops it is several of these. */
export interface RouteFact {
  readonly destination: IpPrefix;
  readonly gateway?: IpAddress;
  readonly interface?: string;
}

/** Which way packets go on a machine. */
export interface NetworkFacts {
  readonly links: readonly LinkFact[];
  readonly addresses: readonly AddressFact[];
  readonly routes: readonly RouteFact[];
}

/** What every machine has. */
export interface MachineFacts extends NetworkFacts {
  /** Kernel parameters by name; one that the kernel lacks is absent. */
  readonly settings: Readonly<Record<string, string>>;
  readonly chains: readonly ChainFact[];
  /** Packets that the reverse path filter has dropped, and how many of them while looked at. */
  readonly reversePathDrops: { readonly total: number; readonly now: number };
  /** What could not be looked at, and why, in words. */
  readonly notLookedAt: readonly string[];
}

/** A service in the kernel with its servers, listed twice a moment apart. */
export interface ServiceFact {
  readonly service: ListedService;
  readonly servers: readonly ServerFact[];
}

/** A server in the kernel. */
export interface ServerFact {
  readonly server: ListedServer;
  /** Packets while looked at. */
  readonly incomingNow: bigint;
  readonly outgoingNow: bigint;
}

/** A connection that waited for its handshake all the time that was looked. */
export interface WaitingConnection {
  readonly client: IpAddress;
  readonly clientPort: number;
  readonly virtual: IpAddress;
  readonly virtualPort: number;
  readonly server: IpAddress;
  readonly serverPort: number;
  /** Whether its client has asked again while looked at; otherwise the client may have gone. */
  readonly asksAgain: boolean;
}

/** A persistence template: a client that is remembered. */
export interface TemplateFact {
  readonly client: IpAddress;
  readonly virtual: IpAddress;
  readonly server: IpAddress;
}

/** The kernel's table, or why it could not be read. */
export type TableFacts =
  | {
      readonly kind: 'read';
      readonly services: readonly ServiceFact[];
      readonly waiting: readonly WaitingConnection[];
      readonly templates: readonly TemplateFact[];
      readonly daemons: readonly SyncDaemon[];
    }
  | {
      readonly kind: 'unreadable';
      readonly reason: 'permission' | 'absent' | 'other';
      readonly message: string;
    };

/** A service as configured, by the names that the kernel's table has. */
export interface ConfiguredService {
  readonly name: string;
  /** `tcp://172.25.254.100:80`. */
  readonly listeners: readonly string[];
  readonly scheduler: string;
  /** False when it is certain that the kernel cannot have the scheduler. */
  readonly schedulerAvailable: boolean;
}

/** The configuration file. */
export type ConfigurationFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly path: string; readonly problems: readonly string[] }
  | {
      readonly kind: 'read';
      readonly path: string;
      readonly services: readonly ConfiguredService[];
      readonly virtualAddresses: readonly IpAddress[];
      /** Firewall marks that the agent sets, with what gets each. */
      readonly marks: readonly {
        readonly fwmark: number;
        readonly family: IpFamily;
        readonly addresses: readonly IpAddress[];
      }[];
      /** Interfaces that advertisements come in by, and the addresses of the other directors. */
      readonly advertisements: readonly { readonly interface: string; readonly family: 4 | 6 }[];
      readonly peers: readonly IpAddress[];
      readonly masquerades: boolean;
      readonly connectionSync: 'off' | 'kernel' | 'relay';
      /** What the mode needs of the kernel's settings while the agent runs. */
      readonly syncRequirements: readonly Requirement[];
    };

/** The agent. */
export type AgentFacts =
  | { readonly kind: 'absent'; readonly socket: string; readonly message: string }
  | {
      readonly kind: 'running';
      readonly socket: string;
      /** Names of virtual routers that are Active here. */
      readonly active: readonly string[];
      readonly splitBrain: readonly string[];
      /** What its status says is wrong, in words. */
      readonly troubles: readonly string[];
    };

/** Who answers for an address on an interface: to ARP, or to a neighbor solicitation of IPv6. */
export interface ArpFact {
  readonly address: IpAddress;
  readonly interface: string;
  /** MAC addresses of other machines. */
  readonly answers: readonly string[];
}

/**
 * What a ping of a server found. `refused`: the server says that it takes no tunnels. `undefined`:
 * not asked.
 */
export type EchoOutcome = 'answered' | 'silent' | 'refused' | undefined;

/** What was found by asking a server. */
export interface ServerProbeFact {
  readonly address: IpAddress;
  /** Absent: nobody answers for it on the link, or it is behind a router. */
  readonly macAddress?: string;
  /** Whether it is on a network of this machine. */
  readonly onLink: boolean;
  readonly interface?: string;
  /** From an address of this machine to the server's own. */
  readonly own: EchoOutcome;
  /** From an address that this machine does not have: answered when the way back leads here. */
  readonly foreign: EchoOutcome;
  readonly foreignSource?: IpAddress;
  /** To a virtual address, straight to the server, by virtual address. */
  readonly direct: Readonly<Record<string, EchoOutcome>>;
  /** To a virtual address inside of a tunnel, for each way to wrap it. */
  readonly tunnelled: readonly TunnelledFact[];
  /** Of the size of a full packet in a tunnel, unfragmented. */
  readonly large: { readonly bytes: number; readonly outcome: EchoOutcome } | undefined;
}

/** What became of a ping in a tunnel. */
export interface TunnelledFact {
  readonly virtual: IpAddress;
  /** Absent: IP in IP. */
  readonly encapsulation?: TunnelEncapsulation;
  readonly outcome: EchoOutcome;
}

/** What became of a connection to a server's port. */
export interface ConnectFact {
  readonly address: IpAddress;
  readonly port: number;
  readonly outcome: 'connected' | 'refused' | 'timeout' | 'unreachable' | 'prohibited';
  readonly detail: string;
}

/** A director. */
export interface DirectorFacts extends MachineFacts {
  readonly role: 'director';
  readonly configuration: ConfigurationFacts;
  readonly agent: AgentFacts;
  readonly table: TableFacts;
  readonly arp: readonly ArpFact[];
  readonly servers: readonly ServerProbeFact[];
  readonly connects: readonly ConnectFact[];
  readonly tracking: { readonly count: number; readonly max: number } | undefined;
  /** How long it was looked, in milliseconds. */
  readonly windowMs: number;
}

/** A TCP or UDP port that something on this machine listens at. */
export interface ListenerFact {
  readonly protocol: 'tcp' | 'udp';
  /** `0.0.0.0` or `::` for every address. */
  readonly address: IpAddress;
  readonly port: number;
}

/** A real server. */
export interface RealServerFacts extends MachineFacts {
  readonly role: 'real-server';
  readonly mode: RealServerMode | 'nat';
  readonly virtualAddresses: readonly IpAddress[];
  /** Addresses that the directors have towards this server; the gateway in NAT mode. */
  readonly directors: readonly IpAddress[];
  /** How packets are wrapped with `tunnel`, each way once; `undefined` is IP in IP. */
  readonly encapsulations: readonly (TunnelEncapsulation | undefined)[];
  /** The devices that must take them out, and the UDP ports before those. */
  readonly tunnels: readonly TunnelDevice[];
  readonly guePorts: readonly (GuePort & { readonly open: boolean })[];
  /** Ports of the services on this machine. */
  readonly ports: readonly { readonly protocol: 'tcp' | 'udp' | 'sctp'; readonly port: number }[];
  readonly listeners: readonly ListenerFact[];
}
