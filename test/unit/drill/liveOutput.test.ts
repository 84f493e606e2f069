import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDrills } from '../../../src/cli/drill.js';
import { LiveOutput } from '../../../src/cli/liveOutput.js';
import { drillName, scenarios } from '../../../src/drill/scenario.js';
import { topologyNames } from '../../../src/drill/topology.js';
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

test('drills are planned by name; none is director-crash, all is all', () => {
  assert.deepEqual(planDrills([], 'nat').map(drillName), ['director-crash@nat']);
  assert.deepEqual(planDrills(['server-error', 'director-stop@dr'], 'tunnel').map(drillName), [
    'server-error@tunnel',
    'director-stop@dr',
  ]);
  assert.deepEqual(
    planDrills(['all'], 'nat6').map(({ scenario }) => scenario),
    scenarios,
  );
  assert.equal(planDrills(['all'], 'all').length, scenarios.length * topologyNames.length);
  assert.equal(planDrills(['server-down@all'], 'nat').length, topologyNames.length);
});

for (const [name, hint] of [
  ['meteor', 'director-crash'],
  ['server-down@moon', 'fwmark'],
] as const) {
  test(`${name} is a usage error that names what there is`, () => {
    assert.throws(
      () => planDrills([name], 'nat'),
      (error) =>
        error instanceof TandemError && error.code === 'USAGE' && error.hint.includes(hint),
    );
  });
}
