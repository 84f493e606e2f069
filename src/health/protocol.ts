/**
 * The messages between the main thread and the health thread, and the values in them. Everything
 * here survives structured cloning; times that cross threads are Unix milliseconds.
 */

import type { LogLevel } from '../vrrp/protocol.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { ProbeSpec } from './probeSpec.js';
import type { HealthState, ProbeReason } from './reasons.js';

/** How often, how long and how many. */
export interface CheckTiming {
  readonly intervalMs: number;
  /** While the verdict may be about to change; absent: `intervalMs`. */
  readonly changingIntervalMs?: number;
  /** While the server is down; absent: `intervalMs`. */
  readonly downIntervalMs?: number;
  /** Each probe is put off by up to this part of the interval, 0..50; absent: 0. */
  readonly jitterPercent?: number;
  /** Total deadline of one probe, connection included. */
  readonly timeoutMs: number;
  /** This many passes in a row bring a server up again. */
  readonly rise: number;
  /** This many failures in a row take it down. */
  readonly fall: number;
}

/** One server to be checked. */
export interface CheckSpec {
  /** Unique in a configuration. Equal checks of one backend are one, whoever wants to know. */
  readonly id: string;
  readonly address: IpAddress;
  readonly port: number;
  readonly probe: ProbeSpec;
  readonly timing: CheckTiming;
}

/** A BFD session, as far as a check wants to know. */
export interface SessionState {
  readonly name: string;
  readonly peer: IpAddress;
  /** `undefined`: it says nothing. */
  readonly up: boolean | undefined;
  /** For a person. */
  readonly detail: string;
}

/** From main to the health thread. */
export type ToHealth =
  /** The whole set of checks. Those that are equal to before keep their timers and verdicts. */
  | { readonly type: 'configure'; readonly checks: readonly CheckSpec[] }
  /** Something else makes these look bad: they are probed at once instead of when they are due. */
  | { readonly type: 'hint'; readonly ids: readonly string[] }
  /** All BFD sessions; the checks that ask about one that has changed are made at once. */
  | { readonly type: 'sessions'; readonly sessions: readonly SessionState[] }
  | { readonly type: 'stop' };

/** What is known of one server. */
export interface CheckReport {
  readonly id: string;
  readonly state: HealthState;
  readonly sinceUnixMs: number;
  /** Passes or failures in a row that speak against the present state. */
  readonly streak: number;
  readonly last: {
    readonly reason: ProbeReason;
    /** For a person: the status line, the errno, a snippet of the body. At most 200 characters. */
    readonly detail: string;
    readonly atUnixMs: number;
    readonly durationMs: number;
  } | null;
  readonly probes: { readonly passed: number; readonly failed: number; readonly unknown: number };
  /** The share of its weight that the server asked for when it last passed; absent: all. */
  readonly weightPercent?: number;
  /** Most connections that it wanted then; absent: as configured. */
  readonly connectionsMax?: number;
}

/** How a health thread keeps up, over the last few seconds. */
export interface HealthLoad {
  readonly checks: number;
  readonly probesPerSecond: number;
  /** How long after they were due the probes began, in milliseconds. */
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Since the thread started: see `SchedulerCounters`. */
  readonly skipped: number;
  readonly deferred: number;
  readonly stalls: number;
}

/** From the health thread to main. */
export type FromHealth =
  /**
   * Reports of the checks whose state or last reason changed, at once, but at most one message
   * every `batchIntervalMs`; with `complete`, of all of them. From time to time all are sent again,
   * so that a lost message heals: with many checks in several messages, one after the other.
   */
  | {
      readonly type: 'reports';
      readonly complete: boolean;
      readonly reports: readonly CheckReport[];
    }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    }
  /** Sent whenever reports are sent again. */
  | { readonly type: 'load'; readonly load: HealthLoad }
  | { readonly type: 'stopped' };
