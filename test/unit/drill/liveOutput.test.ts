import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findScenarios } from '../../../src/cli/drill.js';
import { LiveOutput } from '../../../src/cli/liveOutput.js';
import { scenarios } from '../../../src/drill/scenario.js';
import { TandemError } from '../../../src/errors.js';

function capture(isTerminal: boolean): { output: LiveOutput; text: () => string } {
  let written = '';
  const output = new LiveOutput((text) => {
    written += text;
  }, isTerminal);
  return { output, text: () => written.replace(/\[ +\d+\.\d s\]/g, '[T]') };
}

test('on a terminal progress replaces itself and goes away before a line that stays', () => {
  const { output, text } = capture(true);
  output.progress('one');
  output.progress('two');
  output.step('done');
  output.step('more');
  const erase = '\r\x1b[2K';
  assert.equal(text(), `${erase}[T]  one${erase}[T]  two${erase}[T]  done\n[T]  more\n`);
});

test('a progress line that would wrap is cut', () => {
  const { output, text } = capture(true);
  output.progress('x'.repeat(500));
  assert.ok(text().length < 90);
});

test('elsewhere progress is a plain line that comes seldom', () => {
  const { output, text } = capture(false);
  output.progress('one');
  output.progress('two');
  output.step('done');
  assert.equal(text(), '[T]  one\n[T]  done\n');
});

test('scenarios are found by name; none is director-crash, all is all', () => {
  assert.deepEqual(
    findScenarios([]).map(({ name }) => name),
    ['director-crash'],
  );
  assert.deepEqual(
    findScenarios(['server-error', 'director-stop']).map(({ name }) => name),
    ['server-error', 'director-stop'],
  );
  assert.equal(findScenarios(['all']), scenarios);
});

test('an unknown scenario is a usage error that names those that exist', () => {
  assert.throws(
    () => findScenarios(['meteor']),
    (error) =>
      error instanceof TandemError &&
      error.code === 'USAGE' &&
      error.hint.includes('director-crash'),
  );
});
