/** Types of the values that HTTP checks are made of. */
import { compile } from 'json-p3';
import type { DigestExpectation, StatusRange } from '../../health/probeSpec.js';
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

/** The name of a header that the check does not set itself. */
export const headerName: ValueType<string> = scalarType('name of a header', (raw) => {
  if (typeof raw !== 'string') return notText(raw);
  const name = raw.toLowerCase();
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/.test(name)) {
    return new Complaint(`must be the name of a header, got ${describeValue(raw)}`);
  }
  const own = ['host', 'content-length', 'transfer-encoding', 'connection'].includes(name);
  return own ? new Complaint(`must not be ${name}, which the check sets itself`) : raw;
});

/** The value of a header. */
export const headerValue: ValueType<string> = text({
  description: 'text without line breaks, at most 1024 characters',
  pattern: /^[ -~]{0,1024}$/,
  expected: 'a text of printable characters',
});

/** The body of a request. */
export const requestBody: ValueType<string> = text({
  description: 'text, at most 8192 characters',
  pattern: /^[\s\S]{1,8192}$/,
  expected: 'a text of 1 to 8192 characters',
});

const digestDigits = { md5: 32, sha1: 40, sha256: 64, sha512: 128 } as const;

/** `sha256:` and the digits. */
export const bodyDigest: ValueType<DigestExpectation> = scalarType(
  '`md5:`, `sha1:`, `sha256:` or `sha512:`, then hexadecimal digits',
  (raw) => {
    if (typeof raw !== 'string') return notText(raw);
    const match = /^(md5|sha1|sha256|sha512):([0-9a-fA-F]+)$/.exec(raw);
    const algorithm = (Object.keys(digestDigits) as (keyof typeof digestDigits)[]).find(
      (name) => name === match?.[1],
    );
    if (match === null || algorithm === undefined) {
      return new Complaint(
        `must be the name of a digest, a colon and its digits, got ${describeValue(raw)}`,
        'for example what `sha256sum FILE` prints, behind sha256:',
      );
    }
    const hex = (match[2] ?? '').toLowerCase();
    const digits = digestDigits[algorithm];
    if (hex.length === digits) return { algorithm, hex };
    return new Complaint(`must have ${digits} digits behind ${algorithm}:, got ${hex.length}`);
  },
);

/** A JSONPath. */
export const jsonPath: ValueType<string> = scalarType('JSONPath (RFC 9535): `$.status`', (raw) => {
  if (typeof raw !== 'string') return notText(raw);
  try {
    compile(raw);
    return raw;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Complaint(`must be a JSONPath such as $.status, got ${describeValue(raw)}`, reason);
  }
});

/** A value that JSON can hold, without parts. */
export const jsonEquals: ValueType<string | number | boolean> = scalarType(
  'text, number, true or false',
  (raw) => {
    const isScalar = ['string', 'number', 'boolean'].includes(typeof raw);
    if (isScalar) return raw as string | number | boolean;
    return new Complaint(`must be a text, a number, true or false, got ${describeValue(raw)}`);
  },
);
