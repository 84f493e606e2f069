/** What a check expects of the body of an answer. */
import { createContext, Script } from 'node:vm';
import { failed, inconclusive, type ProbeOutcome } from './probe.js';

/** The part of an HTTP probe's specification that is about the body. */
export interface BodyExpectation {
  readonly bodyContains?: string;
  readonly bodyMatches?: string;
}

/** A regular expression sees this many characters of the body, counted from its beginning. */
export const regexInputLengthMax = 65_536;

/** The time that one match may take before it is stopped. */
export const regexTimeoutMs = 50;

/** Whether the body matters at all. */
export function expectsBody(expectation: BodyExpectation): boolean {
  return expectation.bodyContains !== undefined || expectation.bodyMatches !== undefined;
}

/** Why a whole body is not as expected; `undefined` when it is. */
export function judgeBody(expectation: BodyExpectation, body: Buffer): ProbeOutcome | undefined {
  const { bodyContains, bodyMatches } = expectation;
  if (bodyContains !== undefined && !body.includes(bodyContains, 0, 'utf8')) {
    return failed('body-mismatch', `the body does not contain "${bodyContains}": ${snippet(body)}`);
  }
  if (bodyMatches === undefined) return undefined;
  const text = body.toString('utf8').slice(0, regexInputLengthMax);
  switch (matchInTime(bodyMatches, text)) {
    case 'match':
      return undefined;
    case 'no-match':
      return failed('body-mismatch', `the body does not match /${bodyMatches}/: ${snippet(body)}`);
    case 'too-slow':
      return inconclusive(
        'internal-error',
        `/${bodyMatches}/ took more than ${regexTimeoutMs} ms on this body`,
      );
    case 'invalid':
      return inconclusive('internal-error', `/${bodyMatches}/ is no regular expression`);
  }
}

function snippet(body: Buffer): string {
  return body.length === 0 ? 'it is empty' : body.toString('utf8', 0, 200);
}

/** Where a match runs: V8 can only stop code that was started as a script with a timeout. */
const matcher = {
  variables: createContext({ pattern: /(?:)/u, text: '' }),
  script: new Script('pattern.test(text)'),
};

/**
 * Matches with a time limit. A configured expression may backtrack for hours on a body that it was
 * not made for, even on a short one; it would hold up every other check of this thread. Such an
 * expression is a fault of the configuration, so the outcome says nothing about the server.
 */
function matchInTime(pattern: string, text: string): 'match' | 'no-match' | 'too-slow' | 'invalid' {
  try {
    matcher.variables.pattern = new RegExp(pattern, 'u');
    matcher.variables.text = text;
    const matched = matcher.script.runInContext(matcher.variables, { timeout: regexTimeoutMs });
    return matched === true ? 'match' : 'no-match';
  } catch (error) {
    // The error of the time limit belongs to the other context, so `instanceof Error` is false.
    return error instanceof SyntaxError ? 'invalid' : 'too-slow';
  } finally {
    matcher.variables.text = '';
  }
}
