/**
 * What can be wrong with a configuration, and how an operator is told.
 *
 * The schema and the cross checks speak of a place by its path (`services[0].check.interval`); only
 * at the end is a path turned into a line and column of the file. So neither of them knows YAML.
 */

/** Keys and list indexes from the root of the file to a value. */
export type ConfigPath = readonly (string | number)[];

/** Something wrong, or worth a warning, at a path. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly path: ConfigPath;
  /** What is wrong, without place and full stop: `must be at least 100ms, got 10ms`. */
  readonly message: string;
  /** What to do about it, where the message does not already say so. */
  readonly hint?: string;
  /** Whether the key is to blame (it is unknown) and not the value. */
  readonly at?: 'key';
  /** The environment variable that the value came from; absent: the file. */
  readonly variable?: string;
}

/** A place in the file; both count from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/** A finding with its place in the file. */
export interface ConfigProblem {
  /** `null` when the value came from the environment. */
  readonly position: SourcePosition | null;
  /** The path as an operator writes it; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
  readonly variable?: string;
}

/** A finding that does not keep the configuration from being used. */
export type ConfigWarning = ConfigProblem;

/** Makes an error. */
export function errorAt(path: ConfigPath, message: string, hint?: string): Finding {
  return { severity: 'error', path, message, ...(hint === undefined ? {} : { hint }) };
}

/** Makes a warning. */
export function warningAt(path: ConfigPath, message: string, hint?: string): Finding {
  return { severity: 'warning', path, message, ...(hint === undefined ? {} : { hint }) };
}

/** The same finding, seen from further up: `prefix` is put before its path. */
export function beneath(prefix: ConfigPath, finding: Finding): Finding {
  return { ...finding, path: [...prefix, ...finding.path] };
}

/** Writes a path as an operator does: `services[0].check.interval`. */
export function formatConfigPath(path: ConfigPath): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (!/^[\w<-][\w-]*>?$/.test(segment)) text += `[${shortJson(segment)}]`;
    else text += text === '' ? segment : `.${segment}`;
  }
  return text;
}

/** One line for a problem: `tandem.yaml:14:7 services[0].check: message (hint)`. */
export function formatProblem(fileName: string, problem: ConfigProblem): string {
  const { position, path, message, hint, variable } = problem;
  const place =
    position === null
      ? `environment:${variable ?? ''}`
      : `${fileName}:${position.line}:${position.column}`;
  const subject = path === '' ? '' : ` ${path}:`;
  return `${place}${subject} ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

/** Names a value of the file in a message, short and on one line. */
export function describeValue(raw: unknown): string {
  if (raw === null || raw === undefined) return 'nothing';
  if (Array.isArray(raw)) return 'a list';
  if (typeof raw === 'object') return 'a mapping';
  if (typeof raw !== 'string') return String(raw);
  // A text that YAML would take for something else shows its quotes, because they are the mistake.
  const isPlain = /^[\w.:/+%[\]@-]{1,60}$/.test(raw) && !/^([\d.]+|true|false|null)$/.test(raw);
  return isPlain || /^\d+\.\d+\.\d+\.\d+$/.test(raw) ? raw : shortJson(raw);
}

function shortJson(text: string): string {
  const lengthMax = 40;
  return JSON.stringify(text.length > lengthMax ? `${text.slice(0, lengthMax)}...` : text);
}
