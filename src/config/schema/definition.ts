/**
 * The vocabulary that the schema of the configuration is written in.
 *
 * A definition says of every key what type it has, its default, the environment variable that
 * overrides it and what it means. Reading, validation, the TypeScript types of the result and
 * `docs/reference/config.md` all come from the one definition. `mappingReader.ts` runs it, on
 * convict where the environment may override values.
 */
import { type ConfigPath, errorAt, type Finding } from '../problem.js';

/** A value that was read; `undefined` when it cannot be used. */
export interface Reading<Draft> {
  readonly value: Draft | undefined;
  readonly findings: readonly Finding[];
}

declare const completeType: unique symbol;

/** Keys that a type holds inside, for the generated documentation. */
export interface NestedKeys {
  /** What is put after the path of the holder: empty, `[]` or `.<name>`. */
  readonly suffix: string;
  /** Set where the keys apply in one case only: `type: http`. */
  readonly condition?: string;
  readonly definition: Definition;
}

/**
 * How one value of the file is read.
 *
 * `Draft` is what a reading gives even when parts inside are wrong: those parts are `undefined`, so
 * that the cross checks can go on with the rest. `Complete` is the same without the holes, and is
 * what the value is known to be once a file has no errors.
 */
export interface ValueType<Complete, Draft = Complete> {
  /** For the documentation: `duration, 100ms to 1h`. */
  readonly description: string;
  readonly nested?: readonly NestedKeys[];
  read(raw: unknown): Reading<Draft>;
  readonly [completeType]?: readonly [Complete];
}

/** One key of a mapping. */
export interface Key<Complete, Draft> {
  readonly kind: 'key';
  readonly type: ValueType<unknown, Draft>;
  /** What the key means, in full sentences. */
  readonly doc: string;
  readonly presence:
    | { readonly kind: 'required' }
    /** `meaning` says what happens without the key. */
    | { readonly kind: 'optional'; readonly meaning?: string }
    /** The default as it would be written in the file. */
    | { readonly kind: 'default'; readonly value: string | number | boolean | readonly unknown[] };
  /** Environment variable that overrides the file. */
  readonly env?: string;
  readonly [completeType]?: readonly [Complete];
}

/** A mapping that is always there, because each of its keys has a default or is optional. */
export interface Section<Keys extends Definition> {
  readonly kind: 'section';
  readonly doc: string;
  readonly keys: Keys;
}

/** The keys of a mapping. */
export interface Definition {
  readonly [key: string]: Key<unknown, unknown> | Section<Definition>;
}

/** What the reading of a mapping gives; whatever is wrong in the file is `undefined`. */
export type DraftOf<Keys extends Definition> = {
  readonly [Name in keyof Keys]: Keys[Name] extends Key<unknown, infer Draft>
    ? Draft | undefined
    : Keys[Name] extends Section<infer Inner>
      ? DraftOf<Inner>
      : never;
};

/** What a mapping without errors is. */
export type CompleteOf<Keys extends Definition> = {
  readonly [Name in keyof Keys]: Keys[Name] extends Key<infer Complete, unknown>
    ? Complete
    : Keys[Name] extends Section<infer Inner>
      ? CompleteOf<Inner>
      : never;
};

interface KeyOptions {
  readonly doc: string;
  readonly env?: string;
}

/** A key that must be given. */
export function required<Complete, Draft>(
  type: ValueType<Complete, Draft>,
  options: KeyOptions,
): Key<Complete, Draft> {
  return { kind: 'key', type, presence: { kind: 'required' }, ...options };
}

/** A key without a default. `meaning` says what happens without it. */
export function optional<Complete, Draft>(
  type: ValueType<Complete, Draft>,
  options: KeyOptions & { readonly meaning?: string },
): Key<Complete | undefined, Draft> {
  const { meaning, ...rest } = options;
  const presence = { kind: 'optional', ...(meaning === undefined ? {} : { meaning }) } as const;
  return { kind: 'key', type, presence, ...rest };
}

/** A key with a default, which is written as in the file. */
export function withDefault<Complete, Draft>(
  type: ValueType<Complete, Draft>,
  value: string | number | boolean | readonly unknown[],
  options: KeyOptions,
): Key<Complete, Draft> {
  return { kind: 'key', type, presence: { kind: 'default', value }, ...options };
}

/** A mapping inside a mapping that need not be given. */
export function section<const Keys extends Definition>(doc: string, keys: Keys): Section<Keys> {
  return { kind: 'section', doc, keys };
}

/** What a scalar type says of a value that it does not take. */
export class Complaint {
  readonly message: string;
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    this.message = message;
    this.hint = hint;
  }
}

/** A type without parts: `parse` gives the value or says what is wrong with it. */
export function scalarType<Value>(
  description: string,
  parse: (raw: unknown) => Value | Complaint,
): ValueType<Value> {
  return {
    description,
    read(raw) {
      const parsed = parse(raw);
      if (!(parsed instanceof Complaint)) return { value: parsed, findings: [] };
      return { value: undefined, findings: [errorAt([], parsed.message, parsed.hint)] };
    },
  };
}

/** A reading that gives nothing but one error. */
export function failedReading(message: string, hint?: string, path: ConfigPath = []) {
  return { value: undefined, findings: [errorAt(path, message, hint)] };
}
