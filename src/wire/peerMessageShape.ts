/**
 * Shapes of JSON values, declared as data: what a message of the peer channel may hold, from which
 * both the check of what was received and the TypeScript type follow. Every list and text has a
 * bound, because the value comes from another machine.
 */
import { WireError } from './wireError.js';

/** How one value is checked; `read` gives a copy that holds nothing but what is declared. */
export interface Shape<Value> {
  /** Throws {@link WireError} that names `where`, when the value is not of this shape. */
  read(raw: unknown, where: string): Value;
}

/** Shapes by the names of their fields. */
export type ShapeFields = Readonly<Record<string, Shape<unknown>>>;

/** The value that a shape stands for. */
export type ShapeValue<Declared> = Declared extends Shape<infer Value> ? Value : never;

/** The value of a mapping with these fields. */
export type ShapeRecord<Fields extends ShapeFields> = {
  readonly [Name in keyof Fields]: ShapeValue<Fields[Name]>;
};

/**
 * Printable ASCII text of at most so many characters. Control characters are refused: these texts
 * reach terminals and logs.
 */
export function text(lengthMax: number): Shape<string> {
  return {
    read(raw, where) {
      if (typeof raw !== 'string') throw wrong(where, 'text', raw);
      if (raw.length > lengthMax || !/^[ -~]*$/.test(raw)) {
        throw new WireError(
          'bad-value',
          `${where} must be printable and have at most ${lengthMax} characters`,
        );
      }
      return raw;
    },
  };
}

/** Text of a person in any script, without control characters, for the same reason. */
export function plainText(lengthMax: number): Shape<string> {
  return {
    read(raw, where) {
      if (typeof raw !== 'string') throw wrong(where, 'text', raw);
      if (raw.length > lengthMax || !isPlainText(raw)) {
        throw new WireError(
          'bad-value',
          `${where} must have no control characters and at most ${lengthMax} characters`,
        );
      }
      return raw;
    },
  };
}

/** Whether a text has no control, format, private or unpaired characters (Unicode category C). */
export function isPlainText(text: string): boolean {
  return /^\P{C}*$/u.test(text);
}

/** `true` or `false`. */
export function boolean(): Shape<boolean> {
  return {
    read(raw, where) {
      if (typeof raw !== 'boolean') throw wrong(where, 'true or false', raw);
      return raw;
    },
  };
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): Shape<number> {
  return {
    read(raw, where) {
      if (typeof raw !== 'number' || !Number.isInteger(raw) || raw < min || raw > max) {
        throw wrong(where, `an integer in ${min}..${max}`, raw);
      }
      return raw;
    },
  };
}

/** A list of at most so many values of one shape. */
export function list<Value>(element: Shape<Value>, countMax: number): Shape<readonly Value[]> {
  return {
    read(raw, where) {
      if (!Array.isArray(raw)) throw wrong(where, 'a list', raw);
      if (raw.length > countMax) {
        const message = `${where} has ${raw.length} elements where ${countMax} are the most`;
        throw new WireError('bad-length', message);
      }
      return raw.map((item: unknown, index) => element.read(item, `${where}[${index}]`));
    },
  };
}

/** A mapping with exactly these fields; others, which a newer version may add, are left out. */
export function record<const Fields extends ShapeFields>(
  fields: Fields,
): Shape<ShapeRecord<Fields>> {
  const entries = Object.entries(fields);
  return {
    read(raw, where) {
      const given = mapping(raw, where);
      const value = Object.fromEntries(
        entries.map(([name, shape]) => {
          if (!Object.hasOwn(given, name)) {
            throw new WireError('missing', `${where}.${name} is missing`);
          }
          return [name, shape.read(given[name], `${where}.${name}`)];
        }),
      );
      // The fields are those of the declaration, by construction.
      return value as ShapeRecord<Fields>;
    },
  };
}

/** A mapping from short names, which are not known beforehand, to values of one shape. */
export function named<Value>(
  element: Shape<Value>,
  countMax: number,
): Shape<Readonly<Record<string, Value>>> {
  return {
    read(raw, where) {
      const entries = Object.entries(mapping(raw, where));
      if (entries.length > countMax) {
        const message = `${where} has ${entries.length} entries where ${countMax} are the most`;
        throw new WireError('bad-length', message);
      }
      return Object.fromEntries(
        entries.map(([name, item]) => {
          if (!/^[A-Za-z][A-Za-z0-9]{0,31}$/.test(name)) throw wrong(where, 'short names', name);
          return [name, element.read(item, `${where}.${name}`)];
        }),
      );
    },
  };
}

function mapping(raw: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw wrong(where, 'a mapping', raw);
  }
  return raw as Readonly<Record<string, unknown>>;
}

/** Says the type of what was found, never the value: it may be megabytes, or hostile. */
function wrong(where: string, wanted: string, raw: unknown): WireError {
  const found = raw === null ? 'null' : Array.isArray(raw) ? 'a list' : typeof raw;
  return new WireError('bad-value', `${where} must be ${wanted}, got ${found}`);
}
