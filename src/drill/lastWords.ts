/** What a program of ours said before it ended. */

/** How much of a log is shown when it holds no error, in characters. */
const tailMax = 3_000;

/** An error as `main.ts` prints it: the message after the program's name, then the hint. */
const errorPattern = /^tandem: (.*(?:\n(?! {2}hint: ).*)*)\n {2}hint: (.*)$/gm;

/** The last error that a log holds, or else the end of the log. */
export function lastWords(log: string): { readonly message: string; readonly hint?: string } {
  const error = [...log.matchAll(errorPattern)].at(-1);
  const [, message, hint] = error ?? [];
  if (message === undefined || hint === undefined) return { message: log.trim().slice(-tailMax) };
  return { message, hint };
}
