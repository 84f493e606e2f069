import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HealthState } from '../../../src/health/reasons.js';
import {
  initialVerdict,
  type ProbeResult,
  step,
  type Verdict,
  type VerdictThresholds,
} from '../../../src/health/verdict.js';

const letters: Readonly<Record<string, ProbeResult>> = {
  P: 'passed',
  F: 'failed',
  i: 'inconclusive',
};

function judge(results: readonly ProbeResult[], thresholds: VerdictThresholds): Verdict[] {
  const verdicts = [initialVerdict(thresholds, 0)];
  for (const [index, result] of results.entries()) {
    const before = verdicts.at(-1) ?? initialVerdict(thresholds, 0);
    verdicts.push(step(before, result, index + 1).verdict);
  }
  return verdicts;
}

const table: readonly {
  readonly title: string;
  readonly results: string;
  readonly rise: number;
  readonly fall: number;
  readonly state: HealthState;
  readonly streak: number;
}[] = [
  { title: 'is unknown', results: '', rise: 2, fall: 3, state: 'unknown', streak: 0 },
  { title: 'is up at the first pass', results: 'P', rise: 5, fall: 3, state: 'up', streak: 0 },
  { title: 'waits for fall', results: 'FF', rise: 2, fall: 3, state: 'unknown', streak: 2 },
  { title: 'is down after fall', results: 'FFF', rise: 2, fall: 3, state: 'down', streak: 0 },
  { title: 'is up after failures', results: 'FFP', rise: 2, fall: 3, state: 'up', streak: 0 },
  { title: 'stays up', results: 'PFFPFF', rise: 2, fall: 3, state: 'up', streak: 2 },
  { title: 'falls', results: 'PFFPFFF', rise: 2, fall: 3, state: 'down', streak: 0 },
  { title: 'does not rise early', results: 'FFFP', rise: 2, fall: 3, state: 'down', streak: 1 },
  { title: 'starts to rise again', results: 'FFFPFP', rise: 2, fall: 3, state: 'down', streak: 1 },
  { title: 'rises', results: 'FFFPP', rise: 2, fall: 3, state: 'up', streak: 0 },
  { title: 'keeps its streak', results: 'PFiFiiF', rise: 2, fall: 3, state: 'down', streak: 0 },
  { title: 'stays unknown', results: 'iiiiiiii', rise: 1, fall: 1, state: 'unknown', streak: 0 },
  { title: 'stays up without news', results: 'Piiiiii', rise: 1, fall: 1, state: 'up', streak: 0 },
  { title: 'stays down', results: 'Fiiiiii', rise: 1, fall: 1, state: 'down', streak: 0 },
];

for (const { title, results, rise, fall, state, streak } of table) {
  test(`a server ${title}: ${results || 'no probe'}, rise ${rise}, fall ${fall}`, () => {
    const verdict = judge(
      [...results].map((letter) => letters[letter] ?? 'passed'),
      {
        rise,
        fall,
      },
    ).at(-1);
    assert.deepEqual([verdict?.state, verdict?.streak], [state, streak]);
  });
}

test('a transition says from where, to where and when, and the state begins then', () => {
  const up = step(initialVerdict({ rise: 1, fall: 1 }, 5), 'passed', 17);
  assert.deepEqual(up.transition, { from: 'unknown', to: 'up', atUs: 17 });
  assert.equal(up.verdict.sinceUs, 17);
  const same = step(up.verdict, 'passed', 20);
  assert.equal(same.transition, undefined);
  assert.equal(same.verdict.sinceUs, 17);
  const down = step(same.verdict, 'failed', 23);
  assert.deepEqual(down.transition, { from: 'up', to: 'down', atUs: 23 });
  assert.equal(down.verdict.sinceUs, 23);
});

const anyResult = fc.constantFrom<ProbeResult>('passed', 'failed', 'inconclusive');
const anyThresholds = fc.record({
  rise: fc.integer({ min: 1, max: 5 }),
  fall: fc.integer({ min: 1, max: 5 }),
});

test('the verdict is what the tail of the conclusive outcomes says, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(anyResult, { maxLength: 60 }), anyThresholds, (results, thresholds) => {
      const verdicts = judge(results, thresholds);
      let expected: HealthState = 'unknown';
      const conclusive: ProbeResult[] = [];
      for (const [index, result] of results.entries()) {
        if (result !== 'inconclusive') conclusive.push(result);
        if (result !== 'inconclusive') expected = naive(expected, conclusive, thresholds);
        assert.equal(verdicts[index + 1]?.state, expected);
      }
    }),
  );
});

test('outcomes that are inconclusive may be left out without changing anything', () => {
  fc.assert(
    fc.property(fc.array(anyResult, { maxLength: 60 }), anyThresholds, (results, thresholds) => {
      const conclusive = results.filter((result) => result !== 'inconclusive');
      const [all, some] = [judge(results, thresholds), judge(conclusive, thresholds)];
      assert.equal(all.at(-1)?.state, some.at(-1)?.state);
      assert.equal(all.at(-1)?.streak, some.at(-1)?.streak);
    }),
  );
});

test('the streak stays below what would change the state', () => {
  fc.assert(
    fc.property(fc.array(anyResult, { maxLength: 60 }), anyThresholds, (results, thresholds) => {
      for (const { state, streak } of judge(results, thresholds)) {
        assert.ok(streak < (state === 'down' ? thresholds.rise : thresholds.fall));
      }
    }),
  );
});

/** The rule in words: look back over as many outcomes as a change needs. */
function naive(
  state: HealthState,
  outcomes: readonly ProbeResult[],
  { rise, fall }: VerdictThresholds,
): HealthState {
  const endsWith = (count: number, result: ProbeResult): boolean =>
    outcomes.length >= count && outcomes.slice(-count).every((outcome) => outcome === result);
  if (state === 'unknown' && endsWith(1, 'passed')) return 'up';
  if (state !== 'down' && endsWith(fall, 'failed')) return 'down';
  if (state === 'down' && endsWith(rise, 'passed')) return 'up';
  return state;
}
