/** A YAML text as plain values, with the way back from a path to its line and column. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { ConfigPath, ConfigProblem, SourcePosition } from './problem.js';

/** A larger text is refused before it is parsed. */
export const configBytesMax = 2 * 1024 * 1024;

/**
 * How often an anchor is followed, with those inside of it. A check that all services share is
 * followed once for each; a file whose aliases multiply must end somewhere.
 */
const aliasesMax = 8_192;

/** A text that was read, perhaps with problems. */
export interface YamlSource {
  /** The plain value of the document. Meaningless when a problem is `fatal`. */
  readonly value: unknown;
  /** Whether the text is so broken that its values must not be judged. */
  readonly fatal: boolean;
  readonly problems: readonly ConfigProblem[];
  /** Where a path is in the text; the nearest parent that exists when the path does not. */
  locate(path: ConfigPath, at: 'key' | 'value'): SourcePosition;
}

/** Reads a text. Never throws. */
export function readYaml(text: string): YamlSource {
  if (Buffer.byteLength(text) > configBytesMax) {
    return unreadable(`the file is larger than ${configBytesMax} bytes`);
  }
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text.replace(/^\uFEFF/, ''), {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      // Found by `repeatedKeys` instead, which can say where the key was before.
      uniqueKeys: false,
      resolveKnownTags: false,
      // At 'silent' the parser would not even tell of a second document.
      logLevel: 'error',
    });
  } catch (error) {
    // A text nested thousands of levels deep exhausts the parser's stack.
    return unreadable(`the YAML parser gave up: ${messageOf(error)}`);
  }
  const positionOf = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const errors = [...document.errors, ...document.warnings];
  if (errors.some((error) => error.code === 'RESOURCE_EXHAUSTION')) {
    return unreadable('the YAML is nested too deeply');
  }
  const syntax = firstOfEachLine([
    ...errors.map((error): ConfigProblem => {
      const { message, hint } = explain(error);
      const position = positionOf(error.pos[0]);
      const text = `YAML syntax: ${message}`;
      return { position, path: '', message: text, ...(hint === undefined ? {} : { hint }) };
    }),
    ...unknownAliases(document, positionOf),
  ]);
  const locate = (path: ConfigPath, at: 'key' | 'value'): SourcePosition =>
    positionOf(offsetOf(document, path, at));
  if (syntax.length > 0) return { value: undefined, fatal: true, problems: syntax, locate };
  try {
    const value: unknown = document.toJS({ maxAliasCount: aliasesMax });
    return { value, fatal: false, problems: repeatedKeys(document, positionOf), locate };
  } catch (error) {
    // Aliases that repeat each other without end, or a very large number of them.
    return unreadable(`the YAML aliases cannot be followed: ${messageOf(error)}`);
  }
}

function unreadable(message: string): YamlSource {
  const position = { line: 1, column: 1 };
  const problems = [{ position, path: '', message }];
  return { value: undefined, fatal: true, problems, locate: () => position };
}

/** The parser's message, or ours where its own speaks to programmers, and what to do. */
function explain(error: YAMLError): { message: string; hint?: string } {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab stands where the indentation is', hint: 'indent with spaces' };
    case 'MULTIPLE_DOCS':
      return { message: 'a second document starts here', hint: 'remove the line `---`' };
    case 'TAG_RESOLVE_FAILED':
      return {
        message: 'tags (!) are not used here',
        hint: 'text that starts with ! needs quotes',
      };
    case 'NON_STRING_KEY':
      return { message: 'a key must be plain text' };
    default:
      return { message: oneLine(error.message) };
  }
}

/** The parser stumbles several times over one mistake; where it stumbles first is what helps. */
function firstOfEachLine(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const lines = new Set<number | undefined>();
  return problems.filter(({ position }) => {
    const isFirst = !lines.has(position?.line);
    lines.add(position?.line);
    return isFirst;
  });
}

/** Aliases of anchors that are not there. */
function unknownAliases(
  document: Document.Parsed,
  positionOf: (offset: number) => SourcePosition,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      problems.push({
        position: positionOf(startOf(alias) ?? 0),
        path: '',
        message: `there is no anchor &${alias.source} before this alias`,
        hint: 'text that starts with * needs quotes',
      });
    },
  });
  return problems;
}

/** Every key that stands twice in one mapping. */
function repeatedKeys(
  document: Document.Parsed,
  positionOf: (offset: number) => SourcePosition,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Map(_, map) {
      const firstOffsets = new Map<string, number>();
      for (const pair of map.items) {
        const key = keyOf(pair);
        const offset = startOf(pair.key) ?? 0;
        const firstOffset = firstOffsets.get(key);
        if (firstOffset === undefined) {
          firstOffsets.set(key, offset);
          continue;
        }
        problems.push({
          position: positionOf(offset),
          path: '',
          message: `the key ${key} is given twice, first on line ${positionOf(firstOffset).line}`,
          hint: 'keep one of them',
        });
      }
    },
  });
  return problems;
}

/** The offset of what a path names, or of the nearest parent of it that exists. */
function offsetOf(document: Document.Parsed, path: ConfigPath, at: 'key' | 'value'): number {
  let node = resolveAlias(document, document.contents);
  let offset = startOf(node) ?? 0;
  for (const [depth, segment] of path.entries()) {
    let child: unknown;
    if (isMap(node)) {
      const pair = pairOf(node, segment);
      if (pair === undefined) return offset;
      if (at === 'key' && depth === path.length - 1) return startOf(pair.key) ?? offset;
      child = pair.value;
      // A key without a value has no text of its own; its key is the best place to show.
      offset = (hasText(child) ? startOf(child) : startOf(pair.key)) ?? offset;
    } else if (isSeq(node) && typeof segment === 'number') {
      child = node.items[segment];
      if (child === undefined) return offset;
      offset = startOf(child) ?? offset;
    } else {
      return offset;
    }
    node = resolveAlias(document, child);
  }
  return offset;
}

/** The last pair with this key, because the last one is what counts. */
function pairOf(map: YAMLMap, key: string | number): Pair | undefined {
  return map.items.findLast((pair) => keyOf(pair) === String(key));
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function hasText(node: unknown): boolean {
  return !isScalar(node) || node.source !== '' || node.value !== null;
}

function resolveAlias(document: Document.Parsed, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function startOf(node: unknown): number | undefined {
  return (node as Partial<Node> | null)?.range?.[0];
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
