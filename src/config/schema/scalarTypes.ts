/** Types of single values: numbers, words, texts, durations. */
import { didYouMean } from '../closestWord.js';
import { formatDurationMs, parseDurationMs } from '../duration.js';
import { describeValue } from '../problem.js';
import { Complaint, scalarType, type ValueType } from './definition.js';

/** A whole number in a range. */
export function integer(range: {
  readonly min: number;
  readonly max: number;
  /** What the value 0 or another special value means, for the documentation. */
  readonly note?: string;
}): ValueType<number> {
  const { min, max, note } = range;
  const description = `integer, ${min} to ${max}${note === undefined ? '' : ` (${note})`}`;
  return scalarType(description, (raw) => {
    if (typeof raw !== 'number' || !Number.isInteger(raw)) {
      const hint = typeof raw === 'string' && /^\d+$/.test(raw) ? 'remove the quotes' : undefined;
      return new Complaint(`must be an integer, got ${describeValue(raw)}`, hint);
    }
    if (raw < min) return new Complaint(`must be at least ${min}, got ${raw}`);
    if (raw > max) return new Complaint(`must be at most ${max}, got ${raw}`);
    return raw;
  });
}

/** `true` or `false`. */
export const boolean: ValueType<boolean> = scalarType('true or false', (raw) => {
  if (typeof raw === 'boolean') return raw;
  // YAML 1.1 took these words for booleans and many files still have them.
  const isOldWord = typeof raw === 'string' && /^(yes|no|on|off)$/i.test(raw);
  const hint = isOldWord ? `write ${/^(yes|on)$/i.test(raw) ? 'true' : 'false'}` : undefined;
  return new Complaint(`must be true or false, got ${describeValue(raw)}`, hint);
});

/** One word of a list. `explained` says something special of words that are not in it. */
export function oneOf<const Word extends string>(
  words: readonly Word[],
  explained: Readonly<Record<string, string>> = {},
): ValueType<Word> {
  return scalarType(`one of \`${words.join('`, `')}\``, (raw) => {
    const word = words.find((candidate) => candidate === raw);
    if (word !== undefined) return word;
    const text = typeof raw === 'string' ? raw : '';
    const explanation = Object.hasOwn(explained, text) ? explained[text] : undefined;
    if (explanation !== undefined) return new Complaint(explanation);
    return new Complaint(
      `must be one of ${words.join(', ')}, got ${describeValue(raw)}`,
      didYouMean(text, words) ?? unquotedBoolean(raw),
    );
  });
}

/** A text that matches a pattern; `expected` completes "must be ...". */
export function text(options: {
  readonly description: string;
  readonly pattern: RegExp;
  readonly expected: string;
}): ValueType<string> {
  return scalarType(options.description, (raw) => {
    if (typeof raw !== 'string') return notText(raw);
    if (options.pattern.test(raw)) return raw;
    return new Complaint(`must be ${options.expected}, got ${describeValue(raw)}`);
  });
}

/** The complaint about a value that is no text. */
export function notText(raw: unknown): Complaint {
  const isScalar = typeof raw === 'number' || typeof raw === 'boolean';
  const hint = isScalar ? `put it in quotes: "${raw}"` : undefined;
  return new Complaint(`must be text, got ${describeValue(raw)}`, hint);
}

/** A share of a whole, from `0%` to `100%`; the value is the number before the sign. */
export const percentage: ValueType<number> = scalarType('percentage, 0% to 100%', (raw) => {
  if (typeof raw === 'number') {
    return new Complaint(`needs a percent sign, got ${raw}`, `for example ${raw}%`);
  }
  const digits = typeof raw === 'string' ? /^(\d{1,3})%$/.exec(raw)?.[1] : undefined;
  const value = Number(digits ?? Number.NaN);
  if (value <= 100) return value;
  return new Complaint(`must be a percentage such as 50%, 0% to 100%, got ${describeValue(raw)}`);
});

/** A duration with a unit; the value is in milliseconds. */
export function duration(range: {
  readonly minMs: number;
  readonly maxMs: number;
  /** The value must be a whole number of these. */
  readonly stepMs?: number;
  /** What 0 means, for the documentation. */
  readonly zeroMeans?: string;
}): ValueType<number> {
  const { minMs, maxMs, stepMs = 1, zeroMeans } = range;
  const limits = `${formatDurationMs(minMs)} to ${formatDurationMs(maxMs)}`;
  const step = stepMs === 1 ? '' : `, in steps of ${formatDurationMs(stepMs)}`;
  const zero = zeroMeans === undefined ? '' : ` (0s: ${zeroMeans})`;
  return scalarType(`duration, ${limits}${step}${zero}`, (raw) => {
    if (typeof raw === 'number') {
      return new Complaint(`needs a unit, got ${raw}`, `for example ${raw}s or ${raw}ms`);
    }
    const valueMs = typeof raw === 'string' ? parseDurationMs(raw) : undefined;
    if (valueMs === undefined) {
      const examples = '250ms, 1s, 5m or 1h';
      return new Complaint(`must be a duration such as ${examples}, got ${describeValue(raw)}`);
    }
    if (valueMs < minMs) {
      return new Complaint(`must be at least ${formatDurationMs(minMs)}, got ${raw}`);
    }
    if (valueMs > maxMs) {
      return new Complaint(`must be at most ${formatDurationMs(maxMs)}, got ${raw}`);
    }
    if (valueMs % stepMs !== 0) {
      return new Complaint(`must be a multiple of ${formatDurationMs(stepMs)}, got ${raw}`);
    }
    return valueMs;
  });
}

/** `off` and `on` are plain text in YAML 1.2; `false` and `true` are not. */
function unquotedBoolean(raw: unknown): string | undefined {
  return typeof raw === 'boolean' ? 'write the word itself, not true or false' : undefined;
}
