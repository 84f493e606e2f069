import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mainScriptPath } from '../../../src/drill/packageFolders.js';

function tandem(...args: readonly string[]) {
  return spawnSync(process.execPath, [mainScriptPath(), 'peer-key', ...args], { encoding: 'utf8' });
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'tandem-key-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('tandem peer-key new prints a key', () => {
  const { status, stdout } = tandem('new');
  assert.equal(status, 0);
  assert.match(stdout, /^[0-9a-f]{64}\n$/);
  assert.match(tandem('new', '--id', 'may').stdout, /^may:[0-9a-f]{64}\n$/);
});

test('tandem peer-key new --out writes a file of mode 0600, once, and prints no key', (t) => {
  const path = join(folder(t), 'peer.key');
  const { status, stdout } = tandem('new', '--out', path);
  assert.equal(status, 0);
  assert.doesNotMatch(stdout, /[0-9a-f]{64}/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^[0-9a-f]{64}\n$/);
  const again = tandem('new', '--out', path);
  assert.equal(again.status, 2);
  assert.match(again.stderr, /exists already\n {2}hint: /);
  assert.equal(readFileSync(path, 'utf8'), text);
});
