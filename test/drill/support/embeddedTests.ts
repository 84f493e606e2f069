/** Runs compiled test files inside the embedded kernel and shows them as tests of the outer run. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { runInEmbeddedKernel } from '../../../src/drill/embeddedKernel.js';
import { parseTap, type TapTest } from './tapTree.js';

const timeoutMs = 1_200_000;

/**
 * Runs the files in one boot, one after the other, and repeats each of their tests as a subtest of
 * `context`, with its name, its outcome and the diagnostics of its failure.
 */
export async function runTestFilesInEmbeddedKernel(
  context: TestContext,
  files: readonly string[],
): Promise<void> {
  const command = [
    process.execPath,
    '--test',
    '--test-concurrency=1',
    '--test-reporter=tap',
    ...files,
  ];
  // The embedded kernel has IPVS, so a test that finds none there has failed.
  const env = { TANDEM_REQUIRE_IPVS: '1' };
  const { exitCode, output } = await runInEmbeddedKernel({ command, env, timeoutMs });
  const tests = parseTap(output);
  for (const inner of tests) await repeatTest(context, inner);
  assert.notEqual(tests.length, 0, `no test ran inside; the output was:\n${output}`);
  const allOk = tests.every(({ ok }) => ok);
  assert.equal(exitCode === 0, allOk, `status ${exitCode} does not fit the output:\n${output}`);
}

async function repeatTest(context: TestContext, inner: TapTest): Promise<void> {
  await context.test(inner.name, async (subtest) => {
    if (inner.skipped !== undefined) {
      subtest.skip(inner.skipped);
      return;
    }
    for (const child of inner.children) await repeatTest(subtest, child);
    const ownFailure = !inner.ok && inner.children.every(({ ok }) => ok);
    assert.ok(!ownFailure, `failed in the embedded kernel:\n${inner.diagnostics}`);
  });
}
