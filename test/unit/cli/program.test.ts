import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildProgram } from '../../../src/cli/program.js';

test('a command line loads the command that it names, and no other', async () => {
  const all = (await buildProgram([])).commands.map((command) => command.name());
  assert.ok(all.includes('status') && all.includes('release'), all.join());
  for (const name of all) {
    const { commands } = await buildProgram([name, '--help']);
    assert.deepEqual(
      commands.map((command) => command.name()),
      [name],
    );
  }
});

test('what begins with no command loads all of them, so that the help is whole', async () => {
  const all = (await buildProgram([])).commands.length;
  for (const words of [['--help'], ['help', 'status'], ['staus'], ['toString']]) {
    assert.equal((await buildProgram(words)).commands.length, all, words.join(' '));
  }
});
