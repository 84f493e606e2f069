import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runTestFilesInEmbeddedKernel } from '../drill/support/embeddedTests.js';

const folder = fileURLToPath(new URL('../embedded', import.meta.url));

/** One boot and one process for each file: everything here runs on real IPVS. */
test('every test of test/embedded passes inside the embedded kernel', async (context) => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(folder, name));
  assert.notEqual(files.length, 0, `there is no compiled test in ${folder}`);
  await runTestFilesInEmbeddedKernel(context, files);
});
