/**
 * A codec for netlink attributes that is driven by tables of data.
 *
 * A table names each attribute and gives its number and type; encoder, decoder and the TypeScript
 * type of the values derive from it. Layout: `linux/netlink.h`, struct nlattr (16-bit length with
 * the header, 16-bit type, both in host order; the next attribute starts at a multiple of 4).
 */
import { endianness } from 'node:os';
import { WireError } from './wireError.js';

/** Netlink integers are in the byte order of the machine unless a type says `be`. */
const hostIsLittleEndian = endianness() === 'LE';

const headerLength = 4;
/** NLA_F_NESTED: the payload is itself a row of attributes. */
const nestedFlag = 0x8000;
/** NLA_TYPE_MASK: what is left of the type when the two flag bits are taken off. */
const typeMask = 0x3fff;
const attributeLengthMax = 0xffff;

/** Flags with the mask of those that are meant: the kernel changes only the bits of the mask. */
export interface MaskedFlags {
  readonly flags: number;
  readonly mask: number;
}

/** The scalar types of attributes, and what their values are in this program. */
interface ScalarValues {
  readonly u8: number;
  readonly u16: number;
  readonly u32: number;
  readonly s32: number;
  readonly u64: bigint;
  /** Network byte order. */
  readonly u16be: number;
  readonly u32be: number;
  /** Ends with a NUL on the wire. */
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly maskedFlags: MaskedFlags;
}

/** One attribute: its number in the kernel's header and the type of its payload. */
export type AttributeDefinition =
  | { readonly id: number; readonly type: keyof ScalarValues }
  /** Empty attributes that only align the next one; they carry nothing and are not kept. */
  | { readonly id: number; readonly type: 'padding' }
  | { readonly id: number; readonly type: 'nested'; readonly attributes: AttributeTable };

/** Attributes by name. The encoder writes them in the order in which they stand here. */
export interface AttributeTable {
  readonly [name: string]: AttributeDefinition;
}

/** An attribute that the table does not know, as it came; newer kernels send such. */
export interface UnknownAttribute {
  readonly id: number;
  readonly payload: Uint8Array;
}

type ValueOf<Definition extends AttributeDefinition> = Definition extends {
  readonly type: 'nested';
  readonly attributes: infer Table extends AttributeTable;
}
  ? AttributeValues<Table>
  : Definition extends { readonly type: infer Scalar extends keyof ScalarValues }
    ? ScalarValues[Scalar]
    : never;

/** The values of a table's attributes; each may be absent, and unknown ones are kept. */
export type AttributeValues<Table extends AttributeTable> = {
  readonly [Name in keyof Table as Table[Name]['type'] extends 'padding' ? never : Name]?: ValueOf<
    Table[Name]
  >;
} & { readonly unknownAttributes?: readonly UnknownAttribute[] };

/**
 * Writes attributes in the order of the table, unknown ones last.
 * Throws {@link WireError} when a value does not fit its type.
 */
export function encodeAttributes<Table extends AttributeTable>(
  table: Table,
  values: AttributeValues<Table>,
): Uint8Array {
  const named = values as Readonly<Record<string, unknown>>;
  const parts: Uint8Array[] = [];
  for (const [name, definition] of Object.entries(table)) {
    const value = named[name];
    if (value === undefined || definition.type === 'padding') continue;
    if (definition.type === 'nested') {
      const nested = value as AttributeValues<AttributeTable>;
      const payload = encodeAttributes(definition.attributes, nested);
      parts.push(frameAttribute(definition.id | nestedFlag, payload));
    } else {
      parts.push(frameAttribute(definition.id, encodeScalar(definition.type, name, value)));
    }
  }
  for (const unknown of values.unknownAttributes ?? []) {
    parts.push(frameAttribute(unknown.id & typeMask, unknown.payload));
  }
  return concatenate(parts);
}

/**
 * Reads a row of attributes. As in the kernel's own parser the last one of a kind wins, a payload
 * longer than its integer is accepted, and the flag for nesting is not required.
 * Throws {@link WireError} on anything that contradicts the layout.
 */
export function decodeAttributes<Table extends AttributeTable>(
  table: Table,
  bytes: Uint8Array,
): AttributeValues<Table> {
  const byId = definitionsById(table);
  const values: Record<string, unknown> = {};
  const unknownAttributes: UnknownAttribute[] = [];
  for (const { id, payload } of splitAttributes(bytes)) {
    const known = byId.get(id);
    if (known === undefined) {
      unknownAttributes.push({ id, payload: payload.slice() });
      continue;
    }
    const [name, definition] = known;
    if (definition.type === 'padding') continue;
    values[name] =
      definition.type === 'nested'
        ? decodeAttributes(definition.attributes, payload)
        : decodeScalar(definition.type, name, payload);
  }
  if (unknownAttributes.length > 0) values.unknownAttributes = unknownAttributes;
  return values as AttributeValues<Table>;
}

/** The bytes of a 32-bit integer in host order, for payloads whose meaning depends on another. */
export function hostU32Bytes(value: number): Uint8Array {
  return scalarCodecs.u32.encode(value);
}

/** The 32-bit integer in host order at the start of a payload. */
export function hostU32Of(payload: Uint8Array): number {
  return decodeScalar('u32', 'u32', payload) as number;
}

interface ScalarCodec<Value> {
  /** Least number of payload bytes. */
  readonly minimumLength: number;
  encode(value: Value): Uint8Array;
  decode(view: DataView, payload: Uint8Array): Value;
}

const scalarCodecs: { readonly [Type in keyof ScalarValues]: ScalarCodec<ScalarValues[Type]> } = {
  u8: integerCodec(
    1,
    0,
    0xff,
    (view) => view.getUint8(0),
    (view, value) => view.setUint8(0, value),
  ),
  u16: integerCodec(
    2,
    0,
    0xffff,
    (view) => view.getUint16(0, hostIsLittleEndian),
    (view, value) => view.setUint16(0, value, hostIsLittleEndian),
  ),
  u32: integerCodec(
    4,
    0,
    0xffff_ffff,
    (view) => view.getUint32(0, hostIsLittleEndian),
    (view, value) => view.setUint32(0, value, hostIsLittleEndian),
  ),
  s32: integerCodec(
    4,
    -0x8000_0000,
    0x7fff_ffff,
    (view) => view.getInt32(0, hostIsLittleEndian),
    (view, value) => view.setInt32(0, value, hostIsLittleEndian),
  ),
  u16be: integerCodec(
    2,
    0,
    0xffff,
    (view) => view.getUint16(0),
    (view, value) => view.setUint16(0, value),
  ),
  u32be: integerCodec(
    4,
    0,
    0xffff_ffff,
    (view) => view.getUint32(0),
    (view, value) => view.setUint32(0, value),
  ),
  u64: {
    minimumLength: 8,
    encode(value) {
      if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw outOfRange(value);
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, value, hostIsLittleEndian);
      return bytes;
    },
    decode: (view) => view.getBigUint64(0, hostIsLittleEndian),
  },
  string: {
    minimumLength: 0,
    encode(value) {
      if (value.includes('\0')) throw new WireError('bad-value', 'a string may not hold a NUL');
      return Buffer.from(`${value}\0`, 'utf8');
    },
    decode(_view, payload) {
      const end = payload.indexOf(0);
      return Buffer.from(end < 0 ? payload : payload.subarray(0, end)).toString('utf8');
    },
  },
  bytes: {
    minimumLength: 0,
    encode: (value) => value,
    decode: (_view, payload) => payload.slice(),
  },
  maskedFlags: {
    minimumLength: 8,
    encode: ({ flags, mask }) =>
      concatenate([scalarCodecs.u32.encode(flags), scalarCodecs.u32.encode(mask)]),
    decode: (view) => ({
      flags: view.getUint32(0, hostIsLittleEndian),
      mask: view.getUint32(4, hostIsLittleEndian),
    }),
  },
};

function integerCodec(
  length: number,
  minimum: number,
  maximum: number,
  read: (view: DataView) => number,
  write: (view: DataView, value: number) => void,
): ScalarCodec<number> {
  return {
    minimumLength: length,
    encode(value) {
      if (!Number.isInteger(value) || value < minimum || value > maximum) throw outOfRange(value);
      const bytes = new Uint8Array(length);
      write(new DataView(bytes.buffer), value);
      return bytes;
    },
    decode: read,
  };
}

function outOfRange(value: number | bigint): WireError {
  return new WireError('bad-value', `${value} does not fit`);
}

function encodeScalar(type: keyof ScalarValues, name: string, value: unknown): Uint8Array {
  // The table's type and the value's type belong together by construction of AttributeValues.
  const codec = scalarCodecs[type] as ScalarCodec<unknown>;
  try {
    return codec.encode(value);
  } catch (error) {
    if (error instanceof WireError) throw new WireError(error.reason, `${name}: ${error.message}`);
    throw error;
  }
}

function decodeScalar(type: keyof ScalarValues, name: string, payload: Uint8Array): unknown {
  const codec: ScalarCodec<unknown> = scalarCodecs[type];
  if (payload.length < codec.minimumLength) {
    const expected = `${name} has ${payload.length} bytes, expected ${codec.minimumLength}`;
    throw new WireError('truncated', expected);
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return codec.decode(view, payload);
}

function* splitAttributes(bytes: Uint8Array): Generator<UnknownAttribute> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let offset = 0;
  while (offset < bytes.length) {
    if (bytes.length - offset < headerLength) {
      throw new WireError('truncated', 'an attribute header is cut off');
    }
    const length = view.getUint16(offset, hostIsLittleEndian);
    const type = view.getUint16(offset + 2, hostIsLittleEndian);
    if (length < headerLength || offset + length > bytes.length) {
      throw new WireError('bad-length', `attribute ${type & typeMask} claims ${length} bytes`);
    }
    const payload = bytes.subarray(offset + headerLength, offset + length);
    yield { id: type & typeMask, payload };
    offset += aligned(length);
  }
}

/** Frames one payload, padded so that the next attribute is aligned. */
function frameAttribute(type: number, payload: Uint8Array): Uint8Array {
  const length = headerLength + payload.length;
  if (length > attributeLengthMax) {
    throw new WireError(
      'bad-length',
      `an attribute of ${length} bytes does not fit its length field`,
    );
  }
  const bytes = new Uint8Array(aligned(length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, length, hostIsLittleEndian);
  view.setUint16(2, type, hostIsLittleEndian);
  bytes.set(payload, headerLength);
  return bytes;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

const definitionCache = new WeakMap<
  AttributeTable,
  ReadonlyMap<number, readonly [string, AttributeDefinition]>
>();

/** A table turned round for decoding; made once for each table. */
function definitionsById(
  table: AttributeTable,
): ReadonlyMap<number, readonly [string, AttributeDefinition]> {
  const cached = definitionCache.get(table);
  if (cached !== undefined) return cached;
  const byId = new Map(Object.entries(table).map((entry) => [entry[1].id, entry] as const));
  definitionCache.set(table, byId);
  return byId;
}
