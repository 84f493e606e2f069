/** Types that hold others: lists, maps by name, values per node, alternatives. */
import { didYouMean } from '../closestWord.js';
import { beneath, describeValue, errorAt, type Finding } from '../problem.js';
import {
  type CompleteOf,
  type Definition,
  type DraftOf,
  failedReading,
  type NestedKeys,
  type Reading,
  type ValueType,
} from './definition.js';
import { isMapping, type MappingOptions, readMapping } from './mappingReader.js';

/** A list with bounds on its length. Elements that cannot be used are `undefined` in the draft. */
export function listOf<Complete, Draft>(
  element: ValueType<Complete, Draft>,
  bounds: { readonly min: number; readonly max: number },
): ValueType<readonly Complete[], readonly (Draft | undefined)[]> {
  const { min, max } = bounds;
  return {
    description: `list${min > 0 ? ' with at least one element' : ''}: ${element.description}`,
    ...withSuffix(element.nested, '[]'),
    read(raw) {
      if (!Array.isArray(raw)) {
        const hint = isMapping(raw) ? 'start each element with `- `' : undefined;
        return failedReading(`must be a list, got ${describeValue(raw)}`, hint);
      }
      const list: readonly unknown[] = raw;
      if (list.length < min) return failedReading('must have at least one element');
      if (list.length > max) {
        return failedReading(`must have at most ${max} elements, got ${list.length}`);
      }
      const findings: Finding[] = [];
      const value = list.map((item, index) => {
        const reading = readPresent(element, item);
        findings.push(...reading.findings.map((finding) => beneath([index], finding)));
        return reading.value;
      });
      return { value, findings };
    },
  };
}

/** One element, or a list of them; always read as a list. */
export function oneOrMany<Complete, Draft>(
  element: ValueType<Complete, Draft>,
  bounds: { readonly max: number },
): ValueType<readonly Complete[], readonly (Draft | undefined)[]> {
  const list = listOf(element, { min: 1, max: bounds.max });
  return {
    description: `${element.description}, or a list of these`,
    ...withSuffix(element.nested, ''),
    read(raw) {
      if (Array.isArray(raw)) return list.read(raw);
      const reading = element.read(raw);
      return { value: [reading.value], findings: reading.findings };
    },
  };
}

/** A mapping from names to values. `name` judges the names. */
export function mapOf<Complete, Draft>(
  name: ValueType<string>,
  element: ValueType<Complete, Draft>,
  bounds: { readonly min: number },
): ValueType<ReadonlyMap<string, Complete>, ReadonlyMap<string, Draft | undefined>> {
  return {
    description: `mapping from a name to: ${element.description}`,
    ...withSuffix(element.nested, '.<name>'),
    read(raw) {
      if (!isMapping(raw)) return failedReading(`must be a mapping, got ${describeValue(raw)}`);
      const entries = Object.entries(raw);
      if (entries.length < bounds.min) return failedReading('must have at least one entry');
      const findings: Finding[] = [];
      const value = new Map<string, Draft | undefined>();
      for (const [key, item] of entries) {
        const nameReading = name.read(key);
        const reading = readPresent(element, item);
        value.set(key, reading.value);
        findings.push(
          ...nameReading.findings.map(
            (finding): Finding => ({ ...beneath([key], finding), at: 'key' }),
          ),
          ...reading.findings.map((finding) => beneath([key], finding)),
        );
      }
      return { value, findings };
    },
  };
}

/** A value that is the same on every node, or one for each. */
export type PerNode<Value> =
  | { readonly kind: 'every'; readonly value: Value }
  | { readonly kind: 'each'; readonly values: ReadonlyMap<string, Value> };

/** `100`, or `{ lb1: 150, lb2: 100 }`. That the names are nodes is for the cross checks. */
export function perNode<Value>(
  type: ValueType<Value>,
): ValueType<PerNode<Value>, PerNode<Value | undefined>> {
  return {
    description: `${type.description}; or a mapping with one for each node`,
    read(raw) {
      if (!isMapping(raw)) {
        const reading = type.read(raw);
        if (reading.value === undefined) return { value: undefined, findings: reading.findings };
        return { value: { kind: 'every', value: reading.value }, findings: [] };
      }
      const values = new Map<string, Value | undefined>();
      const findings: Finding[] = [];
      for (const [node, item] of Object.entries(raw)) {
        const reading = readPresent(type, item);
        values.set(node, reading.value);
        findings.push(...reading.findings.map((finding) => beneath([node], finding)));
      }
      return { value: { kind: 'each', values }, findings };
    },
  };
}

/** What a value per node is on one node. */
export function onNode<Value>(perNodeValue: PerNode<Value>, node: string): Value | undefined {
  return perNodeValue.kind === 'every' ? perNodeValue.value : perNodeValue.values.get(node);
}

type Variants = Readonly<Record<string, Definition>>;

type DraftVariant<All extends Variants> = {
  [Name in keyof All & string]: { readonly type: Name } & DraftOf<All[Name]>;
}[keyof All & string];

type CompleteVariant<All extends Variants> = {
  [Name in keyof All & string]: { readonly type: Name } & CompleteOf<All[Name]>;
}[keyof All & string];

/** A mapping whose key `type` decides which other keys it has. */
export function variantsOf<const All extends Variants>(
  variants: All,
  options: MappingOptions = {},
): ValueType<CompleteVariant<All>, DraftVariant<All>> {
  const names = Object.keys(variants);
  return {
    description: 'mapping',
    nested: names.map((name) => ({
      suffix: '',
      condition: `type: ${name}`,
      definition: variants[name] ?? {},
    })),
    read(raw): Reading<DraftVariant<All>> {
      if (!isMapping(raw)) return failedReading(`must be a mapping, got ${describeValue(raw)}`);
      const { type, ...rest } = raw;
      const name = names.find((candidate) => candidate === type);
      const definition = name === undefined ? undefined : variants[name];
      if (name === undefined || definition === undefined) {
        if (type === undefined) {
          const hint = `one of ${names.join(', ')}`;
          return failedReading('is required and missing', hint, ['type']);
        }
        const message = `must be one of ${names.join(', ')}, got ${describeValue(type)}`;
        const hint = typeof type === 'string' ? didYouMean(type, names) : undefined;
        return failedReading(message, hint, ['type']);
      }
      const foreign = keysOfOthers(variants, name, options.explained ?? {});
      const reading = readMapping(definition, rest, { ...options, explained: foreign });
      if (reading.value === undefined) return { value: undefined, findings: reading.findings };
      // The value has the keys of the variant `name`, which is what the type says.
      const value = { type: name, ...reading.value } as unknown as DraftVariant<All>;
      return { value, findings: reading.findings };
    },
  };
}

/** Explanations for the keys that only other variants have. */
function keysOfOthers(
  variants: Variants,
  name: string,
  explained: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = { ...explained };
  for (const [other, definition] of Object.entries(variants)) {
    for (const key of Object.keys(definition)) {
      if (variants[name] !== undefined && key in variants[name]) continue;
      result[key] ??= `belongs to type ${other}, and this is type ${name}`;
    }
  }
  return result;
}

/** A value that may be written short (as one scalar) or long (as a mapping). */
export function shortOrLong<Short, Complete, Draft>(
  short: ValueType<Short>,
  long: ValueType<Complete, Draft>,
  expand: (value: Short) => Complete & Draft,
): ValueType<Complete, Draft> {
  return {
    description: `${short.description}; or a mapping`,
    ...withSuffix(long.nested, ''),
    read(raw) {
      if (isMapping(raw)) return long.read(raw);
      const reading = short.read(raw);
      if (reading.value === undefined) return { value: undefined, findings: reading.findings };
      return { value: expand(reading.value), findings: [] };
    },
  };
}

function readPresent<Draft>(type: ValueType<unknown, Draft>, raw: unknown): Reading<Draft> {
  if (raw !== null && raw !== undefined) return type.read(raw);
  return { value: undefined, findings: [errorAt([], 'has no value', 'give it one, or remove it')] };
}

function withSuffix(
  nested: readonly NestedKeys[] | undefined,
  suffix: string,
): { nested?: readonly NestedKeys[] } {
  if (nested === undefined) return {};
  return { nested: nested.map((keys) => ({ ...keys, suffix: `${suffix}${keys.suffix}` })) };
}
