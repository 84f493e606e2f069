/**
 * Reads a mapping with convict: it fills in the defaults, lets the environment override the file
 * and runs the format of every key. What convict would only join into one text is recorded by the
 * formats themselves, with the path of each value, so that each can be shown with its position.
 */
import convict from 'convict';
import { TandemError } from '../../errors.js';
import { didYouMean } from '../closestWord.js';
import { beneath, describeValue, errorAt, type Finding } from '../problem.js';
import type { CompleteOf, Definition, DraftOf, Key, Reading, ValueType } from './definition.js';

/** What a reading may take from outside of the file. */
export interface MappingOptions {
  /** Environment variables; absent: none override anything. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Keys that are not known here, and what to say of them instead of did-you-mean. */
  readonly explained?: Readonly<Record<string, string>>;
}

/**
 * A value from the file, in a box. Convict would look into a bare mapping or convert a bare text by
 * the type of the default; it cannot look into a private field. What arrives at a format without a
 * box is a default or came from the environment.
 */
class FileValue {
  readonly #raw: unknown;

  constructor(raw: unknown) {
    this.#raw = raw;
  }

  get raw(): unknown {
    return this.#raw;
  }
}

/** Whether a plain value of the file is a mapping. */
export function isMapping(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

/** A type for a mapping with the keys of a definition. */
export function mappingOf<const Keys extends Definition>(
  definition: Keys,
  options: MappingOptions = {},
): ValueType<CompleteOf<Keys>, DraftOf<Keys>> {
  return {
    description: 'mapping',
    nested: [{ suffix: '', definition }],
    read: (raw) => readMapping(definition, raw, options),
  };
}

/** Reads a mapping. Throws only when the definition itself is wrong. */
export function readMapping<const Keys extends Definition>(
  definition: Keys,
  raw: unknown,
  options: MappingOptions = {},
): Reading<DraftOf<Keys>> {
  if (!isMapping(raw)) {
    return {
      value: undefined,
      findings: [errorAt([], `must be a mapping, got ${describeValue(raw)}`)],
    };
  }
  const findings: Finding[] = [];
  const given = new Map<string, FileValue>();
  collectGiven(definition, raw, [], options, given, findings);

  const readings = new Map<string, Reading<unknown>>();
  const env = { ...options.env };
  const config = convict<Record<string, unknown>>(
    convictSchema(definition, [], { ...env }, readings),
    { env, args: [] },
  );
  for (const [name, value] of given) config.set(name, value);
  // Loading nothing makes convict apply the environment again, over what the file set.
  config.load({});
  try {
    config.validate({ allowed: 'strict' });
  } catch (cause) {
    const explained = [...readings.values()].some((reading) => reading.findings.length > 0);
    if (!explained) throw new TandemError('INTERNAL', 'the schema is inconsistent', { cause });
  }
  for (const [name, reading] of readings) {
    findings.push(...reading.findings.map((finding) => beneath(name.split('.'), finding)));
  }
  // The keys of a draft are those of its definition, by construction of `draftOf`.
  return { value: draftOf(definition, [], readings) as DraftOf<Keys>, findings };
}

/** Takes the keys of the file that the definition knows, and complains of the others. */
function collectGiven(
  definition: Definition,
  raw: Readonly<Record<string, unknown>>,
  path: readonly string[],
  options: MappingOptions,
  given: Map<string, FileValue>,
  findings: Finding[],
): void {
  for (const [name, value] of Object.entries(raw)) {
    const here = [...path, name];
    const entry = Object.hasOwn(definition, name) ? definition[name] : undefined;
    if (entry === undefined) {
      findings.push(unknownKey(definition, here, options));
    } else if (entry.kind === 'key') {
      given.set(here.join('.'), new FileValue(value));
    } else if (isMapping(value)) {
      collectGiven(entry.keys, value, here, options, given, findings);
    } else {
      findings.push(errorAt(here, `must be a mapping, got ${describeValue(value)}`));
    }
  }
}

function unknownKey(
  definition: Definition,
  path: readonly string[],
  options: MappingOptions,
): Finding {
  const name = path.at(-1) ?? '';
  const explained = options.explained ?? {};
  const explanation = Object.hasOwn(explained, name) ? explained[name] : undefined;
  if (explanation !== undefined) return { ...errorAt(path, explanation), at: 'key' };
  if (name === '<<') {
    const hint = 'repeat the whole value with an alias: `check: *webCheck`';
    return { ...errorAt(path, 'merge keys are not supported', hint), at: 'key' };
  }
  const known = Object.keys(definition);
  const hint = didYouMean(name, known) ?? `known here: ${known.join(', ')}`;
  return { ...errorAt(path, 'unknown key', hint), at: 'key' };
}

/** The definition as convict wants it, with formats that record what they read. */
function convictSchema(
  definition: Definition,
  path: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  readings: Map<string, Reading<unknown>>,
): convict.Schema<Record<string, unknown>> {
  const schema: Record<string, convict.SchemaObj<unknown> | convict.Schema<unknown>> = {};
  for (const [name, entry] of Object.entries(definition)) {
    const here = [...path, name];
    if (entry.kind === 'section') {
      schema[name] = convictSchema(entry.keys, here, env, readings);
      continue;
    }
    schema[name] = {
      default: convictDefault(entry),
      doc: entry.doc,
      ...(entry.env === undefined ? {} : { env: entry.env }),
      format: (value: unknown) => {
        const reading = readValue(entry, value, env);
        readings.set(here.join('.'), reading);
        const [first] = reading.findings;
        if (first !== undefined) throw new Error(first.message);
      },
    };
  }
  return schema;
}

/** Convict leaves `undefined` alone, and gives `null` to the format, which then complains. */
function convictDefault(key: Key<unknown, unknown>): unknown {
  switch (key.presence.kind) {
    case 'required':
      return null;
    case 'optional':
      return undefined;
    case 'default':
      return key.presence.value;
  }
}

function readValue(
  key: Key<unknown, unknown>,
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
): Reading<unknown> {
  if (value instanceof FileValue) {
    if (value.raw !== null) return key.type.read(value.raw);
    const hint = key.presence.kind === 'required' ? 'give it a value' : 'give it one, or remove it';
    return { value: undefined, findings: [errorAt([], 'has no value', hint)] };
  }
  if (value === null) {
    const missing = errorAt([], 'is required and missing', `type: ${key.type.description}`);
    return { value: undefined, findings: [missing] };
  }
  const reading = key.type.read(value);
  const variable = key.env;
  if (variable === undefined || env[variable] === undefined) return reading;
  return { ...reading, findings: reading.findings.map((finding) => ({ ...finding, variable })) };
}

function draftOf(
  definition: Definition,
  path: readonly string[],
  readings: ReadonlyMap<string, Reading<unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(definition).map(([name, entry]) => {
      const here = [...path, name];
      if (entry.kind === 'section') return [name, draftOf(entry.keys, here, readings)];
      return [name, readings.get(here.join('.'))?.value];
    }),
  );
}
