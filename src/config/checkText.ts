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
import { quickPlaces } from './quickPlaces.js';
import { quickTextMin, quickYaml } from './quickYaml.js';
import { resolveNodes } from './resolve.js';
import { isMapping } from './schema/mappingReader.js';
import { type RootComplete, type RootDraft, readRoot } from './schema/rootDefinition.js';
import type { ServiceTextReader } from './serviceTexts.js';
import { configBytesMax, readYaml, type YamlSource } from './yamlSource.js';

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

/** What a whole value of a file was found to be. */
interface Judgement {
  readonly draft: RootDraft | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Finds everything that is wrong with a text. Never throws for what is in it. Who reads one file
 * again and again gives the same `reader` each time: what has not changed is not read again.
 */
export function checkConfigText(
  text: string,
  env: Environment = {},
  reader?: ServiceTextReader,
): ConfigCheck {
  const quick = quickCheck(text, env, reader);
  if (quick !== undefined) return quick;
  const source = readYaml(text);
  if (source.fatal) return { problems: bounded(source.problems), warnings: [], configs: [] };
  if (source.value === null) {
    const position = { line: 1, column: 1 };
    const hint = 'conf/minimal.yaml is a start';
    const problem = { position, path: '', message: 'the file is empty', hint };
    return { problems: [problem], warnings: [], configs: [] };
  }
  const place = (finding: Finding): ConfigProblem => located(finding, source);
  return toCheck(source.problems, judge(source.value, env), (findings) => findings.map(place));
}

/** Reads a large text without places. Whatever is wrong with it is left to the exact parser. */
function quickCheck(
  text: string,
  env: Environment,
  reader: ServiceTextReader | undefined,
): ConfigCheck | undefined {
  if (text.length < quickTextMin || text.length > configBytesMax) return undefined;
  const quick = reader?.read(text) ?? quickYaml(text);
  if (quick === undefined || !isMapping(quick.value)) return undefined;
  const judgement = judge(quick.value, env);
  if (judgement.draft === undefined || judgement.findings.some(isError)) return undefined;
  return toCheck([], judgement, (findings) => {
    if (findings.length === 0) return [];
    // What is read for the places takes memory, and is not kept.
    const locate = quickPlaces(text, quick.value) ?? readYaml(text).locate;
    const source = { value: quick.value, locate };
    return findings.map((finding) => located(finding, source));
  });
}

function judge(value: unknown, env: Environment): Judgement {
  const { value: draft, findings } = readRoot(withPresets(value), givenVariables(env));
  if (draft === undefined) return { draft, findings };
  const isGiven = (path: ConfigPath): boolean => valueAt(value, path) !== undefined;
  const all = [
    ...findings,
    ...crossChecks(draft),
    ...checkIdentityGiven(draft, isGiven),
    ...checkProcessGiven(draft, isGiven),
    ...checkKeysGiven(draft, isGiven),
  ];
  return { draft, findings: all };
}

/** Warnings get their places when somebody asks for them: that must not delay a reload. */
function toCheck(
  problemsOfText: readonly ConfigProblem[],
  { draft, findings }: Judgement,
  place: (findings: readonly Finding[]) => readonly ConfigProblem[],
): ConfigCheck {
  const problems = inOrder([...problemsOfText, ...place(findings.filter(isError))]);
  let warnings: readonly ConfigWarning[] | undefined;
  const isSound = problems.length === 0 && draft !== undefined;
  return {
    problems: bounded(problems),
    get warnings() {
      warnings ??= inOrder(place(findings.filter((finding) => !isError(finding))));
      return warnings;
    },
    configs: isSound ? resolveNodes(complete(draft)) : [],
  };
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

/** A draft without errors has no holes: each hole comes with an error, by construction. */
function complete(draft: RootDraft): RootComplete {
  return draft as unknown as RootComplete;
}

/** An empty variable is how shells and units unset one for a child. */
function givenVariables(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function located(finding: Finding, source: Pick<YamlSource, 'value' | 'locate'>): ConfigProblem {
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
