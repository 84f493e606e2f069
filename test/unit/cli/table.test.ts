import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable, painterFor } from '../../../src/cli/table.js';

test('columns are aligned, numbers to the right and text to the left', () => {
  assert.deepEqual(
    formatTable([
      ['NAME', 'COUNT', 'NOTE'],
      ['a', '10', 'x'],
      ['bcdef', '7', 'longer'],
    ]),
    ['NAME   COUNT  NOTE', 'a         10  x', 'bcdef      7  longer'],
  );
});

test('colour codes do not count as width', () => {
  const paint = painterFor(true, {});
  const lines = formatTable([
    ['A', 'B'],
    [paint('good', 'up'), 'x'],
    ['down', 'y'],
  ]);
  assert.equal(lines[1], `${paint('good', 'up')}    x`);
});

test('no colours are used when the output is piped or NO_COLOR is set', () => {
  assert.equal(painterFor(false, {})('bad', 'down'), 'down');
  assert.equal(painterFor(true, { NO_COLOR: '1' })('bad', 'down'), 'down');
  assert.notEqual(painterFor(true, {})('bad', 'down'), 'down');
});
