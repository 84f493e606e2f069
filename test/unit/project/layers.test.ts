import assert from 'node:assert/strict';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { type SourceFile, sourceFiles } from '../../tools/sourceFiles.js';

interface Import {
  readonly from: string;
  /** A path from the root for our own files, a package name otherwise. */
  readonly to: string;
  readonly own: boolean;
  readonly typeOnly: boolean;
}

/** Which folders of src a folder may import; `errors.ts` and `scripts.ts` count as folders. */
const allowedFolders: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  scripts: [],
  wire: [],
  kernel: ['wire', 'errors'],
  config: ['wire', 'errors', 'vrrp', 'health', 'ipvs'],
  track: ['wire', 'errors', 'kernel', 'health'],
  bfd: ['wire', 'errors', 'kernel'],
  vrrp: ['wire', 'errors', 'scripts', 'kernel', 'track', 'bfd'],
  health: ['wire', 'errors', 'scripts', 'kernel', 'vrrp'],
  ipvs: ['wire', 'errors', 'kernel', 'config', 'health', 'api', 'vrrp'],
  peer: ['wire', 'errors', 'scripts', 'kernel', 'config', 'vrrp'],
  host: ['wire', 'errors', 'kernel', 'config'],
  probe: ['wire', 'errors', 'kernel'],
  doctor: ['wire', 'errors', 'kernel', 'config', 'api', 'ipvs', 'host'],
  sync: ['wire', 'errors', 'scripts', 'kernel', 'config', 'vrrp', 'ipvs', 'peer'],
  api: ['wire', 'errors', 'health', 'vrrp', 'ipvs'],
  cli: [
    'wire',
    'errors',
    'scripts',
    'config',
    'api',
    'ipvs',
    'health',
    'vrrp',
    'peer',
    'agent',
    'drill',
    'host',
    'probe',
    'doctor',
  ],
  agent: [
    'wire',
    'errors',
    'scripts',
    'kernel',
    'config',
    'vrrp',
    'health',
    'ipvs',
    'sync',
    'api',
    'track',
    'peer',
    'host',
  ],
  drill: [
    'wire',
    'errors',
    'scripts',
    'kernel',
    'config',
    'vrrp',
    'health',
    'ipvs',
    'sync',
    'api',
    'agent',
    'host',
  ],
  main: ['errors', 'cli', 'scripts'],
};

/** Files whose decisions are pure: values of wire and types only, no clock, no I/O. */
const pureFiles: readonly RegExp[] = [
  /^src\/vrrp\/(machine\w*|election|electionModel|timing|syncGroup|reconfiguration)\.ts$/,
  /^src\/vrrp\/(advertisementWarnings|announcementQueue|remarks|peerFaults|timerQueue)\.ts$/,
  /^src\/vrrp\/(virtualRouter|portIdentity|outgoingAdvertisements|receiveExpectation)\.ts$/,
  /^src\/vrrp\/(latenessHistogram|mainWatch)\.ts$/,
  /^src\/vrrp\/(virtualRouting|virtualMac|holdings|addressTrackers)\.ts$/,
  /^src\/bfd\/(machine\w*|sessionTable|timing|sourceAddress|protocol)\.ts$/,
  /^src\/health\/(verdict|scheduler|minHeap|serverVerdict|networkLoss|quorum|healthBoard)\.ts$/,
  /^src\/health\/probes\/printable\.ts$/,
  /^src\/track\/(model|tracker|linkObservation|mainObservation)\.ts$/,
  /^src\/agent\/(hookQueue|hookJobs|serviceHooks|activeServices)\.ts$/,
  /^src\/sync\/(addressKeys|daemonDecision|entry\w+|shadowTable|procConnections)\.ts$/,
  /^src\/sync\/(inbox|outbox|outgoing|relay|relayCounts|agreement|bulkLog|inflowLimit)\.ts$/,
  /^src\/peer\/(comparison|introduction|reasons|reconnect|session)\.ts$/,
  /^src\/config\/serviceChecks\.ts$/,
  /^src\/host\/(firewallRules|requirements|syncRequirements|realServerPlan|realServerFiles)\.ts$/,
  /^src\/doctor\/(\w+|(director|server|firewall)\/\w+)\.ts$/,
  /^src\/probe\/summary\.ts$/,
  /^src\/ipvs\/(diff|desired|poolRules|passiveHints|table|status|adoption)\.ts$/,
  /^src\/ipvs\/(overrides|serverSelection)\.ts$/,
  /^src\/ipvs\/command\/(model|names|options|optionRules|wordReader|numberText)\.ts$/,
  /^src\/ipvs\/command\/(endpointText|draft|draftCommand|parse|schedulerFlagNames)\.ts$/,
  /^src\/ipvs\/command\/(order|serviceWords|tableText|savedRules|connectionTable)\.ts$/,
  /^src\/ipvs\/command\/(restoreInput|restorePlan|jsonText|usage|refusalHint)\.ts$/,
];

/** Only these may reach Linux or start a program. */
const linuxPackages = new Set(['koffi', 'netlink', 'node:child_process']);

const files = sourceFiles('src');
const imports = files.flatMap(importsOf);

test('every folder imports only the folders that its layer allows', () => {
  const violations = imports
    .filter((entry) => entry.own && folderOf(entry.from) !== folderOf(entry.to))
    .filter((entry) => !(allowedFolders[folderOf(entry.from)] ?? []).includes(folderOf(entry.to)))
    // Types say nothing at run time; the layers below may name those of the layers above them.
    .filter((entry) => !(entry.typeOnly && folderOf(entry.from) !== 'wire'))
    .map((entry) => `${entry.from} imports ${entry.to}`);
  assert.deepEqual(violations, []);
});

test('wire imports nothing of ours, not even a type', () => {
  const violations = imports
    .filter(
      (entry) => entry.own && folderOf(entry.from) === 'wire' && folderOf(entry.to) !== 'wire',
    )
    .map((entry) => `${entry.from} imports ${entry.to}`);
  assert.deepEqual(violations, []);
});

test('pure files import wire, other pure files and types only', () => {
  const violations = imports
    .filter((entry) => pureFiles.some((pattern) => pattern.test(entry.from)) && !entry.typeOnly)
    .filter((entry) => !(entry.own && folderOf(entry.to) === 'wire'))
    .filter((entry) => !pureFiles.some((pattern) => pattern.test(entry.to)))
    .map((entry) => `${entry.from} imports ${entry.to}`);
  assert.deepEqual(violations, []);
});

test('pure files read no clock and no randomness', () => {
  const violations = files
    .filter((file) => pureFiles.some((pattern) => pattern.test(file.path)))
    .filter((file) => /Date\.now|new Date\(|Math\.random|performance\.|hrtime/.test(file.text))
    .map((file) => file.path);
  assert.deepEqual(violations, []);
});

test('only kernel and drill reach Linux or start a program', () => {
  const violations = imports
    .filter((entry) => linuxPackages.has(packageOf(entry.to)) && !entry.typeOnly)
    .filter((entry) => folderOf(entry.from) !== 'kernel')
    .filter((entry) => !(folderOf(entry.from) === 'drill' && entry.to === 'node:child_process'))
    .map((entry) => `${entry.from} imports ${entry.to}`);
  assert.deepEqual(violations, []);
});

test('built-in modules are imported with the node: prefix', () => {
  const builtins = new Set(builtinModules);
  const violations = imports
    .filter((entry) => !entry.own && builtins.has(entry.to))
    .map((entry) => `${entry.from} imports ${entry.to}`);
  assert.deepEqual(violations, []);
});

test('no file imports itself over others, types left aside', () => {
  const graph = new Map<string, string[]>();
  for (const entry of imports) {
    if (!entry.own || entry.typeOnly) continue;
    graph.set(entry.from, [...(graph.get(entry.from) ?? []), entry.to]);
  }
  assert.deepEqual(cycles(graph), []);
});

test('every import of ours names a file that exists', () => {
  const known = new Set(files.map((file) => file.path));
  const violations = imports
    .filter((entry) => entry.own && !known.has(entry.to))
    .map((entry) => `${entry.from} imports ${entry.to}`);
  assert.deepEqual(violations, []);
});

function importsOf(file: SourceFile): readonly Import[] {
  const found: Import[] = [];
  const statement = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)';/gm;
  const dynamic = /\bimport\(\s*'([^']+)'\s*\)/g;
  for (const match of file.text.matchAll(statement)) {
    found.push(makeImport(file.path, match[2] ?? '', match[1] !== undefined));
  }
  for (const match of file.text.matchAll(dynamic)) {
    found.push(makeImport(file.path, match[1] ?? '', false));
  }
  return found;
}

function makeImport(from: string, specifier: string, typeOnly: boolean): Import {
  if (!specifier.startsWith('.')) return { from, to: specifier, own: false, typeOnly };
  const to = normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts');
  return { from, to, own: true, typeOnly };
}

/** The name of the package that a specifier is of, or leads into: `netlink/dist/structs.js`. */
function packageOf(specifier: string): string {
  return specifier.startsWith('node:')
    ? specifier
    : specifier.replace(/^((?:@[^/]+\/)?[^/]+).*$/, '$1');
}

function folderOf(path: string): string {
  const inner = path.replace(/^src\//, '');
  return inner.includes('/') ? inner.slice(0, inner.indexOf('/')) : inner.replace(/\.ts$/, '');
}

/** Every elementary cycle that a depth-first walk meets, as text. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node);
    if (start >= 0) {
      found.push([...trail.slice(start), node].join(' -> '));
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) walk(next, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) walk(node, []);
  return found;
}
