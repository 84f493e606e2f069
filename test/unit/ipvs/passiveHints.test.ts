import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ServerCounters, suspects } from '../../../src/ipvs/passiveHints.js';

const zero: ServerCounters = {
  isTcp: true,
  seesAnswers: true,
  connections: 0n,
  incomingPackets: 0n,
  outgoingPackets: 0n,
};
const direct = { ...zero, seesAnswers: false };

for (const [title, before, change, expected] of [
  ['answers', zero, { connections: 5n, incomingPackets: 40n, outgoingPackets: 38n }, false],
  ['takes packets and answers none', zero, { incomingPackets: 9n }, true],
  ['is asked too little to tell', zero, { connections: 2n, incomingPackets: 2n }, false],
  ['refuses every connection', zero, counts(4n, 4n, 4n), true],
  ['gets one packet for each connection, by direct routing', direct, counts(4n, 5n, 0n), true],
  ['gets more than that', direct, counts(4n, 16n, 0n), false],
  ['has old connections only, by direct routing', direct, counts(0n, 50n, 0n), false],
  ['has datagrams, by direct routing', { ...direct, isTcp: false }, counts(9n, 9n, 0n), false],
] as const) {
  test(`a server that ${title} is ${expected ? 'suspected' : 'left alone'}`, () => {
    const found = suspects(new Map([['a', before]]), new Map([['a', { ...before, ...change }]]), {
      connectionsMin: 3,
    });
    assert.deepEqual(found, expected ? ['a'] : []);
  });
}

test('counters that were zeroed, or are new, say nothing', () => {
  const rules = { connectionsMin: 1 };
  const before = new Map([['a', { ...zero, ...counts(100n, 900n, 800n) }]]);
  assert.deepEqual(
    suspects(before, new Map([['a', { ...zero, ...counts(5n, 5n, 0n) }]]), rules),
    [],
  );
  assert.deepEqual(suspects(new Map(), before, rules), []);
});

test('whatever the counters are, a server without news is never suspected', () => {
  const anyCounter = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const any = fc.record({
    isTcp: fc.boolean(),
    seesAnswers: fc.boolean(),
    connections: anyCounter,
    incomingPackets: anyCounter,
    outgoingPackets: anyCounter,
  });
  fc.assert(
    fc.property(any, fc.integer({ min: 1, max: 100 }), (counters, connectionsMin) => {
      const same = new Map([['a', counters]]);
      assert.deepEqual(suspects(same, new Map(same), { connectionsMin }), []);
    }),
  );
});

function counts(connections: bigint, incomingPackets: bigint, outgoingPackets: bigint) {
  return { connections, incomingPackets, outgoingPackets };
}
