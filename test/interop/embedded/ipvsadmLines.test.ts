import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLines } from '../ipvsadmLines.js';
import { makeNamespace, runOurs, runReal } from './ipvsadmSupport.js';

/**
 * The real ipvsadm works in one namespace, ours in another, and after each line that was not
 * refused everything that ipvsadm can list is compared byte for byte. Ours runs in this process,
 * because starting Node hundreds of times in the embedded kernel takes minutes; it is the function
 * that the executable calls, and ipvsadmExecutable.test.ts tries that one.
 */
test('every command line ends as with ipvsadm 1.31', async (context) => {
  const theirs = makeNamespace('judge-real');
  const real = runReal(theirs, commandLines);
  theirs.remove();
  makeNamespace('judge-ours').enter();
  const ours = await runOurs(commandLines);
  assert.ok(commandLines.length >= 150, `only ${commandLines.length} command lines`);
  const listed = real.filter(({ listings }) => listings !== '').length;
  context.diagnostic(`${commandLines.length} command lines, listings after ${listed}`);
  for (const [index, line] of commandLines.entries()) {
    await context.test(`${index + 1}: ipvsadm ${line.words}`, () => {
      const [wanted, got] = [real[index], ours[index]];
      assert.ok(wanted !== undefined && got !== undefined);
      const about = `ipvsadm said: ${wanted.errors}\nours said: ${got.errors}`;
      assert.equal(got.status, wanted.status, about);
      assert.equal(got.output, wanted.output, about);
      assert.equal(got.listings, wanted.listings, about);
      // What goes wrong is told, if in other words.
      assert.equal(got.errors !== '', wanted.errors !== '', about);
    });
  }
});
