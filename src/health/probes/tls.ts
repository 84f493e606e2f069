/** The TLS probe: the handshake, and a certificate that is as it must be, for long enough. */
import { TLSSocket } from 'node:tls';
import type { ProbeSpecOf } from '../probeSpec.js';
import { runSteps } from './exchangeSteps.js';
import { converse } from './peer.js';
import { type Probe, passed } from './probe.js';
import { validityText } from './tlsSettings.js';

/** Completes the handshake, judges the certificate, and exchanges what the check wants. */
export const probeTls: Probe<ProbeSpecOf<'tls'>> = (target, { tls, steps, origin }, signal) =>
  converse(target, { origin, tls }, signal, async (peer) => {
    if (steps !== undefined) return runSteps(peer, steps);
    const { socket } = peer;
    return passed(socket instanceof TLSSocket ? validityText(socket, Date.now()) : 'connected');
  });
