/** Text tables and colours for a terminal; plain text when the output is piped. */
import { stripVTControlCharacters } from 'node:util';

/** Colours that carry a meaning in the output of commands. */
export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'plain' | 'title';

/** Select Graphic Rendition codes (ECMA-48, 8.3.117) that turn a tone on and off. */
const toneCodes = {
  good: ['\x1b[32m', '\x1b[39m'],
  bad: ['\x1b[31m', '\x1b[39m'],
  warn: ['\x1b[33m', '\x1b[39m'],
  dim: ['\x1b[90m', '\x1b[39m'],
  title: ['\x1b[1m', '\x1b[22m'],
} as const satisfies Record<Exclude<Tone, 'plain'>, readonly [on: string, off: string]>;

/** Colours a text; the identity when the output has no colours. */
export type Painter = (tone: Tone, text: string) => string;

/** A painter for an output: colours on a terminal, none otherwise or when NO_COLOR is set. */
export function painterFor(isTerminal: boolean, environment: NodeJS.ProcessEnv): Painter {
  const noColour = environment.NO_COLOR ?? '';
  if (!isTerminal || noColour !== '') return (_tone, text) => text;
  return (tone, text) =>
    tone === 'plain' ? text : `${toneCodes[tone][0]}${text}${toneCodes[tone][1]}`;
}

/**
 * Lays rows out in columns two blanks apart. Columns whose cells below the header are all numbers
 * are aligned to the right. The last column is not padded.
 */
export function formatTable(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => visibleWidth(row[column] ?? ''))),
  );
  const numeric = Array.from({ length: columns }, (_, column) =>
    rows.slice(1).every((row) => /^[-\d.,%]*$/.test(stripVTControlCharacters(row[column] ?? ''))),
  );
  return rows.map((row) =>
    Array.from({ length: columns }, (_, column) => {
      const cell = row[column] ?? '';
      const padding = ' '.repeat((widths[column] ?? 0) - visibleWidth(cell));
      if (numeric[column] === true) return padding + cell;
      return column === columns - 1 ? cell : cell + padding;
    })
      .join('  ')
      .trimEnd(),
  );
}

function visibleWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}
