/** Regular expressions of the operator, on texts of a server, with a limit on their time. */
import { createContext, Script } from 'node:vm';

/** A regular expression sees this many characters of a text, counted from its beginning. */
export const regexInputLengthMax = 65_536;

/** The time that one match may take before it is stopped. */
export const regexTimeoutMs = 50;

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
export function matchInTime(
  pattern: string,
  text: string,
): 'match' | 'no-match' | 'too-slow' | 'invalid' {
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
