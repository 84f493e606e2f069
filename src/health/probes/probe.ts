/** The shape of a probe and of what it finds. */
import type { IpAddress } from '../../wire/ipAddress.js';
import type { ProbeSpec } from '../probeSpec.js';
import type { ProbeFailure, ProbeInconclusive } from '../reasons.js';
import { printable } from './printable.js';

/** Whom a probe asks. */
export interface ProbeTarget {
  readonly address: IpAddress;
  readonly port: number;
}

/** The server is as it should be. */
export type PassedOutcome = Extract<ProbeOutcome, { readonly result: 'passed' }>;

/** What one probe found. `detail` is for a person: printable, at most 200 characters. */
export type ProbeOutcome =
  | {
      readonly result: 'passed';
      readonly reason: 'passed';
      readonly detail: string;
      /**
       * What share of its configured weight the server asks for, 0..100: agents, scripts and files
       * say so. Absent: the whole of it.
       */
      readonly weightPercent?: number;
      /** Most connections that the server wants at a time, at least 1; absent: as configured. */
      readonly connectionsMax?: number;
    }
  | { readonly result: 'failed'; readonly reason: ProbeFailure; readonly detail: string }
  | {
      /** Nothing is known of the server: the fault is on this side. */
      readonly result: 'inconclusive';
      readonly reason: ProbeInconclusive;
      readonly detail: string;
    };

/**
 * Asks a server once. The signal is the deadline of the whole probe, from the connection to the
 * last byte: when it fires, the probe must settle at once, with `timeout`. However it settles, its
 * socket is gone by then. A rejection is a bug, and is treated as `internal-error`.
 */
export type Probe<Spec extends ProbeSpec = ProbeSpec> = (
  target: ProbeTarget,
  spec: Spec,
  signal: AbortSignal,
) => Promise<ProbeOutcome>;

/** The server is as it should be. */
export function passed(detail: string, weightPercent?: number): PassedOutcome {
  const outcome = { result: 'passed', reason: 'passed', detail: printable(detail) } as const;
  return weightPercent === undefined ? outcome : { ...outcome, weightPercent };
}

/** The server is not as it should be. */
export function failed(reason: ProbeFailure, detail: string): ProbeOutcome {
  return { result: 'failed', reason, detail: printable(detail) };
}

/** This side could not ask. */
export function inconclusive(reason: ProbeInconclusive, detail: string): ProbeOutcome {
  return { result: 'inconclusive', reason, detail: printable(detail) };
}
