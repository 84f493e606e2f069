/** Types of the values that HTTP checks are made of. */
import type { StatusRange } from '../../health/probeSpec.js';
import { describeValue } from '../problem.js';
import { oneOrMany } from './containerTypes.js';
import { Complaint, scalarType, type ValueType } from './definition.js';
import { notText, text } from './scalarTypes.js';

/** The request target: a path, perhaps with a query. */
export const requestPath: ValueType<string> = text({
  description: 'path that starts with a slash',
  pattern: /^\/[!-~]{0,2047}$/,
  expected: 'a path that starts with / and has no spaces',
});

/** The value of a Host header. */
export const hostHeader: ValueType<string> = text({
  description: 'host name, with or without port',
  pattern: /^[!-~]{1,255}$/,
  expected: 'a host name without spaces',
});

/** Text that must be in a body. */
export const bodyText: ValueType<string> = scalarType('text', (raw) => {
  if (typeof raw !== 'string') return notText(raw);
  return raw === '' ? new Complaint('must not be empty: every body contains nothing') : raw;
});

/** A regular expression that a body must match. */
export const bodyPattern: ValueType<string> = scalarType(
  'regular expression (JavaScript, flag u)',
  (raw) => {
    if (typeof raw !== 'string') return notText(raw);
    if (raw === '') return new Complaint('must not be empty: every body matches nothing');
    try {
      new RegExp(raw, 'u');
      return raw;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return new Complaint(
        `must be a regular expression, got ${describeValue(raw)}`,
        reason.replace(/^Invalid regular expression: /, ''),
      );
    }
  },
);

const statusRange: ValueType<StatusRange> = scalarType(
  'status code or range (`200`, `200-299`)',
  (raw) => {
    const match = /^(\d{3})(?:-(\d{3}))?$/.exec(String(raw));
    if (match === null || (typeof raw !== 'string' && typeof raw !== 'number')) {
      const wanted = 'must be a status code or a range such as 200-299';
      return new Complaint(`${wanted}, got ${describeValue(raw)}`);
    }
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (from < 100 || to > 599) {
      return new Complaint(`must lie within 100 and 599, got ${describeValue(raw)}`);
    }
    if (from <= to) return { from, to };
    return new Complaint(`must not end before it starts, got ${from}-${to}`);
  },
);

/** Status codes that count as healthy. */
export const statusRanges: ValueType<readonly StatusRange[], readonly (StatusRange | undefined)[]> =
  oneOrMany(statusRange, { max: 32 });
