/**
 * A codec for netlink attributes that is driven by tables of data.
 *
 * A table names each attribute and gives its number and type; encoder, decoder and the TypeScript
 * type of the values derive from it. Layout: `linux/netlink.h`, struct nlattr (16-bit length with
 * the header, 16-bit type, both in host order; the next attribute starts at a multiple of 4).
 */
import {
  hostIsLittleEndian,
  type ScalarCodec,
  type ScalarValues,
  scalarCodecs,
} from './netlinkScalars.js';
import { WireError } from './wireError.js';

const headerLength = 4;
/** NLA_F_NESTED: the payload is itself a row of attributes. */
const nestedFlag = 0x8000;
/** NLA_TYPE_MASK: what is left of the type when the two flag bits are taken off. */
const typeMask = 0x3fff;
const attributeLengthMax = 0xffff;

/** One attribute: its number in the kernel's header and the type of its payload. */
export type AttributeDefinition =
  | { readonly id: number; readonly type: keyof ScalarValues }
  /** Empty attributes that only align the next one; they carry nothing and are not kept. */
  | { readonly id: number; readonly type: 'padding' }
  | {
      readonly id: number;
      readonly type: 'nested';
      readonly attributes: AttributeTable;
      /**
       * Whether one message often has the very bytes of the message before it, as the counters of
       * servers without traffic have. They are then read once, and the value is shared.
       */
      readonly repeats?: true;
    };

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
  writer.begin();
  writer.writeAll(table, values);
  return writer.bytes();
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let start = 0; start < bytes.length; ) {
    const length = checkedLength(view, start);
    const id = view.getUint16(start + 2, hostIsLittleEndian) & typeMask;
    const [from, to] = [start + headerLength, start + length];
    start += aligned(length);
    const known = byId.get(id);
    if (known === undefined) {
      unknownAttributes.push({ id, payload: copyOf(bytes, from, to) });
      continue;
    }
    const [name, definition] = known;
    if (definition.type === 'padding') continue;
    if (definition.type !== 'nested') {
      values[name] = decodeScalar(definition.type, name, view, from, to);
    } else if (definition.repeats === true) {
      values[name] = decodeRepeated(definition.attributes, bytes, from, to);
    } else {
      values[name] = decodeAttributes(definition.attributes, bytes.subarray(from, to));
    }
  }
  if (unknownAttributes.length > 0) values.unknownAttributes = unknownAttributes;
  return values as AttributeValues<Table>;
}

/**
 * Where the payload of an attribute begins, by the numbers of the attributes around it, outermost
 * first, and its own. Throws {@link WireError} when there is none.
 */
export function payloadOffset(bytes: Uint8Array, path: readonly number[]): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let start = 0;
  for (const [depth, id] of path.entries()) {
    while ((view.getUint16(start + 2, hostIsLittleEndian) & typeMask) !== id) {
      start += aligned(checkedLength(view, start));
      if (start + headerLength > bytes.length) throw new WireError('missing', `attribute ${id}`);
    }
    if (depth < path.length - 1) start += headerLength;
  }
  return start + headerLength;
}

/** The last bytes that were read by a table, and their values. */
const lastRead = new WeakMap<
  AttributeTable,
  { readonly bytes: Uint8Array; readonly value: unknown }
>();

function decodeRepeated(
  table: AttributeTable,
  bytes: Uint8Array,
  from: number,
  to: number,
): unknown {
  const last = lastRead.get(table);
  if (last !== undefined && isSame(last.bytes, bytes, from, to)) return last.value;
  const copy = copyOf(bytes, from, to);
  const value = decodeAttributes(table, copy);
  lastRead.set(table, { bytes: copy, value });
  return value;
}

/** A Buffer's own slice would share the memory, which the next message is received into. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, from, to);
}

function isSame(left: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (left.length !== to - from) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== bytes[from + index]) return false;
  }
  return true;
}

/** The bytes of a 32-bit integer in host order, for payloads whose meaning depends on another. */
export function hostU32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  scalarCodecs.u32.write(new DataView(bytes.buffer), 0, value);
  return bytes;
}

/** The 32-bit integer in host order at the start of a payload. */
export function hostU32Of(payload: Uint8Array): number {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return decodeScalar('u32', 'u32', view, 0, payload.length) as number;
}

function decodeScalar(
  type: keyof ScalarValues,
  name: string,
  view: DataView,
  from: number,
  to: number,
): unknown {
  const codec: ScalarCodec<unknown> = scalarCodecs[type];
  if (to - from < codec.minimumLength) {
    const expected = `${name} has ${to - from} bytes, expected ${codec.minimumLength}`;
    throw new WireError('truncated', expected);
  }
  return codec.read(view, from, to);
}

/** The length that the attribute at an offset claims, its header included. */
function checkedLength(view: DataView, start: number): number {
  if (view.byteLength - start < headerLength) {
    throw new WireError('truncated', 'an attribute header is cut off');
  }
  const length = view.getUint16(start, hostIsLittleEndian);
  if (length >= headerLength && start + length <= view.byteLength) return length;
  const type = view.getUint16(start + 2, hostIsLittleEndian) & typeMask;
  throw new WireError('bad-length', `attribute ${type} claims ${length} bytes`);
}

const initialBytes = 256;
const poolBytes = 65_536;
let pool = new Uint8Array(0);
let poolEnd = 0;

/**
 * A copy that shares its memory with others before and after it. V8 takes memory of its own for a
 * larger array from the system, and collects its garbage after a few thousand of them.
 */
function pooledCopy(bytes: Uint8Array): Uint8Array {
  if (poolEnd + bytes.length > pool.length) {
    pool = new Uint8Array(Math.max(poolBytes, bytes.length));
    poolEnd = 0;
  }
  const copy = pool.subarray(poolEnd, poolEnd + bytes.length);
  copy.set(bytes);
  poolEnd += bytes.length;
  return copy;
}

/** Writes attributes one behind the other into memory that grows. */
class AttributeWriter {
  #memory = new Uint8Array(initialBytes);
  #view = new DataView(this.#memory.buffer);
  #end = 0;

  /** Forgets what was written before. */
  begin(): void {
    this.#memory.fill(0, 0, this.#end);
    this.#end = 0;
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return pooledCopy(this.#memory.subarray(0, this.#end));
  }

  writeAll(table: AttributeTable, values: AttributeValues<AttributeTable>): void {
    const named = values as Readonly<Record<string, unknown>>;
    for (const [name, definition] of entriesOf(table)) {
      const value = named[name];
      if (value === undefined || definition.type === 'padding') continue;
      if (definition.type === 'nested') {
        const start = this.#begin(0);
        this.writeAll(definition.attributes, value as AttributeValues<AttributeTable>);
        this.#finish(start, definition.id | nestedFlag);
      } else {
        this.#writeScalar(definition.id, definition.type, name, value);
      }
    }
    for (const { id, payload } of values.unknownAttributes ?? []) {
      const start = this.#begin(payload.length);
      this.#memory.set(payload, start + headerLength);
      this.#end += payload.length;
      this.#finish(start, id & typeMask);
    }
  }

  #writeScalar(id: number, type: keyof ScalarValues, name: string, value: unknown): void {
    // The table's type and the value's type belong together by construction of AttributeValues.
    const codec = scalarCodecs[type] as ScalarCodec<unknown>;
    const length = lengthOf(codec, name, value);
    const start = this.#begin(length);
    codec.write(this.#view, this.#end, value);
    this.#end += length;
    this.#finish(start, id);
  }

  /** Leaves room for a header, makes room for a payload, and gives where the header goes. */
  #begin(payloadLength: number): number {
    const start = this.#end;
    const needed = aligned(start + headerLength + payloadLength);
    if (needed > this.#memory.length) {
      const larger = new Uint8Array(Math.max(needed, this.#memory.length * 2));
      larger.set(this.#memory.subarray(0, start));
      this.#memory = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#end += headerLength;
    return start;
  }

  /** Writes the header of what has been written since, and aligns what comes next. */
  #finish(start: number, type: number): void {
    const length = this.#end - start;
    if (length > attributeLengthMax) {
      throw new WireError(
        'bad-length',
        `an attribute of ${length} bytes does not fit its length field`,
      );
    }
    this.#view.setUint16(start, length, hostIsLittleEndian);
    this.#view.setUint16(start + 2, type, hostIsLittleEndian);
    this.#end = start + aligned(length);
  }
}

/** One for all: what is written is copied out before anything else is. */
const writer = new AttributeWriter();

function lengthOf(codec: ScalarCodec<unknown>, name: string, value: unknown): number {
  try {
    return codec.length(value);
  } catch (error) {
    if (error instanceof WireError) throw new WireError(error.reason, `${name}: ${error.message}`);
    throw error;
  }
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

const entriesCache = new WeakMap<
  AttributeTable,
  readonly (readonly [string, AttributeDefinition])[]
>();

/** The attributes of a table with their names; listed once for each table. */
function entriesOf(table: AttributeTable): readonly (readonly [string, AttributeDefinition])[] {
  const cached = entriesCache.get(table);
  if (cached !== undefined) return cached;
  const entries = Object.entries(table);
  entriesCache.set(table, entries);
  return entries;
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
  const byId = new Map(entriesOf(table).map((entry) => [entry[1].id, entry] as const));
  definitionCache.set(table, byId);
  return byId;
}
