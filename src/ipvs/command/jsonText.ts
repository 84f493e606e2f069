/** Listings as JSON. Counters are whole numbers with all of their 64 bits. Pure. */

/** Marks a big integer in the text until its quotes are taken off; no name can hold a NUL. */
const mark = '\u0000';
const marked = /"\\u0000(\d+)"/g;

/** A value as indented JSON with a newline; big integers become plain numbers. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, part: unknown) => (typeof part === 'bigint' ? `${mark}${part}` : part),
    2,
  );
  return `${text.replace(marked, '$1')}\n`;
}
