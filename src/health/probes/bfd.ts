/** The BFD probe: what the session that the election runs with a server says. */
import type { IpAddress } from '../../wire/ipAddress.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { failed, inconclusive, type Probe, passed } from './probe.js';

/** What main tells of a session. */
export interface BfdVerdict {
  readonly peer: IpAddress;
  readonly up: boolean;
  readonly detail: string;
}

/** What main told last, by the address of the server. */
let verdicts: ReadonlyMap<IpAddress, BfdVerdict> = new Map();

/** Takes in all sessions; the next probe of each server sees them. */
export function takeBfdVerdicts(sessions: readonly BfdVerdict[]): void {
  verdicts = new Map(sessions.map((session) => [session.peer, session]));
}

/** Sends nothing: the session does that, many times a second. */
export const probeBfd: Probe<ProbeSpecOf<'bfd'>> = async (target) => {
  const verdict = verdicts.get(target.address);
  if (verdict === undefined) {
    return inconclusive('not-known-yet', `nothing is known of a session with ${target.address}`);
  }
  return verdict.up ? passed(verdict.detail) : failed('bfd-session-down', verdict.detail);
};
