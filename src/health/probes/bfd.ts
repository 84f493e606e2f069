/**
 * The bfd probe: says what a BFD session of this director says. Nothing is sent; the sessions run
 * in the vrrp thread, and main tells this thread of them.
 */
import type { IpAddress } from '../../wire/ipAddress.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import type { SessionState } from '../protocol.js';
import { failed, inconclusive, type Probe, type ProbeTarget, passed } from './probe.js';

type BfdProbeSpec = ProbeSpecOf<'bfd'>;

let byName: ReadonlyMap<string, SessionState> = new Map();
let byPeer: ReadonlyMap<IpAddress, SessionState> = new Map();

/** Takes the states of all sessions; they belong to the thread that calls. */
export function takeSessions(sessions: readonly SessionState[]): void {
  byName = new Map(sessions.map((session) => [session.name, session]));
  byPeer = new Map(sessions.map((session) => [session.peer, session]));
}

/** The session that a check asks about. */
export function sessionOf(
  target: Pick<ProbeTarget, 'address'>,
  spec: BfdProbeSpec,
): SessionState | undefined {
  return spec.session === undefined ? byPeer.get(target.address) : byName.get(spec.session);
}

/** Passes while the session is up. */
export const probeBfd: Probe<BfdProbeSpec> = async (target, spec) => {
  const session = sessionOf(target, spec);
  if (session === undefined) return inconclusive('session-unknown', 'no session has reported yet');
  const { up, detail } = session;
  if (up === undefined) return inconclusive('session-unknown', detail);
  return up ? passed(detail) : failed('session-down', detail);
};
