import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorsDocument } from '../../src/cli/errorsDocument.js';
import { findingsDocument } from '../../src/cli/findingsDocument.js';
import { configDocument } from '../../src/config/document.js';
import { projectRoot } from '../tools/sourceFiles.js';

/** Documents that are generated from the source. `npm run docs` writes them all. */
const documents: readonly { readonly file: string; readonly generate: () => string }[] = [
  { file: 'docs/reference/config.md', generate: configDocument },
  { file: 'docs/reference/errors.md', generate: errorsDocument },
  { file: 'docs/reference/findings.md', generate: findingsDocument },
];

for (const { file, generate } of documents) {
  test(`${file} says what the source says; \`npm run docs\` writes it`, () => {
    const path = join(projectRoot, file);
    if (process.env.UPDATE_DOCS === '1') writeFileSync(path, generate());
    assert.equal(readFileSync(path, 'utf8'), generate());
  });
}
