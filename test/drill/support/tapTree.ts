/** Reads the output of `node --test --test-reporter=tap` back into a tree of tests. */

/** One test of a TAP stream. */
export interface TapTest {
  readonly name: string;
  readonly ok: boolean;
  /** Why it was skipped; absent when it was not. */
  readonly skipped?: string;
  /** The YAML block beneath it, as it stands but for its indentation. */
  readonly diagnostics: string;
  readonly children: readonly TapTest[];
}

/** The runner indents each level of subtests by this. */
const indentWidth = 4;

const pointPattern = /^( *)(not ok|ok) \d+ - (.*?)(?: # (SKIP) ?(.*))?$/;

/** Parses a whole stream. Lines that are no part of it (output of the tests) are passed over. */
export function parseTap(text: string): readonly TapTest[] {
  const lines = text.split('\n');
  // Results of subtests come before that of their parent, one level deeper.
  const pending: TapTest[][] = [[]];
  for (let index = 0; index < lines.length; index += 1) {
    const point = pointPattern.exec(lines[index] ?? '');
    if (point === null) continue;
    const [, indent = '', verdict, name = '', directive, reason = ''] = point;
    const depth = indent.length / indentWidth;
    const block = readBlock(lines, index + 1, `${indent}  `);
    index += block.length;
    levelOf(pending, depth).push({
      name: unescapeTap(name),
      ok: verdict === 'ok',
      ...(directive === 'SKIP' ? { skipped: unescapeTap(reason) } : {}),
      diagnostics: block.slice(1, -1).join('\n'),
      children: pending[depth + 1] ?? [],
    });
    pending[depth + 1] = [];
  }
  return pending[0] ?? [];
}

function levelOf(pending: TapTest[][], depth: number): TapTest[] {
  const level = pending[depth] ?? [];
  pending[depth] = level;
  return level;
}

/** The lines from `---` to `...`, both included, without their indentation; none if none begins. */
function readBlock(lines: readonly string[], from: number, indent: string): string[] {
  if (lines[from] !== `${indent}---`) return [];
  const end = lines.indexOf(`${indent}...`, from);
  if (end < 0) return [];
  return lines.slice(from, end + 1).map((line) => line.slice(indent.length));
}

function unescapeTap(text: string): string {
  return text.replace(/\\([\\#])/g, '$1');
}
