import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from '../../tools/sourceFiles.js';

const linesPerFileMax = 400;
const columnsMax = 100;

const source = sourceFiles('src');
const everything = sourceFiles('src', 'test');

test('no file is longer than a reader can hold', () => {
  const long = everything
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .filter((file) => file.lines > linesPerFileMax)
    .map((file) => `${file.path}: ${file.lines} lines`);
  assert.deepEqual(long, []);
});

test('no line is wider than 100 columns', () => {
  const wide = everything.flatMap((file) =>
    file.text
      .split('\n')
      .map((line, index) => ({ line, place: `${file.path}:${index + 1}` }))
      .filter(({ line }) => line.length > columnsMax)
      .map(({ place }) => place),
  );
  assert.deepEqual(wide, []);
});

test('nothing is put off and nothing is exported by default', () => {
  // The words are put together here so that this file does not find itself.
  const forbidden = [
    new RegExp(
      `\\b(${['TO', 'FIX'].map((head) => head + (head === 'TO' ? 'DO' : 'ME')).join('|')})\\b`,
    ),
    new RegExp(`^export ${'default'} `, 'm'),
    new RegExp(`@ts-${'(ignore|nocheck)'}`),
    new RegExp(`\\btest\\.${'only'}\\(`),
  ];
  const violations = everything
    .filter((file) => forbidden.some((pattern) => pattern.test(file.text)))
    .map((file) => file.path);
  assert.deepEqual(violations, []);
});

test('only the command line and the drill print', () => {
  const printing = source
    .filter((file) => !/^src\/(cli|drill)\/|^src\/main\.ts$/.test(file.path))
    .filter((file) => /console\.|process\.stdout\.write|process\.stderr\.write/.test(file.text))
    .map((file) => file.path);
  assert.deepEqual(printing, []);
});

test('every exported function, class, type and table has a doc comment', () => {
  const exported =
    /^export (?:async )?(?:function|class|interface|type|const|abstract class) (\w+)/;
  const bare = source.flatMap((file) => {
    const lines = file.text.split('\n');
    return lines
      .map((line, index) => ({ name: exported.exec(line)?.[1], index }))
      .filter(({ name }) => name !== undefined)
      .filter(({ index }) => !isDocumented(lines, index))
      .map(({ name, index }) => `${file.path}:${index + 1} ${name}`);
  });
  assert.deepEqual(bare, []);
});

function isDocumented(lines: readonly string[], index: number): boolean {
  return (lines[index - 1] ?? '').trimEnd().endsWith('*/');
}
