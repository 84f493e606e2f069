/**
 * The promise of the scheduler and the verdict together, in virtual time: a failure is known within
 * interval x fall + timeout, a recovery within interval x rise + timeout.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RunId, Scheduler } from '../../../src/health/scheduler.js';
import { initialVerdict, step, type Verdict } from '../../../src/health/verdict.js';

interface Scenario {
  readonly intervalMs: number;
  /** At most 1: the timeout as a part of the interval. */
  readonly timeoutShare: number;
  readonly rise: number;
  readonly fall: number;
  /** When the server breaks, in intervals after the start, and when it is well again after that. */
  readonly failsAfter: number;
  readonly recoversAfter: number;
  /** How long an answer takes, as a part of the timeout; a broken server may hang instead. */
  readonly answerShares: readonly number[];
  readonly hangs: boolean;
  readonly otherChecks: number;
  readonly phase: number;
}

interface Change {
  readonly atMs: number;
  readonly state: Verdict['state'];
}

const anyScenario: fc.Arbitrary<Scenario> = fc.record({
  intervalMs: fc.integer({ min: 1, max: 5_000 }),
  timeoutShare: fc.double({ min: 0.05, max: 1, noNaN: true }),
  rise: fc.integer({ min: 1, max: 4 }),
  fall: fc.integer({ min: 1, max: 4 }),
  failsAfter: fc.double({ min: 2, max: 6, noNaN: true }),
  recoversAfter: fc.double({ min: 8, max: 12, noNaN: true }),
  answerShares: fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), {
    minLength: 1,
    maxLength: 10,
  }),
  hangs: fc.boolean(),
  otherChecks: fc.integer({ min: 0, max: 20 }),
  phase: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

/** Runs one server through a failure and a recovery; an event at a time, each exactly on time. */
function simulate(scenario: Scenario, failsAtMs: number, recoversAtMs: number): Change[] {
  const { intervalMs, rise, fall, hangs, answerShares } = scenario;
  const timeoutMs = intervalMs * scenario.timeoutShare;
  const scheduler = new Scheduler({ random: () => scenario.phase });
  const watched = { id: 'watched', timing: { intervalMs, timeoutMs } };
  const others = Array.from({ length: scenario.otherChecks }, (_, index) => {
    return { id: `other${index}`, timing: { intervalMs: intervalMs * 1.5, timeoutMs } };
  });
  scheduler.change([], [...others, watched], 0);
  const changes: Change[] = [];
  let verdict = initialVerdict({ rise, fall }, 0);
  const judge = (result: 'passed' | 'failed', atMs: number): void => {
    const next = step(verdict, result, atMs * 1000);
    verdict = next.verdict;
    if (next.transition !== undefined) changes.push({ atMs, state: next.transition.to });
  };
  const answers = new Map<RunId, { readonly atMs: number; readonly passes: boolean }>();
  const watchedRuns = new Set<RunId>();
  let probesSeen = 0;
  let nowMs = 0;
  while (nowMs < recoversAtMs + 10 * intervalMs) {
    for (const [run, answer] of answers) {
      if (answer.atMs > nowMs) continue;
      answers.delete(run);
      scheduler.finished(run);
      if (watchedRuns.delete(run)) judge(answer.passes ? 'passed' : 'failed', nowMs);
    }
    for (const action of scheduler.advance(nowMs)) {
      if (action.type === 'expire') {
        if (watchedRuns.delete(action.run)) judge('failed', nowMs);
        continue;
      }
      const isWatched = action.id === 'watched';
      if (isWatched) watchedRuns.add(action.run);
      const isBroken = isWatched && failsAtMs <= nowMs && nowMs < recoversAtMs;
      if (isBroken && hangs) continue;
      const share = answerShares[probesSeen % answerShares.length] ?? 0;
      probesSeen += 1;
      answers.set(action.run, { atMs: nowMs + share * timeoutMs, passes: !isBroken });
    }
    const nextAnswerMs = Math.min(...[...answers.values()].map(({ atMs }) => atMs));
    nowMs = Math.min(scheduler.wakeMs ?? Number.POSITIVE_INFINITY, nextAnswerMs);
  }
  return changes;
}

test('a failure and a recovery are known within interval x count + timeout', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const { intervalMs, rise, fall } = scenario;
      const timeoutMs = intervalMs * scenario.timeoutShare;
      const failsAtMs = scenario.failsAfter * intervalMs;
      const recoversAtMs = failsAtMs + scenario.recoversAfter * intervalMs;
      const changes = simulate(scenario, failsAtMs, recoversAtMs);
      assert.deepEqual(
        changes.map(({ state }) => state),
        ['up', 'down', 'up'],
      );
      // Sums of fractions of milliseconds are not exact.
      const roundingMs = 1e-6;
      const downAfterMs = (changes[1]?.atMs ?? 0) - failsAtMs;
      const upAfterMs = (changes[2]?.atMs ?? 0) - recoversAtMs;
      assert.ok(downAfterMs <= intervalMs * fall + timeoutMs + roundingMs, `${downAfterMs}`);
      assert.ok(upAfterMs <= intervalMs * rise + timeoutMs + roundingMs, `${upAfterMs}`);
    }),
    { numRuns: 500 },
  );
});

test('a server that is never broken is never down', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const endMs = 20 * scenario.intervalMs;
      const changes = simulate(scenario, Number.POSITIVE_INFINITY, endMs);
      assert.deepEqual(
        changes.map(({ state }) => state),
        ['up'],
      );
    }),
  );
});
