/**
 * Reads a mapping: the defaults, the environment over the file, and the type of every key. What is
 * wrong is recorded with the path of each value, so that each can be shown with its position.
 *
 * The mapping that the environment may override is read by convict. Those inside of it, of which a
 * large file has ten thousand, have no variables and are read by their definition alone: convict
 * would clone a schema and parse a command line for each of them.
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
  if (options.env === undefined) return readByDefinition(definition, raw, options);
  return readWithEnvironment(definition, raw, options, options.env);
}

function readByDefinition<const Keys extends Definition>(
  definition: Keys,
  raw: Readonly<Record<string, unknown>>,
  options: MappingOptions,
): Reading<DraftOf<Keys>> {
  const findings = unknownKeys(definition, raw, options);
  const value: Record<string, unknown> = {};
  for (const [name, entry] of entriesOf(definition)) {
    const isGiven = Object.hasOwn(raw, name);
    const reading =
      entry.kind === 'section'
        ? readSection(entry.keys, isGiven ? raw[name] : {}, options)
        : isGiven
          ? readGiven(entry, raw[name])
          : readAbsent(entry);
    value[name] = reading.value;
    for (const finding of reading.findings) findings.push(beneath([name], finding));
  }
  // The keys are those of the definition, and each value is what its type read.
  return { value: value as DraftOf<Keys>, findings };
}

const knownEntries = new WeakMap<Definition, readonly (readonly [string, Definition[string]])[]>();

/** The keys of a definition; listed once, because a large file has ten thousand mappings of one. */
function entriesOf(definition: Definition): readonly (readonly [string, Definition[string]])[] {
  const known = knownEntries.get(definition);
  if (known !== undefined) return known;
  const entries = Object.entries(definition);
  knownEntries.set(definition, entries);
  return entries;
}

/** A section that is no mapping is an error; its keys are as if it had not been given. */
function readSection(
  definition: Definition,
  raw: unknown,
  options: MappingOptions,
): Reading<unknown> {
  if (isMapping(raw)) return readByDefinition(definition, raw, options);
  const wrong = errorAt([], `must be a mapping, got ${describeValue(raw)}`);
  const { value, findings } = readByDefinition(definition, {}, options);
  return { value, findings: [wrong, ...findings] };
}

function unknownKeys(
  definition: Definition,
  raw: Readonly<Record<string, unknown>>,
  options: MappingOptions,
): Finding[] {
  const findings: Finding[] = [];
  for (const name in raw) {
    if (Object.hasOwn(definition, name) || !Object.hasOwn(raw, name)) continue;
    findings.push(unknownKey(definition, [name], options));
  }
  return findings;
}

function readWithEnvironment<const Keys extends Definition>(
  definition: Keys,
  raw: Readonly<Record<string, unknown>>,
  options: MappingOptions,
  environment: NonNullable<MappingOptions['env']>,
): Reading<DraftOf<Keys>> {
  const findings: Finding[] = [];
  const given = new Map<string, FileValue>();
  collectGiven(definition, raw, [], options, given, findings);

  const readings = new Map<string, Reading<unknown>>();
  const env = { ...environment };
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
  if (value instanceof FileValue) return readGiven(key, value.raw);
  if (value === null) return readAbsent(key);
  const reading = key.type.read(value);
  const variable = key.env;
  if (variable === undefined || env[variable] === undefined) return reading;
  return { ...reading, findings: reading.findings.map((finding) => ({ ...finding, variable })) };
}

/** What the file gives for a key. */
function readGiven(key: Key<unknown, unknown>, raw: unknown): Reading<unknown> {
  if (raw !== null) return key.type.read(raw);
  const hint = key.presence.kind === 'required' ? 'give it a value' : 'give it one, or remove it';
  return { value: undefined, findings: [errorAt([], 'has no value', hint)] };
}

/** What a key is when nobody gives it. */
function readAbsent(key: Key<unknown, unknown>): Reading<unknown> {
  switch (key.presence.kind) {
    case 'required': {
      const missing = errorAt([], 'is required and missing', `type: ${key.type.description}`);
      return { value: undefined, findings: [missing] };
    }
    case 'optional':
      return { value: undefined, findings: [] };
    case 'default':
      return key.type.read(key.presence.value);
  }
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
