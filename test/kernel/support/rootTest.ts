/** Tests that make network namespaces: they need root and say so when they cannot run. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

const needsRoot = 'needs root: it makes network namespaces';

/** A test that is skipped without root, and fails instead where CI must not skip. */
export function rootTest(title: string, body: (context: TestContext) => void | Promise<void>) {
  test(title, async (context) => {
    if (process.getuid?.() !== 0) {
      assert.notEqual(process.env.CI, 'true', needsRoot);
      context.skip(needsRoot);
      return;
    }
    await body(context);
  });
}
