import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
  peerMessageTable,
} from '../../../src/wire/peerMessage.js';
import { PeerFrameReader } from '../../../src/wire/peerMessageFrame.js';
import { WireError } from '../../../src/wire/wireError.js';

const text = (lengthMax: number) =>
  fc
    .array(fc.integer({ min: 0x20, max: 0x7e }), { maxLength: lengthMax })
    .map((codes) => String.fromCharCode(...codes));
const count = fc.integer({ min: 0, max: 0xffff_ffff });
const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const vrid = fc.integer({ min: 1, max: 255 });
const addresses = fc.array(text(50), { maxLength: 4 });
const key = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,31}$/);

const messages: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record({
    type: fc.constant('overrides' as const),
    records: fc.array(
      fc.record({
        server: text(160),
        kind: text(32),
        folderOf: text(63),
        holds: fc.boolean(),
        weight: fc.integer({ min: 0, max: 2_147_483_647 }),
        atUnixMs: time,
        node: text(63),
        user: text(64),
        reason: fc.constantFrom('', 'disks', '新磁盘'),
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({
    type: fc.constant('hello' as const),
    protocolVersion: fc.integer({ min: 0, max: 0xffff }),
    cluster: text(63),
    node: text(63),
    agentVersion: text(64),
    startedUnixMs: time,
  }),
  fc.constant({ type: 'welcome' as const }),
  fc.record({ type: fc.constant('refusal' as const), reason: text(64), detail: text(200) }),
  fc.record({ type: fc.constant('heartbeat' as const), sequence: count, stateAgeMs: time }),
  fc.record({ type: fc.constant('heartbeatAnswer' as const), sequence: count }),
  fc.record({
    type: fc.constant('vrrpState' as const),
    sentUnixMs: time,
    routers: fc.array(
      fc.record({
        name: text(63),
        vrid,
        state: text(32),
        effectivePriority: fc.integer({ min: 0, max: 255 }),
        addresses,
        sinceUnixMs: time,
        reason: text(64),
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({
    type: fc.constant('configDigest' as const),
    digest: text(64),
    routers: fc.array(
      fc.record({
        name: text(63),
        vrid,
        digest: text(64),
        values: fc.dictionary(key, text(200), { maxKeys: 4, noNullPrototype: true }),
        addresses,
      }),
      { maxLength: 4 },
    ),
  }),
);

function frameOf(bytes: Uint8Array) {
  const [frame] = new PeerFrameReader().push(bytes);
  assert.ok(frame !== undefined);
  return frame;
}

/** A frame of a type with any JSON value in it. */
function jsonFrame(type: number, value: unknown, version = 1) {
  return { type, version, payload: new TextEncoder().encode(JSON.stringify(value)) };
}

const vectors: readonly { readonly message: PeerMessage; readonly head: string; json: string }[] = [
  {
    message: {
      type: 'hello',
      protocolVersion: 1,
      cluster: 'web',
      node: 'lb1',
      agentVersion: '0.1.0',
      startedUnixMs: 1000,
    },
    head: '0000005e00010100',
    json:
      '{"protocolVersion":1,"cluster":"web","node":"lb1","agentVersion":"0.1.0",' +
      '"startedUnixMs":1000}',
  },
  { message: { type: 'welcome' }, head: '0000000200020100', json: '{}' },
  {
    message: { type: 'refusal', reason: 'wrong-cluster', detail: 'web, not shop' },
    head: '0000003300030100',
    json: '{"reason":"wrong-cluster","detail":"web, not shop"}',
  },
  {
    message: { type: 'heartbeat', sequence: 7, stateAgeMs: 250 },
    head: '0000001f00040100',
    json: '{"sequence":7,"stateAgeMs":250}',
  },
  {
    message: { type: 'heartbeatAnswer', sequence: 7 },
    head: '0000000e00050100',
    json: '{"sequence":7}',
  },
  {
    message: {
      type: 'vrrpState',
      sentUnixMs: 5,
      routers: [
        {
          name: 'outside',
          vrid: 51,
          state: 'active',
          effectivePriority: 150,
          addresses: ['192.0.2.100/24'],
          sinceUnixMs: 4,
          reason: 'startup',
        },
      ],
    },
    head: '000000a400060100',
    json:
      '{"sentUnixMs":5,"routers":[{"name":"outside","vrid":51,"state":"active",' +
      '"effectivePriority":150,"addresses":["192.0.2.100/24"],"sinceUnixMs":4,' +
      '"reason":"startup"}]}',
  },
  {
    message: {
      type: 'configDigest',
      digest: 'ab',
      routers: [{ name: 'x', vrid: 1, digest: 'cd', values: { version: '3' }, addresses: [] }],
    },
    head: '0000006700070100',
    json:
      '{"digest":"ab","routers":[{"name":"x","vrid":1,"digest":"cd",' +
      '"values":{"version":"3"},"addresses":[]}]}',
  },
  {
    message: {
      type: 'overrides',
      records: [
        {
          server: 'web/10.0.0.2:80',
          kind: 'drain',
          folderOf: '',
          holds: true,
          weight: 0,
          atUnixMs: 5,
          node: 'lb1',
          user: 'alice',
          reason: 'disks',
        },
      ],
    },
    head: '0000009900100100',
    json:
      '{"records":[{"server":"web/10.0.0.2:80","kind":"drain","folderOf":"","holds":true,' +
      '"weight":0,"atUnixMs":5,"node":"lb1","user":"alice","reason":"disks"}]}',
  },
];

test('every message has a vector', () => {
  assert.deepEqual(
    vectors.map(({ message }) => message.type),
    Object.keys(peerMessageTable),
  );
});

for (const { message, head, json } of vectors) {
  test(`${message.type} is these bytes, and these bytes are it`, () => {
    const bytes = Buffer.from(encodePeerMessage(message));
    assert.equal(bytes.subarray(8).toString(), json);
    assert.equal(bytes.subarray(0, 8).toString('hex'), head);
    assert.deepEqual(decodePeerMessage(frameOf(bytes)), message);
  });
}

test('every message comes out as it went in', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const heard = decodePeerMessage(frameOf(encodePeerMessage(message)));
      // The records of fast-check may have no prototype; a clone has one.
      assert.deepEqual(heard, structuredClone(message));
    }),
  );
});

test('a type of a newer version of the program is skipped', () => {
  assert.equal(decodePeerMessage(jsonFrame(999, { anything: true })), undefined);
  assert.equal(decodePeerMessage({ type: 999, version: 1, payload: Uint8Array.of(1) }), undefined);
});

test('a known type in a version that is not known is skipped', () => {
  assert.equal(decodePeerMessage(jsonFrame(4, { other: 'shape' }, 2)), undefined);
});

test('a field that is not known is left out', () => {
  const frame = jsonFrame(5, { sequence: 1, added: 'later' });
  assert.deepEqual(decodePeerMessage(frame), { type: 'heartbeatAnswer', sequence: 1 });
});

const malformed: readonly (readonly [title: string, type: number, value: unknown])[] = [
  ['a missing field', 4, { sequence: 1 }],
  ['a text in place of a number', 5, { sequence: '1' }],
  ['a number out of its range', 5, { sequence: -1 }],
  ['a fraction', 5, { sequence: 1.5 }],
  ['a list in place of a mapping', 5, [1]],
  ['null', 5, null],
  ['a control character', 3, { reason: 'x\u001b[2J', detail: '' }],
  ['a text that is too long', 3, { reason: 'x'.repeat(65), detail: '' }],
  ['a list that is too long', 6, { sentUnixMs: 1, routers: Array(1025).fill({}) }],
  [
    'a name that would reach a prototype',
    7,
    {
      digest: '',
      routers: [
        JSON.parse('{"name":"x","vrid":1,"digest":"","addresses":[],"values":{"__proto__":"a"}}'),
      ],
    },
  ],
];

for (const [title, type, value] of malformed) {
  test(`a message with ${title} is a WireError`, () => {
    assert.throws(() => decodePeerMessage(jsonFrame(type, value)), WireError);
  });
}

test('what cannot be sent is a WireError too', () => {
  const message: PeerMessage = { type: 'refusal', reason: 'x', detail: 'y'.repeat(201) };
  assert.throws(() => encodePeerMessage(message), WireError);
});

test('random payloads of every type give messages or a WireError, and nothing else', () => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json({ maxDepth: 4 }).map((json) => new TextEncoder().encode(json)),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9 }), payload, (type, bytes) => {
      try {
        decodePeerMessage({ type, version: 1, payload: bytes });
      } catch (error) {
        assert.ok(error instanceof WireError);
      }
    }),
    { numRuns: 10_000 },
  );
});

test('mutated messages give messages or a WireError, and nothing else', () => {
  fc.assert(
    fc.property(messages, fc.nat(), fc.nat(255), (message, position, byte) => {
      const bytes = encodePeerMessage(message);
      bytes[8 + (position % Math.max(1, bytes.length - 8))] = byte;
      try {
        decodePeerMessage(frameOf(bytes));
      } catch (error) {
        assert.ok(error instanceof WireError);
      }
    }),
    { numRuns: 5_000 },
  );
});
