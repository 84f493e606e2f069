/** The ICMP probe: an echo request, version 4 or 6, that must come back as it went. */
import { randomFillSync } from 'node:crypto';
import { familyOf } from '../../wire/ipAddress.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { exchangeDatagram } from './datagram.js';
import { type Probe, passed } from './probe.js';

/** Types of request and answer (RFC 792; RFC 4443, 4). */
const types = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;

const headerBytes = 8;

/** The kernel fills in checksum and identifier, and gives us the answers to our own alone. */
export const probeIcmp: Probe<ProbeSpecOf<'icmp'>> = (target, spec, signal) => {
  const { request, reply } = types[familyOf(target.address)];
  const startedMs = performance.now();
  const payload = Buffer.alloc(headerBytes + spec.payloadBytes);
  payload[0] = request;
  payload[7] = 1;
  // Nobody who did not get the request can answer it.
  randomFillSync(payload, headerBytes);
  const onAnswer = (bytes: Buffer) => {
    const isOurs =
      bytes[0] === reply && bytes.subarray(headerBytes).equals(payload.subarray(headerBytes));
    if (!isOurs) return undefined;
    return passed(`answered in ${(performance.now() - startedMs).toFixed(1)} ms`);
  };
  return exchangeDatagram(target, { kind: 'echo', origin: spec.origin, payload, onAnswer }, signal);
};
