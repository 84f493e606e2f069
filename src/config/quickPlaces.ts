/**
 * Where the values of a large text are, for its warnings. Pure.
 *
 * The parser that knows the place of every value holds tens of megabytes of ten thousand servers,
 * and the agent would keep that memory. This one notes where values begin while the quick parser
 * reads the text again. It serves for texts that the quick parser takes, and for no other.
 */
import { type EventType, load, type State } from 'js-yaml';
import type { ConfigPath, SourcePosition } from './problem.js';
import { quickSchema } from './quickYaml.js';

/** A value and where it begins. */
interface PlacedNode {
  readonly at: number;
  kind: string | null;
  value: unknown;
  readonly children: PlacedNode[];
}

/** Gives the place of a path, or of its nearest parent that exists. */
export type Locate = (path: ConfigPath, at: 'key' | 'value') => SourcePosition;

/**
 * Reads a text of which `quickYaml` has read the value. `undefined` when it has something that the
 * parser does not tell of, such as a key without a value in `{a, b}`: then the exact one has to.
 */
export function quickPlaces(text: string, value: unknown): Locate | undefined {
  const root = placedTree(text);
  if (!fits(root, value)) return undefined;
  return (path, at) => positionIn(text, offsetOf(root, path, at));
}

/** Whether what the parser told of has all parts of a value, and no others. */
function fits(node: PlacedNode, value: unknown): boolean {
  if (Array.isArray(value)) {
    if (node.kind !== 'sequence' || node.children.length !== value.length) return false;
    return node.children.every((child, index) => fits(unwrapped(child), value[index]));
  }
  if (typeof value !== 'object' || value === null) return node.kind === 'scalar';
  const entries = Object.entries(value);
  if (node.kind !== 'mapping' || node.children.length !== entries.length * 2) return false;
  return entries.every(([key, part]) => {
    const pair = pairOf(node, key);
    return pair !== undefined && fits(unwrapped(pair.value), part);
  });
}

function placedTree(text: string): PlacedNode {
  const root: PlacedNode = { at: 0, kind: null, value: undefined, children: [] };
  const open: PlacedNode[] = [root];
  const listener = (event: EventType, state: State): void => {
    if (event === 'open') {
      const at = contentStart(state.input, state.position);
      const node: PlacedNode = { at, kind: null, value: undefined, children: [] };
      open.at(-1)?.children.push(node);
      open.push(node);
      return;
    }
    const node = open.pop();
    if (node === undefined) return;
    node.kind = state.kind;
    if (state.kind === 'scalar') node.value = state.result;
  };
  load(text, { schema: quickSchema, listener });
  return unwrapped(root.children[0] ?? root);
}

/** Where the value begins that the parser is about to look for: behind blanks and comments. */
function contentStart(text: string, from: number): number {
  let at = from;
  for (;;) {
    const character = text.charAt(at);
    if (character === '#') {
      const end = text.indexOf('\n', at);
      if (end < 0) return from;
      at = end;
    } else if (character !== ' ' && character !== '\n') {
      return at;
    }
    at += 1;
  }
}

/**
 * What the parser tries as a key, and turns out to be a value, is told of twice, one in the other.
 */
function unwrapped(node: PlacedNode): PlacedNode {
  const [only] = node.children;
  return only !== undefined && only.at === node.at && only.kind === node.kind
    ? unwrapped(only)
    : node;
}

function offsetOf(root: PlacedNode, path: ConfigPath, at: 'key' | 'value'): number {
  let node = root;
  let offset = root.at;
  for (const [depth, segment] of path.entries()) {
    if (node.kind === 'mapping') {
      const pair = pairOf(node, segment);
      if (pair === undefined) return offset;
      if (at === 'key' && depth === path.length - 1) return pair.key.at;
      // A key without a value has no text of its own; its key is the best place to show.
      offset = pair.value.kind === null ? pair.key.at : pair.value.at;
      node = unwrapped(pair.value);
    } else if (node.kind === 'sequence' && typeof segment === 'number') {
      const item = node.children[segment];
      if (item === undefined) return offset;
      offset = item.at;
      node = unwrapped(item);
    } else {
      return offset;
    }
  }
  return offset;
}

/** Keys and values come in turns. */
function pairOf(
  { children }: PlacedNode,
  name: string | number,
): { readonly key: PlacedNode; readonly value: PlacedNode } | undefined {
  for (let index = 0; index + 1 < children.length; index += 2) {
    const [key, value] = [children[index], children[index + 1]];
    if (key === undefined || value === undefined) return undefined;
    if (String(unwrapped(key).value) === String(name)) return { key, value };
  }
  return undefined;
}

function positionIn(text: string, offset: number): SourcePosition {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return { line, column: offset - lineStart + 1 };
}
