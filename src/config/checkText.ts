/** Judges the text of a configuration file: pure, from text to result. */
import { checkKeysGiven } from './checks/advertisements.js';
import { checkIdentityGiven, crossChecks } from './checks/crossChecks.js';
import { checkProcessGiven } from './checks/trackers.js';
import type { TandemConfig } from './model.js';
import { withPresets } from './presets.js';
import {
  type ConfigPath,
  type ConfigProblem,
  type ConfigWarning,
  type Finding,
  formatConfigPath,
} from './problem.js';
import { resolveNodes } from './resolve.js';
import { isMapping } from './schema/mappingReader.js';
import { type RootComplete, type RootDraft, readRoot } from './schema/rootDefinition.js';
import { readYaml, type YamlSource } from './yamlSource.js';

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a text turned out to be. */
export interface ConfigCheck {
  /** Everything that is wrong, in the order of the file. Empty: the file can be used. */
  readonly problems: readonly ConfigProblem[];
  /** What is allowed and seldom meant. */
  readonly warnings: readonly ConfigWarning[];
  /** The configuration of each node, in the order of the file; empty when there are problems. */
  readonly configs: readonly TandemConfig[];
}

/** At most this many problems are told; the file is beyond repair by hand at that point. */
export const problemsMax = 500;

/** Finds everything that is wrong with a text. Never throws for what is in it. */
export function checkConfigText(text: string, env: Environment = {}): ConfigCheck {
  const source = readYaml(text);
  if (source.fatal) return { problems: bounded(source.problems), warnings: [], configs: [] };
  if (source.value === null) {
    const position = { line: 1, column: 1 };
    const hint = 'conf/minimal.yaml is a start';
    const problem = { position, path: '', message: 'the file is empty', hint };
    return { problems: [problem], warnings: [], configs: [] };
  }
  const { value: draft, findings } = readRoot(withPresets(source.value), givenVariables(env));
  const isGiven = (path: ConfigPath): boolean => valueAt(source.value, path) !== undefined;
  const all =
    draft === undefined
      ? findings
      : [
          ...findings,
          ...crossChecks(draft),
          ...checkIdentityGiven(draft, isGiven),
          ...checkProcessGiven(draft, isGiven),
          ...checkKeysGiven(draft, isGiven),
        ];
  const errors = all.filter((finding) => finding.severity === 'error');
  const problems = inOrder([
    ...source.problems,
    ...errors.map((finding) => located(finding, source)),
  ]);
  const warnings = inOrder(
    all
      .filter((finding) => finding.severity === 'warning')
      .map((finding) => located(finding, source)),
  );
  if (problems.length > 0 || draft === undefined) {
    return { problems: bounded(problems), warnings, configs: [] };
  }
  return { problems: [], warnings, configs: resolveNodes(complete(draft)) };
}

/** A draft without errors has no holes: each hole comes with an error, by construction. */
function complete(draft: RootDraft): RootComplete {
  return draft as unknown as RootComplete;
}

/** An empty variable is how shells and units unset one for a child. */
function givenVariables(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function located(finding: Finding, source: YamlSource): ConfigProblem {
  const { message, hint, variable } = finding;
  const path = withoutImpliedIndexes(finding.path, source.value);
  return {
    position: variable === undefined ? source.locate(path, finding.at ?? 'value') : null,
    path: formatConfigPath(path),
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(variable === undefined ? {} : { variable }),
  };
}

/** Where one value may stand for a list of one, its index is nothing that the operator wrote. */
function withoutImpliedIndexes(path: ConfigPath, root: unknown): ConfigPath {
  return path.filter(
    (segment, depth) =>
      typeof segment === 'string' || Array.isArray(valueAt(root, path.slice(0, depth))),
  );
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const segment of path) {
    if (Array.isArray(value) && typeof segment === 'number') value = value[segment];
    else if (isMapping(value) && Object.hasOwn(value, segment)) value = value[segment];
    else return undefined;
  }
  return value;
}

function inOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const rank = ({ position }: ConfigProblem): readonly [number, number] =>
    position === null ? [0, 0] : [position.line, position.column];
  return problems.toSorted((left, right) => {
    const [leftLine, leftColumn] = rank(left);
    const [rightLine, rightColumn] = rank(right);
    return leftLine - rightLine || leftColumn - rightColumn;
  });
}

function bounded(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  if (problems.length <= problemsMax) return problems;
  const rest = problems.length - problemsMax;
  const position = problems[problemsMax]?.position ?? null;
  const message = `and ${rest} more problems from here on`;
  return [...problems.slice(0, problemsMax), { position, path: '', message }];
}
