/** The TCP probe: a server that completes the handshake passes, and says what it must if asked. */
import type { ProbeSpecOf } from '../probeSpec.js';
import { runSteps } from './exchangeSteps.js';
import { notConnectedInTime, overStream } from './overStream.js';
import { converse } from './peer.js';
import { type Probe, type ProbeOutcome, passed } from './probe.js';

/** How long it took is in the report of the check. */
const connected = passed('connected');

/** Connects, exchanges what the check wants exchanged, and resets the connection at once. */
export const probeTcp: Probe<ProbeSpecOf<'tcp'>> = (target, spec, signal) => {
  const { steps, origin } = spec;
  if (steps !== undefined) {
    return converse(target, { origin }, signal, (peer) => runSteps(peer, steps));
  }
  return overStream<ProbeOutcome>(target, origin, signal, (settle) => ({
    connected: () => settle(connected),
    progress: () => notConnectedInTime,
  }));
};
