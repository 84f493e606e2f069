/** The tests of `test/embedded` in two halves, which can run side by side on two processors. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runTestFilesInEmbeddedKernel } from '../../drill/support/embeddedTests.js';

const folder = fileURLToPath(new URL('../../embedded', import.meta.url));

/** The files that take longest: together about as long as all the others. */
const longest = ['takeoverWithConnections.test.js', 'syncRelay.test.js', 'doctorNat.test.js'];

/** Runs one half: one boot, and one process for each file; everything runs on real IPVS. */
export async function runEmbeddedHalf(
  context: TestContext,
  half: 'longest' | 'others',
): Promise<void> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .sort();
  for (const name of longest) assert.ok(files.includes(name), `${name} is not in ${folder}`);
  const wanted = half === 'longest' ? longest : files.filter((name) => !longest.includes(name));
  await runTestFilesInEmbeddedKernel(
    context,
    wanted.map((name) => join(folder, name)),
  );
}
