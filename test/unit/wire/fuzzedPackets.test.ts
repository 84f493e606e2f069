/** The short form of `npm run bench -- fuzz`; a failing packet is printed in hexadecimal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fuzzer } from '../../bench/fuzzer.js';
import { receiveTargets } from '../../bench/fuzzTargets.js';

const packetCount = 100_000;

test(`${packetCount} mutated packets are judged without a throw, some are accepted`, () => {
  const fuzzer = new Fuzzer(receiveTargets(), 1);
  const failure = fuzzer.run(packetCount);
  assert.equal(failure?.text, undefined);
  for (const { name, packets, accepted, reasons } of fuzzer.counts) {
    assert.ok(accepted > packets / 100 && accepted < packets, `${name} accepts ${accepted}`);
    assert.ok(reasons.size > 0, `${name} refuses some`);
  }
});

test('a receiver that throws is found, with its packet', () => {
  const receive = (packet: Uint8Array): undefined => {
    if (packet.length > 8) throw new RangeError('too long');
  };
  const fuzzer = new Fuzzer([{ name: 'brittle', packets: [new Uint8Array(8)], receive }], 1);
  assert.match(fuzzer.run(1_000)?.text ?? '', /^brittle threw RangeError: too long at [0-9a-f]+$/);
});
