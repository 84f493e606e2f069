import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { checkConfigText } from '../../../src/config/checkText.js';
import { formatProblem } from '../../../src/config/problem.js';
import { projectRoot } from '../../tools/sourceFiles.js';

const names = ['dr.yaml', 'fwmark.yaml', 'minimal.yaml', 'nat.yaml', 'tunnel.yaml'];
const examples = names.map((name) => readFileSync(join(projectRoot, 'conf', name), 'utf8'));

/** Whatever a text is: no exception, and either configurations or problems with a place. */
function assertJudged(text: string): void {
  const { problems, warnings, configs } = checkConfigText(text);
  assert.equal(problems.length === 0, configs.length > 0);
  const lineCount = text.split(/\r\n|\n|\r/).length;
  for (const problem of [...problems, ...warnings]) {
    assert.ok(problem.position !== null);
    assert.ok(problem.position.line >= 1 && problem.position.line <= lineCount);
    assert.ok(problem.position.column >= 1);
    assert.doesNotMatch(formatProblem('f', problem), /\n|undefined|\[object/);
  }
}

const fragments = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    ...['\n', ': ', '- ', '{', '}', '[', ']', '"', '#', '&a ', '*a', '!t ', '\t', '0', '-1', '1e9'],
    ...['null', '~', '__proto__: 1', '<<: *a', '.inf', '1ms', 'tcp://', '::', '\u0000', '\uFEFF'],
  ),
);

test('an example with characters removed, put in or replaced is judged, whatever it became', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...examples),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 20 }), fragments), { minLength: 1, maxLength: 4 }),
      (example, edits) => {
        let text = example;
        for (const [where, removed, inserted] of edits) {
          const offset = where % (text.length + 1);
          text = text.slice(0, offset) + inserted + text.slice(offset + removed);
        }
        assertJudged(text);
      },
    ),
    { numRuns: 1500 },
  );
});

const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 256, 65_536, 1e20, '', 'x', '1s', '0s', '10ms'),
  fc.constantFrom<unknown>('tcp://10.0.0.1:80', 'udp://[::1]', '10.0.0.1', '::1', 'lb1', 'eth0'),
  fc.jsonValue({ maxDepth: 2 }),
);

type Container = Record<string, unknown> | unknown[];

/** Every mapping and list of a value, the value itself first. */
function containers(value: unknown): readonly Container[] {
  if (typeof value !== 'object' || value === null) return [];
  const container = value as Container;
  return [container, ...Object.values(container).flatMap(containers)];
}

test('an example with values replaced, removed or added is judged, whatever it became', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...examples),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.option(values, { nil: undefined })), {
        minLength: 1,
        maxLength: 4,
      }),
      (example, edits) => {
        const root: unknown = parse(example);
        for (const [where, which, value] of edits) {
          const all = containers(root);
          const container = all[where % all.length];
          assert.ok(container !== undefined);
          const keys = [...Object.keys(container), Array.isArray(container) ? '9' : 'extra'];
          const key = keys[which % keys.length] ?? '';
          if (value === undefined) Reflect.deleteProperty(container, key);
          else Reflect.set(container, key, value);
        }
        assertJudged(stringify(root, { aliasDuplicateObjects: false }));
      },
    ),
    { numRuns: 1500 },
  );
});
