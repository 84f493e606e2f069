/**
 * Reads a large YAML text in a tenth of the time, when it has nothing uncommon in it. Pure.
 *
 * The parser that knows the place of every value takes half a second for ten thousand servers. This
 * one knows no places, so it serves while there is nothing to complain of. It must never read
 * another value than the exact one: whatever the two might see differently is left to the latter.
 */
import { FAILSAFE_SCHEMA, load, Type } from 'js-yaml';

/** Smaller texts take the exact parser no time worth saving. */
export const quickTextMin = 65_536;

/**
 * What is left to the exact parser: tabs, tags, anchors and aliases, complex and empty keys,
 * directives and documents, block scalars, values that are missing, and what may or may not be a
 * comment.
 */
const uncommon: readonly RegExp[] = [
  /[\t\uFEFF\r]/,
  /^(?:%|---|\.\.\.)/m,
  /(?:^|[\s{,[:-])[!&*?](?:\S|\s)/m,
  /[\]}]\s*:/,
  /(?:^|[\s{,[-]):(?:[\s,\]}]|$)/m,
  /:\s*,/,
  /-\s*$/m,
  /\S#/,
  /[|>][-+0-9]*\s*(?:#.*)?$/m,
];

/**
 * A list or mapping in a flow mapping, or perhaps in a flow list, and not behind a key. In a
 * mapping it is a key without a value, which this parser takes for the text of what is in it.
 */
const keyLike = /[{,](?:\s|#.*)*[[{]/;

const decimalText = /[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?/;
const specialText = /[-+]?\.(?:inf|Inf|INF)|\.nan|\.NaN|\.NAN/;
const floatText = new RegExp(`^(?:${decimalText.source}|${specialText.source})$`);

/**
 * A scalar that is written in another way than its value would be, such as 0x1F or ~. As a key it
 * is the text for the exact parser and the value for this one, and here nobody knows which it is.
 */
class UnusualScalar extends Error {}

/**
 * The core schema of YAML 1.2 (chapter 10.3), which the exact parser follows to the letter; for
 * `quickPlaces` too.
 */
export const quickSchema = FAILSAFE_SCHEMA.extend({
  implicit: [
    scalar('null', /^(?:~|null|Null|NULL)?$/, () => null),
    scalar('bool', /^(?:true|True|TRUE|false|False|FALSE)$/, (text) => /^t/i.test(text)),
    scalar('int', /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/, Number),
    scalar('float', floatText, Number),
  ],
});

/** The plain value of a text, in a box; `undefined` when the exact parser has to say. */
export function quickYaml(text: string): { readonly value: unknown } | undefined {
  if (uncommon.some((pattern) => pattern.test(text))) return undefined;
  let warned = false;
  const onWarning = (): void => {
    warned = true;
  };
  try {
    const value: unknown = load(text, { schema: quickSchema, onWarning });
    if (warned || value === undefined) return undefined;
    return keyLike.test(text) && hasNull(value) ? undefined : { value };
  } catch {
    return undefined;
  }
}

/** Whether anything has no value, as a key alone has none. */
function hasNull(value: unknown): boolean {
  if (typeof value !== 'object') return false;
  return value === null || Object.values(value).some(hasNull);
}

function scalar(name: string, pattern: RegExp, toValue: (text: string) => unknown): Type {
  return new Type(`tag:yaml.org,2002:${name}`, {
    kind: 'scalar',
    resolve: (text: unknown) => typeof text === 'string' && pattern.test(text),
    construct(text: string) {
      const value = toValue(text);
      if (String(value) !== text) throw new UnusualScalar(text);
      return value;
    },
  });
}
