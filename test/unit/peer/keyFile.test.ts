import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  newPeerKeyLine,
  parsePeerKeys,
  peerKeysMax,
  readPeerKeys,
  writePeerKeyFile,
} from '../../../src/peer/key.js';
import { keyA, keyB } from './support.js';

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'tandem-key-'));
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

function keyFile(context: TestContext, text: string, mode = 0o600): string {
  const path = join(folder(context), 'peer.key');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('a new key file has one key, and nobody but its owner can read it', (t) => {
  const path = join(folder(t), 'peer.key');
  writePeerKeyFile(path, newPeerKeyLine());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const [key, ...others] = readPeerKeys(path);
  assert.deepEqual(others, []);
  assert.equal(key?.id, 'default');
  assert.match(key?.hex ?? '', /^[0-9a-f]{64}$/);
});

test('two new keys differ', () => assert.notEqual(newPeerKeyLine(), newPeerKeyLine()));

test('a file that exists is not overwritten', (t) => {
  const path = keyFile(t, `${keyA.hex}\n`);
  assert.throws(() => writePeerKeyFile(path, newPeerKeyLine()), /exists already/);
  assert.equal(readFileSync(path, 'utf8'), `${keyA.hex}\n`);
});

test('several keys are read in their order, between comments', () => {
  const text = `# since May\nb:${keyB.hex.toUpperCase()}\n\n  a:${keyA.hex}  \r\n`;
  assert.deepEqual(parsePeerKeys(text, 'peer.key'), [keyB, keyA]);
});

test('a key with an id is a line of a key file', () => {
  const [key] = parsePeerKeys(newPeerKeyLine('2026-05'), 'peer.key');
  assert.equal(key?.id, '2026-05');
  assert.throws(() => newPeerKeyLine('a:b'), { code: 'USAGE' });
});

for (const mode of [0o640, 0o604, 0o660, 0o610, 0o666]) {
  test(`a key file of mode ${mode.toString(8)} is refused`, (t) => {
    const path = keyFile(t, keyA.hex, mode);
    assert.throws(() => readPeerKeys(path), {
      code: 'PEER_KEY_UNUSABLE',
      message: `the key file ${path} is open to others (mode 0${mode.toString(8)})`,
    });
  });
}

test('a key file that its owner may only read is good', (t) => {
  assert.equal(readPeerKeys(keyFile(t, keyA.hex, 0o400)).length, 1);
});

test('a key file of another user is refused', (t) => {
  if (process.getuid?.() !== 0) {
    t.skip('needs root: it gives a file away');
    return;
  }
  const path = keyFile(t, keyA.hex);
  chownSync(path, 65534, 65534);
  assert.throws(() => readPeerKeys(path), /belongs to user 65534/);
});

test('a folder, a missing file and a file that is too long are refused', (t) => {
  const path = folder(t);
  chmodSync(path, 0o700);
  assert.throws(() => readPeerKeys(path), /is not a plain file/);
  assert.throws(() => readPeerKeys(join(path, 'none')), /cannot be opened \(ENOENT\)/);
  const long = keyFile(t, `# ${'x'.repeat(5000)}\n${keyA.hex}`);
  assert.throws(() => readPeerKeys(long), /longer than 4096 bytes/);
});

const badTexts: readonly (readonly [title: string, text: string, message: RegExp])[] = [
  ['no key', '# nothing\n', /has no key$/],
  ['a short key', keyA.hex.slice(2), /line 1: the key has 62 digits/],
  ['a long key', `${keyA.hex}00`, /line 1: the key has 66 digits/],
  ['a key that is not hexadecimal', `\n${'z'.repeat(64)}`, /line 2: the key is not hexadecimal/],
  ['an id that is none', `a b:${keyA.hex}`, /line 1: the id before the colon is not one/],
  ['the same id twice', `a:${keyA.hex}\na:${keyB.hex}`, /line 2: the id a is there already/],
  ['two keys without an id', `${keyA.hex}\n${keyB.hex}`, /the id default is there already/],
  [
    'too many keys',
    Array.from({ length: peerKeysMax + 1 }, (_, index) => `k${index}:${keyA.hex}`).join('\n'),
    /has 9 keys where 8 are the most/,
  ],
];

for (const [title, text, message] of badTexts) {
  test(`a key file with ${title} is refused, and its content is not repeated`, () => {
    assert.throws(
      () => parsePeerKeys(text, 'peer.key'),
      (error: Error) => message.test(error.message) && !/[0-9a-z]{32}/.test(error.message),
    );
  });
}
