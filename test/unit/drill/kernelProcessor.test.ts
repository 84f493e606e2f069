import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  allowedProcessors,
  leastTaken,
  takeProcessor,
} from '../../../src/drill/kernelProcessor.js';

test('the processors of a process are read from its status, with ranges', () => {
  const status = 'Name:\tnode\nCpus_allowed:\tf5\nCpus_allowed_list:\t0,2,4-7\nMems_allowed:\t1\n';
  assert.deepEqual(allowedProcessors(status), [0, 2, 4, 5, 6, 7]);
  assert.deepEqual(allowedProcessors('Name:\tnode\n'), []);
});

test('an embedded kernel gets the processor that the fewest others have', () => {
  assert.equal(leastTaken([0, 1], []), 1);
  assert.equal(leastTaken([0, 1], [1]), 0);
  assert.equal(leastTaken([0, 1, 2], [0, 1, 2, 2, 1]), 0);
});

test('where there is one processor nothing is chosen', () => {
  assert.equal(leastTaken([3], []), undefined);
  assert.equal(leastTaken([], []), undefined);
});

test('what is taken is noted for the kernels that come after', (context) => {
  const parent = mkdtempSync(join(tmpdir(), 'tandem-processor-'));
  context.after(() => rmSync(parent, { recursive: true }));
  const allowed = allowedProcessors(readFileSync('/proc/self/status', 'utf8'));
  const taken = allowed.map((_, index) => {
    const folder = join(parent, `tandem-embedded-${index}-x`);
    mkdirSync(folder);
    return takeProcessor(folder, parent);
  });
  const expected = allowed.length < 2 ? [undefined] : allowed;
  assert.deepEqual(new Set(taken), new Set(expected));
});
