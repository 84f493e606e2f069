import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  commandAttributes,
  infoAttributes,
  ipvsCommands,
  serverAttributes,
  serviceAttributes,
} from '../../../src/wire/ipvsAttributes.js';
import {
  type AttributeTable,
  decodeAttributes,
  encodeAttributes,
} from '../../../src/wire/netlinkAttributes.js';
import { WireError } from '../../../src/wire/wireError.js';

const bigEndianHost = endianness() === 'BE' ? 'the vectors are of a little-endian host' : false;

const inner = { flag: { id: 1, type: 'u8' } } as const satisfies AttributeTable;
const everyType = {
  u8: { id: 1, type: 'u8' },
  u16: { id: 2, type: 'u16' },
  u32: { id: 3, type: 'u32' },
  s32: { id: 4, type: 's32' },
  u64: { id: 5, type: 'u64' },
  u16be: { id: 6, type: 'u16be' },
  u32be: { id: 7, type: 'u32be' },
  string: { id: 8, type: 'string' },
  bytes: { id: 9, type: 'bytes' },
  maskedFlags: { id: 10, type: 'maskedFlags' },
  nested: { id: 11, type: 'nested', attributes: inner },
  padding: { id: 12, type: 'padding' },
} as const satisfies AttributeTable;

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function fromHex(text: string): Uint8Array {
  return Buffer.from(text, 'hex');
}

test('every type of attribute is written as the kernel reads it', { skip: bigEndianHost }, () => {
  const vectors: readonly (readonly [Parameters<typeof encode>[0], string])[] = [
    [{ u8: 0xab }, '05000100ab000000'],
    [{ u16: 0x1234 }, '0600020034120000'],
    [{ u32: 0x12345678 }, '0800030078563412'],
    [{ s32: -2 }, '08000400feffffff'],
    [{ u64: 0x0102030405060708n }, '0c0005000807060504030201'],
    [{ u16be: 0x1234 }, '0600060012340000'],
    [{ u32be: 0x12345678 }, '0800070012345678'],
    [{ string: 'wrr' }, '0800080077727200'],
    [{ string: '' }, '0500080000000000'],
    [{ bytes: Uint8Array.of(1, 2, 3, 4, 5) }, '09000900' + '0102030405000000'],
    [{ maskedFlags: { flags: 5, mask: 0xffffffff } }, '0c000a0005000000ffffffff'],
    [{ nested: { flag: 1 } }, '0c000b800500010001000000'],
  ];
  function encode(values: Parameters<typeof encodeAttributes<typeof everyType>>[1]): string {
    return hex(encodeAttributes(everyType, values));
  }
  for (const [values, expected] of vectors) {
    assert.equal(encode(values), expected);
    assert.deepEqual(normal(decodeAttributes(everyType, fromHex(expected))), normal(values));
  }
});

test('unknown attributes of a newer kernel are kept and written back', () => {
  const bytes = fromHex('06000200341200000700290001020300050001000700000008002a0009090909');
  const values = decodeAttributes(everyType, bytes);
  assert.deepEqual(
    values.unknownAttributes?.map(({ id, payload }) => [id, hex(payload)]),
    [
      [41, '010203'],
      [42, '09090909'],
    ],
  );
  const again = decodeAttributes(everyType, encodeAttributes(everyType, values));
  assert.deepEqual(normal(again), normal(values));
});

test('padding attributes are skipped and leave no trace', () => {
  assert.deepEqual(decodeAttributes(everyType, fromHex('04000c0005000100070000000400' + '0c00')), {
    u8: 7,
  });
});

test('an integer that is longer than its type is read, one that is shorter is refused', () => {
  assert.deepEqual(decodeAttributes(everyType, fromHex('0c0001000700000000000000')), { u8: 7 });
  assert.throws(() => decodeAttributes(everyType, fromHex('0600030001000000')), wire('truncated'));
});

test('a length that contradicts the bytes around it is refused', () => {
  assert.throws(() => decodeAttributes(everyType, fromHex('0300010001')), wire('bad-length'));
  assert.throws(() => decodeAttributes(everyType, fromHex('0900010001000000')), wire('bad-length'));
  assert.throws(() => decodeAttributes(everyType, fromHex('0500')), wire('truncated'));
});

test('a value that does not fit its type is refused with the name of its attribute', () => {
  const refused: readonly Parameters<typeof encodeAttributes<typeof everyType>>[1][] = [
    { u8: 256 },
    { u16: -1 },
    { u32: 2 ** 32 },
    { s32: 2 ** 31 },
    { u16be: 1.5 },
    { u32be: Number.NaN },
    { u64: -1n },
    { u64: 1n << 64n },
    { string: 'a\0b' },
    { maskedFlags: { flags: -1, mask: 0 } },
  ];
  for (const values of refused) {
    const [name] = Object.keys(values);
    assert.throws(
      () => encodeAttributes(everyType, values),
      (error) => error instanceof WireError && error.message.startsWith(`${name}: `),
    );
  }
  assert.throws(
    () => encodeAttributes(everyType, { bytes: new Uint8Array(0x10000) }),
    wire('bad-length'),
  );
});

test('whatever is written reads back the same', () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const values = fc.record(
    {
      u8: fc.integer({ min: 0, max: 255 }),
      u16: fc.integer({ min: 0, max: 0xffff }),
      u32,
      s32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
      u64: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      u16be: fc.integer({ min: 0, max: 0xffff }),
      u32be: u32,
      string: fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
      bytes: fc.uint8Array({ maxLength: 40 }),
      maskedFlags: fc.record({ flags: u32, mask: u32 }),
      nested: fc.record({ flag: fc.integer({ min: 0, max: 255 }) }),
      unknownAttributes: fc.array(
        fc.record({
          id: fc.integer({ min: 13, max: 0x3fff }),
          payload: fc.uint8Array({ maxLength: 12 }),
        }),
        { minLength: 1 },
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(values, (original) => {
      const bytes = encodeAttributes(everyType, original);
      assert.equal(bytes.length % 4, 0);
      assert.deepEqual(normal(decodeAttributes(everyType, bytes)), normal(original));
    }),
  );
});

test('random bytes are read or refused with WireError, and nothing else is ever thrown', () => {
  const tables: readonly AttributeTable[] = [everyType, commandAttributes, infoAttributes];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...tables), (bytes, table) => {
      try {
        decodeAttributes(table, bytes);
      } catch (error) {
        assert.ok(error instanceof WireError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('the tables use every number once, and the numbers of the kernel header', () => {
  const tables: readonly AttributeTable[] = [
    commandAttributes,
    serviceAttributes,
    serverAttributes,
    commandAttributes.daemon.attributes,
    serviceAttributes.statistics.attributes,
    serviceAttributes.statistics64.attributes,
  ];
  for (const table of tables) {
    const ids = Object.values(table).map((definition) => definition.id);
    assert.deepEqual(
      ids.toSorted((left, right) => left - right),
      ids.map((_, index) => index + 1),
    );
  }
  assert.deepEqual(
    Object.values(ipvsCommands),
    Object.values(ipvsCommands).map((_, index) => index + 1),
  );
});

function wire(reason: WireError['reason']): (error: unknown) => boolean {
  return (error) => error instanceof WireError && error.reason === reason;
}

/** Buffers and arrays of bytes as text, so that a deep comparison compares what they hold. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, normal(entry)]));
}
