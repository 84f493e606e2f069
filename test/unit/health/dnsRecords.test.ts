/** Records as an operator writes them, against records as a server sends them. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { type TestContext, test } from 'node:test';
import { type Answer, decode, encode } from 'dns-packet';
import fc from 'fast-check';
import type { DnsRecordType, ProbeSpecOf } from '../../../src/health/probeSpec.js';
import {
  isRecord,
  normalizedRecord,
  recordText,
} from '../../../src/health/probes/dnsRecordText.js';
import { loopback, probeOnce } from './support/servers.js';

const soa = {
  mname: 'ns.example.org',
  rname: 'host.example.org',
  serial: 7,
  refresh: 1,
  retry: 2,
  expire: 3,
  minimum: 4,
};

const name = 'example.org';
const records: readonly (readonly [Answer, readonly string[], readonly string[]])[] = [
  [{ type: 'A', name, data: '192.0.2.1' }, ['192.0.2.1'], ['192.0.2.10', '192.0.2']],
  [{ type: 'AAAA', name, data: '2001:db8::1' }, ['2001:DB8:0::1'], ['2001:db8::10']],
  [{ type: 'NS', name, data: 'ns.example.org' }, ['NS.example.org.'], ['example.org']],
  [
    { type: 'MX', name, data: { preference: 10, exchange: 'mx.example.org' } },
    ['10 mx.example.org', '10  MX.example.org.'],
    ['mx.example.org', '1 mx.example.org'],
  ],
  [{ type: 'TXT', name, data: ['ab', 'C'] }, ['abC', '"abC"'], ['abc', 'ab']],
  [
    { type: 'CAA', name, data: { flags: 0, tag: 'issue', value: 'ca.example' } },
    ['0 issue "ca.example"', '0 issue ca.example'],
    ['0 issuewild ca.example'],
  ],
  [
    { type: 'SOA', name, data: soa },
    [
      'ns.example.org. host.example.org. 7 1 2 3 4',
      'ns.example.org',
      'ns.example.org host.example.org 7',
    ],
    ['ns.example', 'ns.example.org host.example.org 70', 'host.example.org'],
  ],
];

for (const [record, same, others] of records) {
  test(`a record of the kind ${record.type} is known however it is written`, () => {
    const packet = encode({ type: 'response', answers: [record] });
    const [sent] = decode(packet).answers ?? [];
    assert.ok(sent !== undefined);
    const type = record.type as DnsRecordType;
    const matches = (text: string) =>
      isRecord(type, normalizedRecord(type, text), recordText(sent));
    for (const text of same) assert.ok(matches(text), `${text} is ${recordText(sent)}`);
    for (const text of others) assert.ok(!matches(text), `${text} is not ${recordText(sent)}`);
  });
}

test('one form of a record is its own form', () => {
  const types = fc.constantFrom<DnsRecordType>('A', 'AAAA', 'MX', 'SOA', 'CNAME', 'CAA', 'SRV');
  fc.assert(
    fc.property(types, fc.stringMatching(/^[ -~]{1,60}$/), (type, text) => {
      const once = normalizedRecord(type, text);
      fc.pre(!once.includes('"') && !once.includes('..'));
      assert.equal(normalizedRecord(type, once), once);
    }),
  );
});

const spec: ProbeSpecOf<'dns'> = {
  type: 'dns',
  name,
  recordType: 'A',
  transport: 'udp',
  recursion: false,
  responseCode: 'NOERROR',
  answers: [],
  answersMin: 0,
};

/** A server that answers with bytes made from those of the question. */
async function answering(t: TestContext, answer: (question: Buffer) => Buffer) {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.on('message', (bytes, { port, address }) => socket.send(answer(bytes), port, address));
  await new Promise<void>((resolve) => {
    socket.bind({ address: loopback }, resolve);
  });
  return { address: loopback, port: socket.address().port };
}

// No server of Debian leaves the question out: these are the bytes that BIND sends for FORMERR.
test('a refusal need not repeat the question, and a good answer must', async (t) => {
  const header = (code: number) => (question: Buffer) => {
    const bytes = Buffer.alloc(12);
    question.copy(bytes, 0, 0, 2);
    bytes.writeUInt16BE(0x8000 | code, 2);
    return bytes;
  };
  const formatError = await answering(t, header(1));
  const outcome = await probeOnce(formatError, spec);
  assert.deepEqual([outcome.reason, outcome.detail], ['unexpected-answer', 'FORMERR']);
  const wanted = await probeOnce(formatError, { ...spec, responseCode: 'FORMERR' });
  assert.equal(wanted.reason, 'passed');
  const empty = await answering(t, header(0));
  assert.equal((await probeOnce(empty, spec, 200)).reason, 'timeout');
});
