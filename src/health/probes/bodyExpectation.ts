/** What a check expects of the body of an answer. */
import { createHash } from 'node:crypto';
import { query } from 'json-p3';
import type { BodyExpectation, DigestExpectation, JsonExpectation } from '../probeSpec.js';
import { failed, inconclusive, type ProbeOutcome } from './probe.js';
import { matchInTime, regexInputLengthMax, regexTimeoutMs } from './timedMatch.js';

/** Whether the body matters at all. */
export function expectsBody(expectation: BodyExpectation): boolean {
  const { bodyContains, bodyMatches, bodyDigest, bodyJson } = expectation;
  return [bodyContains, bodyMatches, bodyDigest, bodyJson].some((part) => part !== undefined);
}

/** Why a whole body is not as expected; `undefined` when it is. */
export function judgeBody(expectation: BodyExpectation, body: Buffer): ProbeOutcome | undefined {
  const { bodyContains, bodyMatches, bodyDigest, bodyJson } = expectation;
  if (bodyContains !== undefined && !body.includes(bodyContains, 0, 'utf8')) {
    return mismatch(`the body does not contain "${bodyContains}"`, body);
  }
  return (
    (bodyMatches === undefined ? undefined : judgePattern(bodyMatches, body)) ??
    (bodyDigest === undefined ? undefined : judgeDigest(bodyDigest, body)) ??
    (bodyJson === undefined ? undefined : judgeJson(bodyJson, body))
  );
}

function judgePattern(pattern: string, body: Buffer): ProbeOutcome | undefined {
  const text = body.toString('utf8').slice(0, regexInputLengthMax);
  switch (matchInTime(pattern, text)) {
    case 'match':
      return undefined;
    case 'no-match':
      return mismatch(`the body does not match /${pattern}/`, body);
    case 'too-slow':
      return inconclusive(
        'internal-error',
        `/${pattern}/ took more than ${regexTimeoutMs} ms on this body`,
      );
    case 'invalid':
      return inconclusive('internal-error', `/${pattern}/ is no regular expression`);
  }
}

function judgeDigest(
  { algorithm, hex }: DigestExpectation,
  body: Buffer,
): ProbeOutcome | undefined {
  const digest = createHash(algorithm).update(body).digest('hex');
  if (digest === hex) return undefined;
  return mismatch(`the ${algorithm} digest of the body is ${digest}`, body);
}

function judgeJson(
  expectations: readonly JsonExpectation[],
  body: Buffer,
): ProbeOutcome | undefined {
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    return mismatch('the body is no JSON', body);
  }
  for (const { path, equals } of expectations) {
    // JSON.parse gives nothing but what the library calls a JSON value.
    const values = query(path, document as Parameters<typeof query>[1]).values();
    if (equals === undefined ? values.length > 0 : values.includes(equals)) continue;
    const found = values.length === 0 ? 'nothing' : JSON.stringify(values[0]);
    const wanted = equals === undefined ? 'something' : JSON.stringify(equals);
    return failed('body-mismatch', `${path} is ${found} and not ${wanted}`);
  }
  return undefined;
}

function mismatch(what: string, body: Buffer): ProbeOutcome {
  return failed('body-mismatch', `${what}: ${snippet(body)}`);
}

function snippet(body: Buffer): string {
  return body.length === 0 ? 'it is empty' : body.toString('utf8', 0, 200);
}
