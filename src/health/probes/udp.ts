/** The UDP probe: a datagram of the check's, and an answer as expected. */
import type { ProbeSpecOf } from '../probeSpec.js';
import { exchangeDatagram } from './datagram.js';
import { meets, unexpected } from './exchangeSteps.js';
import { type Probe, passed } from './probe.js';

/** Silence is a failure, unless the check says otherwise; a closed port is one in any case. */
export const probeUdp: Probe<ProbeSpecOf<'udp'>> = (target, spec, signal) => {
  const { origin, payloadBase64, expect, silencePasses } = spec;
  const onAnswer = (bytes: Buffer) => {
    const verdict = expect === undefined ? true : meets(expect, bytes);
    if (typeof verdict === 'object') return verdict;
    return verdict ? passed(bytes.toString('utf8', 0, 200)) : unexpected(bytes);
  };
  const payload = Buffer.from(payloadBase64, 'base64');
  const silence = { onSilence: () => passed('nothing came, and nobody refused it') };
  const options = { kind: 'datagram', origin, payload, onAnswer } as const;
  return exchangeDatagram(target, silencePasses ? { ...options, ...silence } : options, signal);
};
