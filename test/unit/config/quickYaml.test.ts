import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { checkConfigText } from '../../../src/config/checkText.js';
import type { ConfigPath } from '../../../src/config/problem.js';
import { quickPlaces } from '../../../src/config/quickPlaces.js';
import { quickTextMin, quickYaml } from '../../../src/config/quickYaml.js';
import { readYaml } from '../../../src/config/yamlSource.js';
import { projectRoot } from '../../tools/sourceFiles.js';

const folder = join(projectRoot, 'conf');
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(join(folder, name), 'utf8'));

/** Where the quick parser says anything, it is what the exact one says, without a complaint. */
function assertSame(text: string): boolean {
  const quick = quickYaml(text);
  if (quick === undefined) return false;
  const exact = readYaml(text);
  assert.deepEqual(exact.problems, [], text);
  assert.deepEqual(quick.value, exact.value, text);
  assertSamePlaces(text, exact);
  return true;
}

/** Every path that there is, and one below it that is not, lies where the exact parser says. */
function assertSamePlaces(text: string, exact: ReturnType<typeof readYaml>): void {
  const locate = quickPlaces(text, exact.value);
  if (locate === undefined) return;
  for (const path of pathsOf(exact.value)) {
    for (const at of ['key', 'value'] as const) {
      const what = `${JSON.stringify(path)} (${at}) of ${text}`;
      assert.deepEqual(locate(path, at), exact.locate(path, at), what);
    }
  }
}

function pathsOf(value: unknown, path: ConfigPath = []): readonly ConfigPath[] {
  const inner = Object.entries(typeof value === 'object' && value !== null ? value : {});
  return [
    path,
    [...path, 'not there'],
    ...inner.flatMap(([key, part]) =>
      pathsOf(part, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

test('most examples are read quickly, and every one as by the exact parser', () => {
  const quick = examples.filter(assertSame);
  assert.ok(quick.length > examples.length / 2, `${quick.length} of ${examples.length}`);
});

test('the places of every example that is read quickly are found quickly', () => {
  for (const text of examples) {
    const quick = quickYaml(text);
    if (quick !== undefined) assert.ok(quickPlaces(text, quick.value) !== undefined, text);
  }
});

/** Texts that the two parsers might see differently: each is read the same, or left alone. */
const doubtful: readonly string[] = [
  ...['a: 1', 'a: 01', 'a: 0o17', 'a: 0x1F', 'a: 0b11', 'a: 1_000', 'a: +1', 'a: 1.', 'a: .5'],
  ...['a: 1e3', 'a: 1.5E-3', 'a: .inf', 'a: -.INF', 'a: .NaN', 'a: 12:30:45', 'a: 2026-11-25'],
  ...['a: yes', 'a: NO', 'a: True', 'a: ~', 'a: null', 'a:', 'a: ""', "a: ''", 'a: "null"'],
  ...['1: a', '01: a', '0x10: a', '1.0: a', 'true: a', '~: a', 'null: a', '"1": a', '-1: a'],
  ...['a: {b, c}', 'a: [b: c]', 'a: {b:1}', 'a: {"b":1}', 'a: [1, 2,]', '{a: b', 'a: b: c'],
  ...['a: { [b, c] }', 'a: {b: 1, {c: 2}}', 'a: { # b\n  [c] }', 'a: [{b: 1}, [c], {d: 2}]'],
  ...['? a\n: b', '[a]: b', '{a: 1}: b', '&x a: *x', 'a: &x 1\nb: *x', 'a: *x', 'a: !!str 1'],
  ...['a: |\n  b\n', 'a: >\n  b\n', 'a: b\n  c', 'a: "b\n  c"', "a: 'b''c'", 'a: "\\u00e9\\x41"'],
  ...['---\na: 1', 'a: 1\n---\nb: 2', 'a: 1\n...', '%YAML 1.1\n---\na: yes', 'a:\t1', '\ta: 1'],
  ...['a: 1\na: 2', 'a: {b: 1, b: 2}', '<<: {a: 1}', 'a: 1 #b', 'a: 1#b', '# only', '', '- a\n- b'],
  ...[
    'a: @b',
    'a: `b`',
    'a: %b',
    'a: -b',
    'a: - b',
    'a:\n- b\n- c',
    'a:\n - b\n  - c',
    'a: {\nb: 1}',
  ],
  ...['x:\n  - { a: 1,\nb: 2 }', 'a: b\r\nc: d', '\uFEFFa: 1', '__proto__: {a: 1}', 'a: \u0000'],
  ...[
    'a: [',
    'a: ]',
    'a: "',
    'a: b\n c: d',
    'a: b\nc',
    'a :b',
    'a : b',
    ': b',
    'a: b :',
    'a: "b"c',
  ],
  ...[
    'a: ?b',
    'a: b?c',
    'a: b!c',
    'a: b*c',
    'a: b&c',
    'a: :b',
    'a: b: ',
    'a: ::1',
    'a: tcp://b:80',
  ],
];

for (const text of doubtful) {
  test(`${JSON.stringify(text)} is read as by the exact parser, or left to it`, () => {
    assertSame(text);
    assertSame(`top:\n${text.replace(/^/gm, '  ')}`);
  });
}

const fragments = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    ...['\n', ': ', '- ', '{', '}', '[', ']', '"', "'", '#', ' #', ', ', '  ', '\n  ', '0', '-1'],
    ...['1e9', 'null', '~', '.inf', '1ms', 'tcp://', '::', '? ', '|', '>', 'yes', '0x1', '1_0'],
  ),
);

test('an example that was changed anywhere is read as by the exact parser, or left to it', () => {
  let quickly = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...examples),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 20 }), fragments), { minLength: 1, maxLength: 3 }),
      (example, edits) => {
        let text = example;
        for (const [where, removed, inserted] of edits) {
          const offset = where % (text.length + 1);
          text = text.slice(0, offset) + inserted + text.slice(offset + removed);
        }
        if (assertSame(text)) quickly += 1;
      },
    ),
    { numRuns: 1_000 },
  );
  assert.ok(quickly > 100, `only ${quickly} were read quickly`);
});

test('whatever the library writes is read as by the exact parser, or left to it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.boolean(), (value, flow) => {
      assertSame(stringify({ top: value }, { collectionStyle: flow ? 'flow' : 'block' }));
    }),
    { numRuns: 500 },
  );
});

/** A file above the size from which the quick parser is used. */
function largeFile(lastServer: string): string {
  const servers = Array.from({ length: 2_000 }, (_, index) => {
    const address = `10.1.${index >> 8}.${index & 0xff}`;
    return `      - { address: '${address}:80', weight: 1 }`;
  });
  return [
    'cluster: large',
    'nodes:',
    '  lb1: { address: 192.0.2.1, interface: eth0 }',
    '  lb2: { address: 192.0.2.2, interface: eth0 }',
    'services:',
    '  - name: web',
    '    listen: tcp://192.0.2.100:80',
    '    forward: nat',
    '    servers:',
    ...servers,
    `      - ${lastServer}`,
    '',
  ].join('\n');
}

test('a large file has its warnings and its errors in their places, as a small one has', () => {
  const sound = largeFile("{ address: '10.2.0.1:80', weight: 1 }");
  assert.ok(sound.length > quickTextMin);
  assert.ok(quickYaml(sound) !== undefined);
  const { problems, warnings, configs } = checkConfigText(sound);
  assert.deepEqual(problems, []);
  assert.equal(configs[0]?.services[0]?.servers.length, 2_001);
  assert.deepEqual(
    warnings.map(({ position, path }) => [position, path]),
    [[{ line: 7, column: 13 }, 'services[0].listen']],
  );
  const wrong = checkConfigText(largeFile("{ address: '10.2.0.1:80', weight: -1 }"));
  assert.deepEqual(
    wrong.problems.map(({ position, path }) => [position, path]),
    [[{ line: 2_010, column: 43 }, 'services[0].servers[2000].weight']],
  );
  const broken = checkConfigText(largeFile("{ address: '10.2.0.1:80', weight: 1"));
  assert.match(broken.problems[0]?.message ?? '', /^YAML syntax: /);
});

test('an alias may be used as often as there are services', () => {
  const uses = Array.from({ length: 5_000 }, () => '  - *check').join('\n');
  const { value, problems } = readYaml(`check: &check { type: tcp }\nuses:\n${uses}\n`);
  assert.deepEqual(problems, []);
  assert.equal((value as { uses: unknown[] }).uses.length, 5_000);
});
