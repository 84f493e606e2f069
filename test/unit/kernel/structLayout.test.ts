import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  internetAddressStruct,
  linkAddressStruct,
  messageHeaderStruct,
  multicastRequestStruct,
  netlinkAddressStruct,
  packetInfoStruct,
  pollDescriptorStruct,
  timeStruct,
  unixAddressStruct,
  vectorStruct,
} from '../../../src/kernel/linuxStructs.js';
import { structLayout } from '../../../src/kernel/structLayout.js';

test('structures have the sizes and offsets that a C compiler gives them on 64-bit Linux', () => {
  assert.equal(messageHeaderStruct.size, 56);
  assert.deepEqual(messageHeaderStruct.offsets, {
    name: 0,
    nameLength: 8,
    vectors: 16,
    vectorCount: 24,
    control: 32,
    controlLength: 40,
    flags: 48,
  });
  assert.equal(vectorStruct.size, 16);
  assert.equal(internetAddressStruct.size, 16);
  assert.equal(linkAddressStruct.size, 20);
  assert.equal(linkAddressStruct.offsets.packetType, 10);
  assert.equal(netlinkAddressStruct.size, 12);
  assert.equal(unixAddressStruct.size, 110);
  assert.equal(multicastRequestStruct.size, 12);
  assert.equal(packetInfoStruct.size, 12);
  assert.equal(timeStruct.size, 16);
  assert.equal(pollDescriptorStruct.size, 8);
});

test('network-order fields are big-endian on every machine', () => {
  const bytes = linkAddressStruct.encode({ protocol: 0x0806 });
  assert.deepEqual([...bytes.subarray(2, 4)], [0x08, 0x06]);
});

test('a value that is longer than its field is refused', () => {
  const path = new Uint8Array(109);
  assert.throws(() => unixAddressStruct.encode({ path }), RangeError);
});

test('what is encoded is decoded to the same values', () => {
  const layout = structLayout({
    tiny: 'u8',
    signed: 'i32',
    short: 'u16',
    network: 'u16be',
    address: 4,
    wide: 'i64',
    pointer: 'pointer',
    word: 'u32',
    small: 'i16',
  });
  const values = fc.record(
    {
      tiny: fc.integer({ min: 0, max: 0xff }),
      signed: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      short: fc.integer({ min: 0, max: 0xffff }),
      network: fc.integer({ min: 0, max: 0xffff }),
      address: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      wide: fc.maxSafeInteger(),
      pointer: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      word: fc.integer({ min: 0, max: 0xffff_ffff }),
      small: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(values, (value) => {
      assert.deepEqual(layout.decode(layout.encode(value)), value);
    }),
  );
});
