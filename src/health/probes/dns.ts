/** The DNS probe: a question, and an answer with the records that the check expects. */
import { randomInt } from 'node:crypto';
import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet';
import type { ProbeSpecOf } from '../probeSpec.js';
import { exchangeDatagram } from './datagram.js';
import { isRecord, normalizedRecord, recordText } from './dnsRecordText.js';
import { converse } from './peer.js';
import { failed, type Probe, type ProbeOutcome, passed } from './probe.js';

type DnsProbeSpec = ProbeSpecOf<'dns'>;

/** The library gives the response code as well, and its types do not tell. */
type DnsAnswer = DecodedPacket & { readonly rcode?: string };

/** The flag that asks for recursion (RFC 1035, 4.1.1). */
const recursionDesired = 0x100;
/** The length of a message over TCP goes before it (RFC 1035, 4.2.2). */
const lengthBytes = 2;

/** Asks once. An answer with another number, or to another question, is none. */
export const probeDns: Probe<DnsProbeSpec> = (target, spec, signal) => {
  const { origin, transport } = spec;
  const id = randomInt(65_536);
  const payload = encode(question(spec, id));
  if (transport === 'udp') {
    const onAnswer = (bytes: Buffer) => judge(spec, id, bytes);
    return exchangeDatagram(target, { kind: 'datagram', origin, payload, onAnswer }, signal);
  }
  return converse(target, { origin }, signal, async (peer) => {
    const length = Buffer.alloc(lengthBytes);
    length.writeUInt16BE(payload.length);
    peer.write(Buffer.concat([length, payload]));
    const bytes = await peer.take('the answer', (received) => {
      const whole =
        received.length < lengthBytes ? Infinity : lengthBytes + received.readUInt16BE();
      return received.length < whole ? undefined : whole;
    });
    const outcome = judge(spec, id, bytes.subarray(lengthBytes));
    return outcome ?? failed('malformed-response', 'the answer is to another question');
  });
};

function question(spec: DnsProbeSpec, id: number): Packet {
  return {
    type: 'query',
    id,
    flags: spec.recursion ? recursionDesired : 0,
    questions: [{ type: spec.recordType, name: spec.name }],
  };
}

function judge(spec: DnsProbeSpec, id: number, bytes: Buffer): ProbeOutcome | undefined {
  let packet: DnsAnswer;
  try {
    packet = decode(bytes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return failed('malformed-response', `no DNS message: ${text}`);
  }
  if (packet.id !== id || packet.type !== 'response' || !echoes(packet, spec)) return undefined;
  const code = packet.rcode ?? 'NOERROR';
  if (packet.flag_tc)
    return failed('truncated', 'the answer is too long for UDP: use transport tcp');
  if (code !== spec.responseCode) return failed('unexpected-answer', code);
  const texts = (packet.answers ?? [])
    .filter((record) => record.type === spec.recordType)
    .map((record) => recordText(record));
  const missing = spec.answers.find((answer) => {
    const wanted = normalizedRecord(spec.recordType, answer);
    return !texts.some((text) => isRecord(spec.recordType, wanted, text));
  });
  const list = texts.length === 0 ? 'nothing' : texts.join(', ');
  if (missing !== undefined) return failed('unexpected-answer', `${missing} is not in: ${list}`);
  if (texts.length < spec.answersMin) {
    return failed('unexpected-answer', `fewer than ${spec.answersMin} records: ${list}`);
  }
  return passed(`${code}: ${list}`);
}

/** A server that could not read the question, or refuses it, need not repeat it. */
function echoes(packet: DnsAnswer, { name, recordType }: DnsProbeSpec): boolean {
  const [asked] = packet.questions ?? [];
  if (asked === undefined) return (packet.rcode ?? 'NOERROR') !== 'NOERROR';
  return asked.type === recordType && nameOf(asked.name) === nameOf(name);
}

function nameOf(text: string): string {
  return text.toLowerCase().replace(/\.$/, '');
}
