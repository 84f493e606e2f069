import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { outermost } from '../../../src/drill/embeddedKernel.js';
import { initScript, isMasked, shellQuote } from '../../../src/drill/embeddedKernelInit.js';

const script = initScript({
  sharedFolder: '/tmp/x/shared',
  modulesFolder: '/usr/lib/uml/modules',
  modprobePath: '/sbin/modprobe',
  libraryFolders: [],
  exposedFolders: ['/tmp/clone', '/opt/clone'],
  command: ['echo', "it's", '$HOME'],
  workingDirectory: '/opt/clone',
  environment: { GREETING: 'a b' },
});

test('any word survives the quoting for a shell', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~\n\t]*$/), (word) => {
      const { stdout } = spawnSync('sh', ['-c', `printf %s ${shellQuote(word)}`]);
      assert.equal(stdout.toString(), word);
    }),
    { numRuns: 50 },
  );
});

test('the script is one that a shell accepts', () => {
  assert.equal(spawnSync('sh', ['-n'], { input: script }).status, 0);
});

test('the command is passed word by word, and its status is written when it has ended', () => {
  assert.match(script, /^'echo' 'it'\\''s' '\$HOME' >> '\/tmp\/x\/shared\/output' 2>&1/m);
  assert.match(script, /^echo \$\? > '\/tmp\/x\/shared\/status'\.part && mv /m);
});

test('only folders that a temporary file system covers are mounted again, read-only', () => {
  assert.match(script, /mount -t hostfs -o 'ro,\/tmp\/clone' none '\/tmp\/clone'/);
  assert.doesNotMatch(script, /hostfs -o '[^']*\/opt\/clone'/);
  assert.deepEqual(['/tmp', '/tmp/a', '/tmpfile', '/root', '/home'].map(isMasked), [
    true,
    true,
    false,
    true,
    false,
  ]);
});

test('a folder inside another is not mounted twice', () => {
  const folders = ['/tmp/a/b', '/tmp/a', '/tmp/ab', '/usr', '/tmp/a'];
  assert.deepEqual(outermost(folders).sort(), ['/tmp/a', '/tmp/ab']);
});
