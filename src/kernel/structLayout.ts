/**
 * C structures as data: a layout is declared once, and its size, offsets, codec and value type
 * follow from it by the rules of the System V ABI for 64-bit machines.
 */
import { endianness } from 'node:os';

/** Whether the machine's own byte order is little-endian; what DataView wants to be told. */
export const hostIsLittleEndian = endianness() === 'LE';

/** Scalars by name; a number is an array of that many bytes. */
export type FieldKind = 'u8' | 'i16' | 'u16' | 'u16be' | 'i32' | 'u32' | 'i64' | 'pointer' | number;

/** The value that a field of a kind takes. `i64` is a number: times and sizes stay below 2^53. */
type FieldValue<Kind extends FieldKind> = Kind extends number
  ? Uint8Array
  : Kind extends 'pointer'
    ? bigint
    : number;

type FieldValues<Fields> = {
  -readonly [Name in keyof Fields]: Fields[Name] extends FieldKind
    ? FieldValue<Fields[Name]>
    : never;
};

/** A C structure: where its fields are and how values get in and out. */
export interface StructLayout<Fields> {
  /** Size in bytes, with the padding at its end. */
  readonly size: number;
  readonly offsets: { readonly [Name in keyof Fields]: number };
  /** A new structure; fields that are left out are zero. */
  encode(values: Partial<FieldValues<Fields>>): Uint8Array;
  decode(bytes: Uint8Array, at?: number): FieldValues<Fields>;
}

const scalarSizes = { u8: 1, i16: 2, u16: 2, u16be: 2, i32: 4, u32: 4, i64: 8, pointer: 8 };

function sizeOf(kind: FieldKind): number {
  return typeof kind === 'number' ? kind : scalarSizes[kind];
}

function alignmentOf(kind: FieldKind): number {
  return typeof kind === 'number' ? 1 : scalarSizes[kind];
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Declares a structure by its fields, in order. */
export function structLayout<const Fields extends Readonly<Record<string, FieldKind>>>(
  fields: Fields,
): StructLayout<Fields> {
  const offsets: Record<string, number> = {};
  let end = 0;
  let alignment = 1;
  for (const [name, kind] of Object.entries(fields)) {
    const offset = alignUp(end, alignmentOf(kind));
    offsets[name] = offset;
    end = offset + sizeOf(kind);
    alignment = Math.max(alignment, alignmentOf(kind));
  }
  const size = alignUp(end, alignment);
  return {
    size,
    offsets: offsets as StructLayout<Fields>['offsets'],
    encode(values) {
      const bytes = new Uint8Array(size);
      for (const [name, kind] of Object.entries(fields)) {
        const value = values[name];
        if (value !== undefined) writeField(bytes, offsets[name] ?? 0, kind, value);
      }
      return bytes;
    },
    decode(bytes, at = 0) {
      const entries = Object.entries(fields).map(([name, kind]) => [
        name,
        readField(bytes, at + (offsets[name] ?? 0), kind),
      ]);
      return Object.fromEntries(entries) as FieldValues<Fields>;
    },
  };
}

function writeField(
  bytes: Uint8Array,
  at: number,
  kind: FieldKind,
  value: number | bigint | Uint8Array,
): void {
  if (value instanceof Uint8Array) {
    if (value.length > sizeOf(kind)) {
      throw new RangeError(`${value.length} bytes do not fit into ${sizeOf(kind)}`);
    }
    bytes.set(value, at);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (kind) {
    case 'u8':
      view.setUint8(at, Number(value));
      break;
    case 'i16':
    case 'u16':
      view.setUint16(at, Number(value), hostIsLittleEndian);
      break;
    case 'u16be':
      view.setUint16(at, Number(value));
      break;
    case 'i32':
    case 'u32':
      view.setUint32(at, Number(value), hostIsLittleEndian);
      break;
    default:
      view.setBigInt64(at, BigInt(value), hostIsLittleEndian);
  }
}

function readField(bytes: Uint8Array, at: number, kind: FieldKind): number | bigint | Uint8Array {
  if (typeof kind === 'number') return bytes.slice(at, at + kind);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (kind) {
    case 'u8':
      return view.getUint8(at);
    case 'i16':
      return view.getInt16(at, hostIsLittleEndian);
    case 'u16':
      return view.getUint16(at, hostIsLittleEndian);
    case 'u16be':
      return view.getUint16(at);
    case 'i32':
      return view.getInt32(at, hostIsLittleEndian);
    case 'u32':
      return view.getUint32(at, hostIsLittleEndian);
    case 'i64':
      return Number(view.getBigInt64(at, hostIsLittleEndian));
    default:
      return view.getBigUint64(at, hostIsLittleEndian);
  }
}
