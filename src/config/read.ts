/** Reads the configuration file: the one place of this folder that touches the disk. */
import { readFileSync } from 'node:fs';
import { TandemError } from '../errors.js';
import { type ConfigCheck, checkConfigText, type Environment } from './checkText.js';
import type { TandemConfig } from './model.js';
import { formatProblem } from './problem.js';
import type { ServiceTextReader } from './serviceTexts.js';

/** Which node this is, in the order in which it is asked. */
export interface NodeChoice {
  /** From `--node`. */
  readonly node?: string | undefined;
  /** `TANDEM_NODE`, and the variables that override values of the file. */
  readonly environment: Environment;
  /** As `os.hostname()` gives it. */
  readonly hostname: string;
}

/** A configuration that can be used, and what is doubtful about it. */
export interface ConfigReadResult {
  readonly config: TandemConfig;
  /** One line each, with file, line and column. */
  readonly warnings: readonly string[];
}

/**
 * Reads and validates a file for one node. Throws {@link TandemError} CONFIG_UNREADABLE,
 * CONFIG_INVALID (its message has every problem, one on a line) or NODE_UNKNOWN.
 */
export function readConfigFile(
  path: string,
  choice: NodeChoice,
  reader?: ServiceTextReader,
): ConfigReadResult {
  const check = checkConfigText(readConfigSource(path), choice.environment, reader);
  return usable(path, check, choice);
}

function usable(path: string, check: ConfigCheck, choice: NodeChoice): ConfigReadResult {
  const { configs, problems } = check;
  if (problems.length > 0) {
    const lines = problems.map((problem) => formatProblem(path, problem));
    throw new TandemError('CONFIG_INVALID', lines.join('\n'));
  }
  return {
    config: selectNode(configs, choice, path),
    get warnings() {
      return check.warnings.map((warning) => formatProblem(path, warning));
    },
  };
}

/** Judges the text of a file for one node. Throws as {@link readConfigFile}. */
export function readConfigText(path: string, text: string, choice: NodeChoice): ConfigReadResult {
  return usable(path, checkConfigText(text, choice.environment), choice);
}

/** Reads a file and judges it. Throws {@link TandemError} CONFIG_UNREADABLE only. */
export function checkConfigFile(path: string, environment: Environment): ConfigCheck {
  return checkConfigText(readConfigSource(path), environment);
}

/** The text of a file. Throws {@link TandemError} CONFIG_UNREADABLE. */
export function readConfigSource(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { code, syscall } = cause as NodeJS.ErrnoException;
    throw new TandemError('CONFIG_UNREADABLE', `cannot read ${path}: ${reasonText(reason)}`, {
      cause,
      ...(code === undefined || syscall === undefined ? {} : { errnoName: code }),
    });
  }
}

/** The configuration of the node that this machine is. Throws NODE_UNKNOWN. */
export function selectNode(
  configs: readonly TandemConfig[],
  choice: NodeChoice,
  fileName: string,
): TandemConfig {
  const named = choice.node ?? (choice.environment.TANDEM_NODE || undefined);
  const candidates =
    named === undefined ? [choice.hostname, choice.hostname.replace(/\..*$/, '')] : [named];
  for (const name of candidates) {
    const config = configs.find((candidate) => candidate.node.name === name);
    if (config !== undefined) return config;
  }
  const nodes = configs.map((config) => config.node.name).join(', ');
  const what = named === undefined ? `the hostname ${choice.hostname}` : `node ${named}`;
  throw new TandemError('NODE_UNKNOWN', `${what} is not one of the nodes of ${fileName}: ${nodes}`);
}

/** Node's own message names the path again; the part before it is what matters. */
function reasonText(message: string): string {
  return message.replace(/, (open|read).*$/, '');
}
