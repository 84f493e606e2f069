import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readOverrideFile, writeOverrideFile } from '../../../src/agent/overrideFile.js';
import type { OverrideRecord } from '../../../src/wire/overrideModel.js';

const record: OverrideRecord = {
  server: 'web/10.0.0.2:80',
  kind: 'drain',
  folderOf: '',
  holds: true,
  weight: 0,
  atUnixMs: 1_000,
  node: 'lb1',
  user: 'alice',
  reason: '新磁盘',
};

function temporaryPath(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-overrides-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'state', 'overrides.json');
}

test('what was written is read again, and nothing else is left behind', (context) => {
  const path = temporaryPath(context);
  assert.deepEqual(readOverrideFile(path), { kind: 'missing' });
  writeOverrideFile(path, []);
  writeOverrideFile(path, [record]);
  assert.deepEqual(readOverrideFile(path), { kind: 'read', records: [record] });
  assert.equal(existsSync(`${path}.part`), false);
});

const damaged: Readonly<Record<string, readonly [text: string, problem: RegExp]>> = {
  'half a file': ['{"version":1,"rec', /JSON/],
  'another version': ['{"version":2,"records":[]}', /version is 2, not 1/],
  'no version': ['[]', /version is undefined/],
  'a record without a server': ['{"version":1,"records":[{}]}', /records\[0\]\.server is missing/],
  'nothing at all': ['', /JSON/],
};

for (const [what, [text, problem]] of Object.entries(damaged)) {
  test(`${what} is put aside and said`, (context) => {
    const path = temporaryPath(context);
    writeOverrideFile(path, []);
    writeFileSync(path, text);
    const content = readOverrideFile(path);
    assert.equal(content.kind, 'damaged');
    assert.match(content.problem, problem);
    assert.equal(readFileSync(content.keptAs ?? '', 'utf8'), text);
    assert.deepEqual(readOverrideFile(path), { kind: 'missing' });
  });
}

test('a write that fails leaves the file as it was', (context) => {
  const path = temporaryPath(context);
  writeOverrideFile(path, [record]);
  // A value that JSON does not have fails in the middle of the write, also for root.
  const unwritable = { ...record, reason: 1n } as unknown as OverrideRecord;
  assert.throws(() => writeOverrideFile(path, [unwritable]));
  assert.deepEqual(readOverrideFile(path), { kind: 'read', records: [record] });
});
