/** Greatest length of a detail, in UTF-16 code units, which is what `length` counts. */
export const detailLengthMax = 200;

/**
 * Makes text from anywhere fit for a terminal, a log line and a table cell: control, format and
 * unassigned characters become `.`, every kind of white space becomes a single space, and what is
 * longer than {@link detailLengthMax} ends in an ellipsis. Servers write what they like; an escape
 * sequence in a status line must not reach the terminal of an operator.
 */
export function printable(text: string): string {
  // Only a bounded prefix is looked at; a run of white space in it may shrink, which is harmless.
  const clean = text
    .slice(0, 4 * detailLengthMax)
    .replace(/\s+/gu, ' ')
    .replace(/\p{C}/gu, '.')
    .trim();
  if (clean.length <= detailLengthMax) return clean;
  const cut = clean.slice(0, detailLengthMax - 1);
  // A cut between the halves of a surrogate pair would leave half a character.
  return `${cut.replace(/[\ud800-\udbff]$/, '')}…`;
}
