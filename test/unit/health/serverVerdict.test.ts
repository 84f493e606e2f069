import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HealthState } from '../../../src/health/reasons.js';
import {
  holdAfter,
  initialServerVerdict,
  joinChecks,
  operationOf,
  type ServerRules,
  type ServerVerdict,
  stepServer,
} from '../../../src/health/serverVerdict.js';

const plain: ServerRules = { needed: 1, startDown: false };
const flapDamping = { failures: 3, windowMs: 600_000, holdMs: 30_000, holdMaxMs: 120_000 };
const damped: ServerRules = { ...plain, flapDamping };

test('all, any or a number of checks make a server up; too few that can still pass, down', () => {
  const check = (state: HealthState) => ({ state });
  const [up, down, unknown] = [check('up'), check('down'), check('unknown')];
  assert.equal(joinChecks([up, up], 2), 'up');
  assert.equal(joinChecks([up, down], 2), 'down');
  assert.equal(joinChecks([up, unknown], 2), 'unknown');
  assert.equal(joinChecks([up, down], 1), 'up');
  assert.equal(joinChecks([unknown, down], 1), 'unknown');
  assert.equal(joinChecks([down, down], 1), 'down');
  assert.equal(joinChecks([up, down, up], 2), 'up');
  assert.equal(joinChecks([down, down, up], 2), 'down');
});

test('a server without a verdict has its weight, or none with startDown', () => {
  const verdict = initialServerVerdict(0);
  assert.deepEqual(operationOf(verdict, plain, 5), {
    state: 'unknown',
    sinceUnixMs: 0,
    percent: 100,
  });
  const { percent, reason } = operationOf(verdict, { ...plain, startDown: true }, 5);
  assert.deepEqual([percent, reason], [0, 'not-checked-yet']);
});

test('a check that is replaced by a reload does not change what is believed', () => {
  const down = course(plain, [[0, 'down']]);
  const after = stepServer(down, [{ state: 'unknown' }], plain, 10);
  assert.equal(operationOf(after, plain, 10).state, 'down');
});

test('the ramp begins when a server comes back, and not when the agent starts', () => {
  const slowStart = { durationMs: 10_000, curve: 'linear', fromPercent: 10 } as const;
  const rules = { ...plain, slowStart };
  assert.equal(operationOf(course(rules, [[0, 'up']]), rules, 1).percent, 100);
  const back = course(rules, [
    [0, 'up'],
    [1000, 'down'],
    [5000, 'up'],
  ]);
  const first = operationOf(back, rules, 5000);
  assert.deepEqual([first.percent, first.reason, first.nextMs], [10, 'slow-start', 5500]);
  assert.equal(operationOf(back, rules, 10_000).percent, 55);
  assert.deepEqual(operationOf(back, rules, 15_000), {
    state: 'up',
    sinceUnixMs: 5000,
    percent: 100,
  });
});

test('the curves differ in the middle and agree at the end', () => {
  const percentAt = (curve: 'linear' | 'late' | 'early', nowMs: number): number => {
    const rules = { ...plain, slowStart: { durationMs: 10_000, curve, fromPercent: 1 } };
    return operationOf(
      course(rules, [
        [0, 'down'],
        [0, 'up'],
      ]),
      rules,
      nowMs,
    ).percent;
  };
  assert.ok(percentAt('late', 5000) < percentAt('linear', 5000));
  assert.ok(percentAt('early', 5000) > percentAt('linear', 5000));
  for (const curve of ['linear', 'late', 'early'] as const) {
    assert.equal(percentAt(curve, 10_000), 100);
  }
});

test('the wait of a flapping server doubles up to its bound', () => {
  const holds = [1, 2, 3, 4, 5, 6, 60].map((failures) => holdAfter(failures, flapDamping));
  assert.deepEqual(holds, [0, 0, 30_000, 60_000, 120_000, 120_000, 120_000]);
  assert.equal(holdAfter(60, undefined), 0);
});

test('a server that failed too often is out until it has passed for the whole wait', () => {
  const steps: [number, HealthState][] = [
    [0, 'up'],
    [10, 'down'],
    [20, 'up'],
    [30, 'down'],
  ];
  const verdict = course(damped, [...steps, [40, 'up'], [50, 'down'], [60, 'up']]);
  const held = operationOf(verdict, damped, 60);
  assert.deepEqual([held.state, held.reason, held.nextMs], ['down', 'flap-damped', 30_060]);
  const let_in = stepServer(verdict, [{ state: 'up' }], damped, 30_060);
  assert.equal(operationOf(let_in, damped, 30_060).state, 'up');
});

test('what a server asks for lowers its weight, the least of its checks first', () => {
  const checks = [
    { state: 'up', weightPercent: 50 },
    { state: 'up', weightPercent: 20 },
    { state: 'up' },
  ] as const;
  const rules = { ...plain, needed: 3 };
  const operation = operationOf(stepServer(initialServerVerdict(0), checks, rules, 1), rules, 1);
  assert.deepEqual([operation.percent, operation.reason], [20, 'asked-by-server']);
});

const anyCourse = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 1, max: 200_000 }),
    state: fc.constantFrom<HealthState>('up', 'down', 'unknown'),
    weightPercent: fc.integer({ min: 0, max: 100 }),
  }),
  { minLength: 1, maxLength: 200 },
);

test('whatever happens, a server is never let in more often than its damping allows', () => {
  fc.assert(
    fc.property(anyCourse, (events) => {
      const lettings: number[] = [];
      let verdict = initialServerVerdict(0);
      let before: HealthState = 'unknown';
      let nowMs = 0;
      for (const { afterMs, state } of events) {
        nowMs += afterMs;
        verdict = stepServer(verdict, [{ state }], damped, nowMs);
        const after = operationOf(verdict, damped, nowMs).state;
        if (before === 'down' && after === 'up') lettings.push(nowMs);
        before = after;
      }
      // Three failures within the window are free; from then on each return takes a whole wait.
      for (const [index, atMs] of lettings.entries()) {
        const fourth = lettings[index + flapDamping.failures];
        if (fourth !== undefined && fourth - atMs < flapDamping.windowMs) {
          assert.ok(fourth - (lettings[index + flapDamping.failures - 1] ?? 0) >= 30_000);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('whatever happens, a share is from 0 to 100, and 0 exactly while a server is down', () => {
  const slowStart = { durationMs: 60_000, curve: 'early', fromPercent: 5 } as const;
  const rules = { ...damped, slowStart };
  fc.assert(
    fc.property(anyCourse, (events) => {
      let verdict = initialServerVerdict(0);
      let nowMs = 0;
      for (const { afterMs, state, weightPercent } of events) {
        nowMs += afterMs;
        verdict = stepServer(verdict, [{ state, weightPercent }], rules, nowMs);
        const { percent, state: operational, nextMs } = operationOf(verdict, rules, nowMs);
        assert.ok(percent >= 0 && percent <= 100);
        if (operational === 'down') assert.equal(percent, 0);
        if (nextMs !== undefined) assert.ok(nextMs > nowMs, 'what comes next is in the future');
      }
    }),
    { numRuns: 500 },
  );
});

function course(
  rules: ServerRules,
  steps: readonly (readonly [number, HealthState])[],
): ServerVerdict {
  return steps.reduce(
    (verdict, [atMs, state]) => stepServer(verdict, [{ state }], rules, atMs),
    initialServerVerdict(0),
  );
}
