import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTap } from '../../drill/support/tapTree.js';

const stream = `TAP version 13
# Subtest: passes \\# one
ok 1 - passes \\# one
  ---
  duration_ms: 1.3
  ...
# Subtest: parent
    # Subtest: child bad
    not ok 1 - child bad
      ---
      error: |-
        boom
        ---
        ok 9 - not a result
      ...
    1..1
not ok 2 - parent
  ---
  error: '1 subtest failed'
  ...
some output of a test
ok 3 - skipped # SKIP because no
# tests 3
`;

test('results, subtests, skips and diagnostics come out as they went in', () => {
  assert.deepEqual(parseTap(stream), [
    { name: 'passes # one', ok: true, diagnostics: 'duration_ms: 1.3', children: [] },
    {
      name: 'parent',
      ok: false,
      diagnostics: "error: '1 subtest failed'",
      children: [
        {
          name: 'child bad',
          ok: false,
          diagnostics: 'error: |-\n  boom\n  ---\n  ok 9 - not a result',
          children: [],
        },
      ],
    },
    { name: 'skipped', ok: true, skipped: 'because no', diagnostics: '', children: [] },
  ]);
});

test('text without results gives no tests', () => {
  assert.deepEqual(parseTap('Segmentation fault\n'), []);
});
