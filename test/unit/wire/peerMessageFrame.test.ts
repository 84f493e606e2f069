import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encodePeerFrame,
  type PeerFrame,
  PeerFrameReader,
  peerFrameHeaderBytes,
  peerPayloadBytesMax,
} from '../../../src/wire/peerMessageFrame.js';
import { WireError } from '../../../src/wire/wireError.js';

const frames = fc.array(
  fc.record({
    type: fc.integer({ min: 0, max: 0xffff }),
    version: fc.integer({ min: 0, max: 0xff }),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 8 },
);

/** Cuts bytes into pieces of the given lengths, over and over. */
function pieces(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const result: Uint8Array[] = [];
  for (let start = 0, index = 0; start < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] ?? 1;
    result.push(bytes.subarray(start, start + length));
    start += length;
  }
  return result;
}

test('a frame is length, type, version, a zero, and the payload', () => {
  const bytes = encodePeerFrame({ type: 0x0102, version: 3, payload: Uint8Array.of(0xaa, 0xbb) });
  assert.equal(Buffer.from(bytes).toString('hex'), '0000000201020300aabb');
});

test('frames come out as they went in, whatever pieces the stream is cut into', () => {
  fc.assert(
    fc.property(
      frames,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      (sent, lengths) => {
        const reader = new PeerFrameReader();
        const stream = Buffer.concat(sent.map(encodePeerFrame));
        const heard = pieces(stream, lengths).flatMap((piece) => [...reader.push(piece)]);
        // The records of fast-check may have no prototype; a clone has one.
        assert.deepEqual(heard, structuredClone(sent));
      },
    ),
  );
});

test('a frame without a payload is complete with its header', () => {
  const frame: PeerFrame = { type: 2, version: 1, payload: new Uint8Array() };
  assert.deepEqual(new PeerFrameReader().push(encodePeerFrame(frame)), [frame]);
});

test('a payload that is too long is refused by its header alone', () => {
  const head = Buffer.alloc(peerFrameHeaderBytes);
  head.writeUInt32BE(peerPayloadBytesMax + 1);
  assert.throws(() => new PeerFrameReader().push(head), {
    name: 'WireError',
    reason: 'bad-length',
  });
  const payload = new Uint8Array(peerPayloadBytesMax + 1);
  assert.throws(() => encodePeerFrame({ type: 1, version: 1, payload }), { reason: 'bad-length' });
});

test('the longest payload that is allowed passes', () => {
  const payload = new Uint8Array(peerPayloadBytesMax).fill(7);
  const reader = new PeerFrameReader();
  const [frame] = reader.push(encodePeerFrame({ type: 1, version: 1, payload }));
  assert.equal(frame?.payload.length, peerPayloadBytesMax);
});

test('random bytes give frames or a WireError, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        new PeerFrameReader().push(bytes);
      } catch (error) {
        assert.ok(error instanceof WireError);
      }
    }),
    { numRuns: 5_000 },
  );
});
