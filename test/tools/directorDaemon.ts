/** What ours and keepalived have in common, so that they can take each other's place. */
import type { IpFamily } from '../../src/wire/ipAddress.js';
import type { VrrpVersion } from '../../src/wire/vrrp.js';
import type { DirectorName } from './lan.js';

/** The programs that can run a director. */
export const directorPrograms = ['tandem', 'keepalived'] as const;

/** One of {@link directorPrograms}. */
export type DirectorProgram = (typeof directorPrograms)[number];

/** How an election is held; what is left out is version 3, IPv4, multicast, with preemption. */
export interface ElectionMode {
  readonly version?: VrrpVersion;
  /** Simple-text authentication, of version 2. */
  readonly password?: string;
  /** keepalived sends behind the IPsec Authentication Header; ours cannot. */
  readonly authenticationHeader?: boolean;
  readonly family?: IpFamily;
  /** Adverts go from director to director instead of to the group. */
  readonly unicast?: boolean;
  /** The addresses are on a macvlan with the MAC address of the virtual router. */
  readonly virtualMac?: boolean;
  /** False: a higher priority is no reason to take over from a router that works. */
  readonly preempt?: boolean;
  /** All virtual routers change their state together. */
  readonly isSyncGroup?: boolean;
  /** Virtual routers that share the addresses; as few as have room for them unless given. */
  readonly routerCount?: number;
}

/** The virtual router that both directors take part in. */
export interface RouterSettings extends ElectionMode {
  readonly priority: number;
  /** A multiple of 10 (the wire has centiseconds). */
  readonly advertIntervalMs: number;
  /** Virtual addresses in all; one unless given. */
  readonly addressCount?: number;
  /** A file whose number is taken off the priority, and the priority of the other director. */
  readonly load?: { readonly path: string; readonly peerPriority: number };
  /** Whether ours speaks BFD of 50 ms times 3 with its peer; keepalived cannot. */
  readonly bfd?: boolean;
  /** Whether keepalived elects as a real-time process, as ours does where it may. */
  readonly realtime?: boolean;
}

/** The identifier of that virtual router. */
export const vrid = 51;

/** A running director. */
export interface DirectorDaemon {
  readonly program: DirectorProgram;
  readonly node: DirectorName;
  /** Resolves when it hears adverts and takes part in the election. */
  waitUntilReady(): Promise<void>;
  /** Tells it to stop, which it does politely, without waiting for that. */
  tellToStop(): void;
  /** Stops it politely and waits for its end. */
  stop(): Promise<void>;
  /** Ends all of it at once, as a crash does: no goodbye, and the address stays where it is. */
  kill(): Promise<void>;
  /** Ends the program by SIGKILL, and lets what is there for that case clean up after it. */
  crash(): Promise<void>;
  /** Stops it in its tracks (SIGSTOP); `stop` and `kill` end it all the same. */
  freeze(): void;
  /** How often a virtual router of it has changed its state, by its own log. */
  readonly stateChanges: number;
  /** The end of its log, for errors. */
  readonly logTail: string;
}
