import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { presets, withPresets } from '../../../src/config/presets.js';
import { presetNames } from '../../../src/config/schema/presetType.js';
import { changed, problemsOf, soundConfig, warningsOf } from './soundConfig.js';

/** The timers of the two routers and of a session, as they come out. */
function timersOf(text: string) {
  const { configs, problems } = checkConfigText(`${text}bfd: [{ name: pair }]\n`);
  assert.deepEqual(problems, []);
  const [config] = configs;
  assert.ok(config !== undefined);
  const [outside, inside] = config.virtualRouters.map((router) => ({
    advertIntervalCs: router.advertIntervalCs,
    preemptDelayMs: router.preempt.delayMs,
    ...router.announcements,
  }));
  const [session] = config.bfd;
  return { outside, inside, session };
}

test('without a preset the timers are those of lan', () => {
  assert.deepEqual(timersOf(soundConfig), timersOf(`preset: lan\n${soundConfig}`));
});

test('a preset of the file sets the timers of every router and session', () => {
  const { outside, inside, session } = timersOf(`preset: fast\n${soundConfig}`);
  assert.deepEqual(outside, inside);
  assert.deepEqual(outside, {
    advertIntervalCs: 10,
    preemptDelayMs: 5_000,
    repeat: 3,
    delayMs: 1_000,
    refreshMs: 30_000,
  });
  assert.deepEqual([session?.desiredMinTxUs, session?.detectMultiplier], [50_000, 3]);
});

test('the preset of a router is for that router alone and goes before that of the file', () => {
  const text = `preset: cloud\n${changed(['vrid: 51', 'vrid: 51\n    preset: fast'])}`;
  const { outside, inside, session } = timersOf(text);
  assert.equal(outside?.advertIntervalCs, 10);
  assert.equal(inside?.advertIntervalCs, 200);
  assert.equal(session?.desiredMinTxUs, 1_000_000);
});

test('a key that is given wins, and its neighbours still come from the preset', () => {
  const keys = 'vrid: 51\n    advertInterval: 500ms\n    announcements: { repeat: 9 }';
  const { outside } = timersOf(`preset: fast\n${changed(['vrid: 51', keys])}`);
  assert.deepEqual(outside, {
    advertIntervalCs: 50,
    preemptDelayMs: 5_000,
    repeat: 9,
    delayMs: 1_000,
    refreshMs: 30_000,
  });
});

test('a router that does not preempt is not warned of a delay that its preset would set', () => {
  const text = changed(['vrid: 51', 'vrid: 51\n    preempt: { enabled: false }']);
  assert.deepEqual(warningsOf(`preset: cloud\n${text}`), []);
});

test('a preset that does not exist is told of, wherever it stands', () => {
  assert.deepEqual(problemsOf(`preset: fsat\n${soundConfig}`), [
    'tandem.yaml:1:9 preset: must be one of lan, cloud, fast, got fsat (did you mean fast?)',
  ]);
  assert.match(
    problemsOf(changed(['vrid: 51', 'vrid: 51\n    preset: 7'])).join(),
    /virtualRouters\[0\]\.preset: must be one of lan, cloud, fast, got 7/,
  );
});

test('places of mistakes are those of the file, with a preset as without', () => {
  const text = changed(['vrid: 51', 'vrid: 51\n    advertInterval: 5']);
  const problems = problemsOf(text);
  assert.equal(problems.length, 1);
  assert.deepEqual(
    problemsOf(`preset: fast\n${text}`).map((line) => line.replace(/:\d+:/, ':')),
    [problems[0]?.replace(/:\d+:/, ':')],
  );
});

test('every preset sets the same keys, so that their table has no holes', () => {
  for (const name of presetNames) {
    for (const part of ['router', 'session'] as const) {
      assert.deepEqual(Object.keys(presets[name][part]), Object.keys(presets.lan[part]));
    }
  }
});

test('a file of another shape is left for the schema to judge', () => {
  const shapes = [null, 7, 'x', [], { preset: 'fast', virtualRouters: 7, bfd: { a: 1 } }];
  for (const shape of shapes) assert.deepEqual(withPresets(shape), shape);
  const odd = { preset: 'fast', virtualRouters: [7, { preempt: 7 }] };
  const filled = withPresets(odd) as { virtualRouters: [unknown, { preempt: unknown }] };
  assert.equal(filled.virtualRouters[1].preempt, 7);
  assert.equal(withPresets({ preset: '__proto__', bfd: [{}] }) === null, false);
});
