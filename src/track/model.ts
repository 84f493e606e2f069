/**
 * Trackers: what a director looks at beside the election, and what follows for its virtual routers
 * when it fails. Values only, which survive structured cloning.
 */
import type { IpAddress, IpPrefix } from '../wire/ipAddress.js';

/** What is followed by the vrrp thread itself, so that the reaction is immediate. */
export type LinkSubject =
  /** Passes while the interface is there, up and has a carrier. */
  | { readonly type: 'interface'; readonly interface: string }
  /** Passes while the machine has the address. */
  | {
      readonly type: 'address';
      readonly address: IpAddress;
      /** Absent: on whatever interface. */
      readonly interface?: string;
    }
  /** Passes while the table has the route, and it can be used. */
  | {
      readonly type: 'route';
      /** Exactly this destination; length 0 is the default route of its family. */
      readonly destination: IpPrefix;
      readonly gateway?: IpAddress;
      readonly interface?: string;
      /** Number of the routing table; 254 is the main one. */
      readonly table: number;
    };

/** A command that passes while it ends with status 0. */
export interface ScriptSubject {
  readonly type: 'script';
  /** The program by its absolute path, then its arguments; no shell is involved. */
  readonly command: readonly string[];
  /** `name`, `uid`, `name:group` or `uid:gid`; absent: `defaultUser` of `commandUser.ts`. */
  readonly user?: string;
  readonly intervalMs: number;
  /** After this the command and all that it has started are ended. */
  readonly timeoutMs: number;
  /** This many passes in a row make it pass again. */
  readonly rise: number;
  /** This many failures in a row make it fail. */
  readonly fall: number;
  /** What holds until the first verdict. */
  readonly initially: 'passing' | 'failing';
}

/** A file that holds an integer: what is taken off the priority. */
export interface FileSubject {
  readonly type: 'file';
  readonly path: string;
  /** Stands for the content of a file that is not there. */
  readonly valueWhenMissing: number;
}

/** Processes of this machine. At least one of `process` and `commandContains` is there. */
export interface ProcessSubject {
  readonly type: 'process';
  /** Name of the program, as `ps -o comm` shows it. */
  readonly process?: string;
  /** Text that the command line contains, its arguments joined by spaces. */
  readonly commandContains?: string;
  /** Fewest processes with which it passes. */
  readonly min: number;
  /** Most processes with which it passes; absent: any number. */
  readonly max?: number;
  readonly intervalMs: number;
  /** How long the number must be wrong, or right again, before that counts. */
  readonly delayMs: number;
}

/** A virtual service of the configuration. */
export interface ServiceSubject {
  readonly type: 'service';
  readonly service: string;
  /** Fewest servers that must be up. */
  readonly minServersUp: number;
}

/** A BFD session of the configuration. */
export interface BfdSubject {
  readonly type: 'bfd';
  readonly session: string;
}

/** What the main thread follows. */
export type MainSubject =
  | ScriptSubject
  | FileSubject
  | ProcessSubject
  | ServiceSubject
  | BfdSubject;

/** What a tracker looks at. */
export type TrackerSubject = LinkSubject | MainSubject;

/** What a failure means for one virtual router. */
export interface TrackerEffect {
  readonly router: string;
  /**
   * What is taken off the priority while the tracker fails, -253..253; a negative one is added. A
   * file's value is multiplied by it. 0: the router does not run while the tracker fails.
   */
  readonly weight: number;
}

/** One tracker. */
export interface TrackerSpec<Subject extends TrackerSubject = TrackerSubject> {
  readonly name: string;
  readonly subject: Subject;
  readonly effects: readonly TrackerEffect[];
}

/** A tracker of the vrrp thread. */
export type LinkTrackerSpec = TrackerSpec<LinkSubject>;

/** A tracker of the main thread. */
export type MainTrackerSpec = TrackerSpec<MainSubject>;

/** What one look at a subject found. */
export interface TrackerObservation {
  /** `inconclusive`: nothing could be learned, for a reason of our own. */
  readonly outcome: 'passed' | 'failed' | 'inconclusive';
  /** What a weight is multiplied by: the content of a file; absent: 1. */
  readonly value?: number;
  /** For a person, at most 200 characters. */
  readonly detail: string;
  /** How long it took to learn, where that is of interest. */
  readonly durationMs?: number;
}

/** What is believed of a tracker. `unknown`: no verdict yet, which weighs nothing by itself. */
export type TrackerStatus = 'unknown' | 'passing' | 'failing';

/** One tracker in the status document. */
export interface TrackerReport {
  readonly name: string;
  readonly type: TrackerSubject['type'];
  readonly state: TrackerStatus;
  readonly sinceUnixMs: number;
  /** Observations in a row that speak against the state. */
  readonly streak: number;
  readonly last: {
    readonly outcome: TrackerObservation['outcome'];
    readonly detail: string;
    readonly atUnixMs: number;
    readonly durationMs?: number;
  } | null;
  /** What it does to the routers while it fails, and does now if `state` is `failing`. */
  readonly effects: readonly TrackerEffect[];
}
