import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TrackerEffect, TrackerSpec, TrackerSubject } from '../../../src/track/model.js';
import {
  burdensOf,
  differsInEffect,
  newTracker,
  observe,
  type Tracker,
  trackerReport,
} from '../../../src/track/tracker.js';

const uplink: TrackerSubject = { type: 'interface', interface: 'eth2' };
const script: TrackerSubject = {
  type: 'script',
  command: ['/bin/true'],
  intervalMs: 1000,
  timeoutMs: 500,
  rise: 2,
  fall: 3,
  initially: 'passing',
};

function tracker(subject: TrackerSubject, ...effects: readonly TrackerEffect[]): Tracker {
  const spec: TrackerSpec = { name: 'it', subject, effects };
  return newTracker(spec, 1000);
}

/** Takes in outcomes: `+` passed, `-` failed, `?` inconclusive. */
function after(start: Tracker, outcomes: string): Tracker {
  return [...outcomes].reduce((current, sign, index) => {
    const outcome = sign === '+' ? 'passed' : sign === '-' ? 'failed' : 'inconclusive';
    return observe(current, { outcome, detail: `look ${index}` }, 2000 + index);
  }, start);
}

const outside: TrackerEffect = { router: 'outside', weight: 60 };

for (const [outcomes, state, streak] of [
  ['', 'unknown', 0],
  ['+', 'passing', 0],
  ['--', 'unknown', 2],
  ['---', 'failing', 0],
  ['+--', 'passing', 2],
  ['+---', 'failing', 0],
  ['+--+--', 'passing', 2],
  ['+-?-?-', 'failing', 0],
  ['---+', 'failing', 1],
  ['---++', 'passing', 0],
] as const) {
  test(`a script with rise 2 and fall 3 is ${state} after ${outcomes || 'nothing'}`, () => {
    const report = trackerReport(after(tracker(script, outside), outcomes));
    assert.equal(report.state, state);
    assert.equal(report.streak, streak);
  });
}

test('a link changes its state with the first look that says so', () => {
  assert.equal(trackerReport(after(tracker(uplink), '-')).state, 'failing');
  assert.equal(trackerReport(after(tracker(uplink), '-+')).state, 'passing');
});

test('a weight becomes a demotion and no weight a fault, while the tracker fails', () => {
  const effects = [
    outside,
    { router: 'inside', weight: 60 },
    { router: 'third', weight: 5 },
    { router: 'fourth', weight: 0 },
  ];
  const failing = after(tracker(uplink, ...effects), '-');
  const reason = 'tracked-interface-down';
  assert.deepEqual(burdensOf([failing]), {
    demotions: [
      { reason, weight: 60, routers: ['outside', 'inside'], tracker: 'it' },
      { reason, weight: 5, routers: ['third'], tracker: 'it' },
    ],
    faults: [{ reason, tracker: 'it', routers: ['fourth'] }],
  });
  assert.deepEqual(burdensOf([after(failing, '+')]), { demotions: [], faults: [] });
  assert.deepEqual(burdensOf([tracker(uplink, ...effects)]), { demotions: [], faults: [] });
});

test('a script that fails initially weighs before its first verdict', () => {
  const start = tracker({ ...script, initially: 'failing' }, outside);
  assert.equal(burdensOf([start]).demotions.length, 1);
  assert.equal(trackerReport(start).state, 'unknown');
  assert.equal(differsInEffect(start, after(start, '+')), true);
  assert.equal(differsInEffect(start, after(start, '---')), false);
});

const file: TrackerSubject = { type: 'file', path: '/run/load', valueWhenMissing: 0 };
const holds = (start: Tracker, value: number) => {
  const outcome = value === 0 ? 'passed' : 'failed';
  return observe(start, { outcome, value, detail: `value ${value}` }, 2000);
};

test('the value of a file times the weight is what is taken off, and a change of it counts', () => {
  const start = tracker(file, { router: 'outside', weight: 2 }, { router: 'inside', weight: -1 });
  const ten = holds(start, 10);
  assert.deepEqual(
    burdensOf([ten]).demotions.map(({ weight }) => weight),
    [20, -10],
  );
  assert.equal(differsInEffect(ten, holds(ten, 11)), true);
  assert.equal(differsInEffect(ten, holds(ten, 10)), false);
  assert.equal(differsInEffect(ten, holds(ten, 0)), true);
  assert.deepEqual(burdensOf([holds(ten, 0)]).demotions, []);
});

test('a file with weight 0 is a fault at every value but 0', () => {
  const start = tracker(file, { router: 'outside', weight: 0 });
  assert.equal(burdensOf([holds(start, -7)]).faults.length, 1);
  assert.equal(burdensOf([holds(start, 0)]).faults.length, 0);
});

test('a demotion never weighs more than a priority has', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -253, max: 253 }),
      fc.integer({ min: -253, max: 253 }),
      (value, weight) => {
        const { demotions, faults } = burdensOf([
          holds(tracker(file, { router: 'outside', weight }), value),
        ]);
        assert.equal(demotions.length + faults.length, value === 0 ? 0 : 1);
        assert.ok(demotions.every((demotion) => Math.abs(demotion.weight) <= 253));
      },
    ),
  );
});

test('processes must be wrong for the delay before that counts', () => {
  const subject: TrackerSubject = {
    type: 'process',
    process: 'haproxy',
    min: 1,
    intervalMs: 500,
    delayMs: 1200,
  };
  const start = after(tracker(subject, outside), '+');
  assert.equal(trackerReport(after(start, '---')).state, 'passing');
  assert.equal(trackerReport(after(start, '----')).state, 'failing');
});
