/**
 * Fixed packet layouts declared as data: the order and width of the fields, from which the codec
 * and the type of the decoded value follow. Everything is big-endian, as on the network.
 */
import { WireError } from './wireError.js';

/** One field: an unsigned number of 1 to 32 bits, or a run of whole octets. */
export type LayoutField =
  | { readonly kind: 'bits'; readonly width: number }
  | { readonly kind: 'octets'; readonly width: number };

/** Fields in the order in which they are on the wire. */
export type LayoutFields = Readonly<Record<string, LayoutField>>;

/** The decoded value of a set of fields. */
export type LayoutValue<Fields extends LayoutFields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends { readonly kind: 'bits' }
    ? number
    : Uint8Array;
};

/** The codec of one layout. */
export interface PacketLayout<Fields extends LayoutFields> {
  readonly byteLength: number;
  /** Reads the fields from the start of the bytes. Throws {@link WireError} when they are short. */
  decode(bytes: Uint8Array): LayoutValue<Fields>;
  /** Writes the fields. Throws {@link WireError} when a value does not fit its field. */
  encode(value: LayoutValue<Fields>): Uint8Array<ArrayBuffer>;
}

/** A field that is an unsigned number of so many bits, at most 32. */
export function bits(width: number): { readonly kind: 'bits'; readonly width: number } {
  return { kind: 'bits', width };
}

/** A field that is a run of so many octets. It must begin at an octet boundary. */
export function octets(width: number): { readonly kind: 'octets'; readonly width: number } {
  return { kind: 'octets', width };
}

/** Makes the codec of a layout; `name` goes into its error messages. */
export function packetLayout<Fields extends LayoutFields>(
  name: string,
  fields: Fields,
): PacketLayout<Fields> {
  const placed = placeFields(fields);
  const bitLength = placed.reduce((total, { field }) => total + bitWidthOf(field), 0);
  const byteLength = bitLength / 8;
  return {
    byteLength,
    decode(bytes) {
      if (bytes.length < byteLength) {
        throw new WireError(
          'truncated',
          `${name}: ${bytes.length} bytes where ${byteLength} are needed`,
        );
      }
      const value: Record<string, number | Uint8Array> = {};
      for (const { key, field, bitOffset } of placed) {
        value[key] =
          field.kind === 'bits'
            ? readBits(bytes, bitOffset, field.width)
            : bytes.slice(bitOffset / 8, bitOffset / 8 + field.width);
      }
      return value as LayoutValue<Fields>;
    },
    encode(value) {
      const bytes = new Uint8Array(byteLength);
      for (const { key, field, bitOffset } of placed) {
        writeField(bytes, `${name}.${key}`, field, bitOffset, value[key]);
      }
      return bytes;
    },
  };
}

interface PlacedField {
  readonly key: string;
  readonly field: LayoutField;
  readonly bitOffset: number;
}

function placeFields(fields: LayoutFields): readonly PlacedField[] {
  let bitOffset = 0;
  return Object.entries(fields).map(([key, field]) => {
    const placed = { key, field, bitOffset };
    bitOffset += bitWidthOf(field);
    return placed;
  });
}

function bitWidthOf(field: LayoutField): number {
  return field.kind === 'bits' ? field.width : field.width * 8;
}

/** Arithmetic instead of shifts, because a shift makes a 32-bit value negative. */
function readBits(bytes: Uint8Array, bitOffset: number, width: number): number {
  let value = 0;
  if (bitOffset % 8 === 0 && width % 8 === 0) {
    // Whole octets are the common case, and every received packet comes through here.
    const end = (bitOffset + width) / 8;
    for (let at = bitOffset / 8; at < end; at += 1) value = value * 256 + (bytes[at] ?? 0);
    return value;
  }
  for (let bit = bitOffset; bit < bitOffset + width; bit += 1) {
    value = value * 2 + (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
  }
  return value;
}

function writeField(
  bytes: Uint8Array,
  name: string,
  field: LayoutField,
  bitOffset: number,
  value: number | Uint8Array | undefined,
): void {
  if (field.kind === 'octets') {
    if (!(value instanceof Uint8Array) || value.length !== field.width) {
      throw new WireError('bad-length', `${name} must have ${field.width} octets`);
    }
    bytes.set(value, bitOffset / 8);
    return;
  }
  const limit = 2 ** field.width;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= limit) {
    throw new WireError('bad-value', `${name} must be in 0..${limit - 1}, got ${String(value)}`);
  }
  for (let index = 0; index < field.width; index += 1) {
    const bit = bitOffset + index;
    const isSet = Math.floor(value / 2 ** (field.width - 1 - index)) % 2;
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (isSet << (7 - (bit & 7)));
  }
}
