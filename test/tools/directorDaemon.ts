/** What ours and keepalived have in common, so that they can take each other's place. */
import type { DirectorName } from './lan.js';

/** The programs that can run a director. */
export const directorPrograms = ['tandem', 'keepalived'] as const;

/** One of {@link directorPrograms}. */
export type DirectorProgram = (typeof directorPrograms)[number];

/** The virtual router that both directors take part in. */
export interface RouterSettings {
  readonly priority: number;
  /** A multiple of 10 (the wire has centiseconds). */
  readonly advertIntervalMs: number;
  /** Virtual addresses in all; one unless given. */
  readonly addressCount?: number;
  /** Virtual routers that share them; as few as have room for them unless given. */
  readonly routerCount?: number;
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
  /** The end of its log, for errors. */
  readonly logTail: string;
}
