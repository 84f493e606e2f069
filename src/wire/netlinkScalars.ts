/** The scalar types of netlink attributes: how each value is written and read. */
import { endianness } from 'node:os';
import { WireError } from './wireError.js';

/** Netlink integers are in the byte order of the machine unless a type says `be`. */
export const hostIsLittleEndian = endianness() === 'LE';

/** Flags with the mask of those that are meant: the kernel changes only the bits of the mask. */
export interface MaskedFlags {
  readonly flags: number;
  readonly mask: number;
}

/** The scalar types of attributes, and what their values are in this program. */
export interface ScalarValues {
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

/** How the values of one type are written and read. */
export interface ScalarCodec<Value> {
  /** Least number of payload bytes. */
  readonly minimumLength: number;
  /** Number of payload bytes of a value. Throws {@link WireError} when the value does not fit. */
  length(value: Value): number;
  write(view: DataView, offset: number, value: Value): void;
  read(view: DataView, from: number, to: number): Value;
}

/** The codec of each type. */
export const scalarCodecs: {
  readonly [Type in keyof ScalarValues]: ScalarCodec<ScalarValues[Type]>;
} = {
  u8: integerCodec(1, 0, 0xff, 'getUint8', 'setUint8', hostIsLittleEndian),
  u16: integerCodec(2, 0, 0xffff, 'getUint16', 'setUint16', hostIsLittleEndian),
  u32: integerCodec(4, 0, 0xffff_ffff, 'getUint32', 'setUint32', hostIsLittleEndian),
  s32: integerCodec(4, -0x8000_0000, 0x7fff_ffff, 'getInt32', 'setInt32', hostIsLittleEndian),
  u16be: integerCodec(2, 0, 0xffff, 'getUint16', 'setUint16', false),
  u32be: integerCodec(4, 0, 0xffff_ffff, 'getUint32', 'setUint32', false),
  u64: {
    minimumLength: 8,
    length(value) {
      if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw outOfRange(value);
      return 8;
    },
    write: (view, offset, value) => view.setBigUint64(offset, value, hostIsLittleEndian),
    read: (view, from) => view.getBigUint64(from, hostIsLittleEndian),
  },
  string: {
    minimumLength: 0,
    length(value) {
      if (value.includes('\0')) throw new WireError('bad-value', 'a string may not hold a NUL');
      return Buffer.byteLength(value) + 1;
    },
    write(view, offset, value) {
      const written = bytesOf(view, offset, view.byteLength).write(value);
      view.setUint8(offset + written, 0);
    },
    read(view, from, to) {
      const payload = bytesOf(view, from, to);
      const end = payload.indexOf(0);
      return payload.toString('utf8', 0, end < 0 ? payload.length : end);
    },
  },
  bytes: {
    minimumLength: 0,
    length: (value) => value.length,
    write(view, offset, value) {
      // Mostly the sixteen bytes of an address, for which a view of them costs more than they do.
      for (let index = 0; index < value.length; index += 1) {
        view.setUint8(offset + index, value[index] ?? 0);
      }
    },
    read: (view, from, to) =>
      new Uint8Array(view.buffer.slice(view.byteOffset + from, view.byteOffset + to)),
  },
  maskedFlags: {
    minimumLength: 8,
    length: ({ flags, mask }) => scalarCodecs.u32.length(flags) + scalarCodecs.u32.length(mask),
    write(view, offset, { flags, mask }) {
      view.setUint32(offset, flags, hostIsLittleEndian);
      view.setUint32(offset + 4, mask, hostIsLittleEndian);
    },
    read: (view, from) => ({
      flags: view.getUint32(from, hostIsLittleEndian),
      mask: view.getUint32(from + 4, hostIsLittleEndian),
    }),
  },
};

function integerCodec(
  length: number,
  minimum: number,
  maximum: number,
  getter: 'getUint8' | 'getUint16' | 'getUint32' | 'getInt32',
  setter: 'setUint8' | 'setUint16' | 'setUint32' | 'setInt32',
  littleEndian: boolean,
): ScalarCodec<number> {
  return {
    minimumLength: length,
    length(value) {
      if (Number.isInteger(value) && value >= minimum && value <= maximum) return length;
      throw outOfRange(value);
    },
    write: (view, offset, value) => view[setter](offset, value, littleEndian),
    read: (view, from) => view[getter](from, littleEndian),
  };
}

/** Part of what a view shows, without a copy. */
function bytesOf(view: DataView, from: number, to: number): Buffer {
  return Buffer.from(view.buffer, view.byteOffset + from, to - from);
}

function outOfRange(value: number | bigint): WireError {
  return new WireError('bad-value', `${value} does not fit`);
}
