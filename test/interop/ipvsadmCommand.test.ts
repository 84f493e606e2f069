import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runTestFilesInEmbeddedKernel } from '../drill/support/embeddedTests.js';

const folder = fileURLToPath(new URL('embedded', import.meta.url));

/** One boot: the real ipvsadm and ours work on the same kernel, side by side. */
test('tandem ipvs does what ipvsadm does, on the same kernel', async (context) => {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(folder, name));
  await runTestFilesInEmbeddedKernel(context, files);
});
