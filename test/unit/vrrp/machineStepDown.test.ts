import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Walk } from './support.js';

const minuteUs = 60_000_000;
const stepDown = (walk: Walk, forUs = minuteUs, force = false) =>
  walk.event({ type: 'step-down', untilUs: walk.nowUs + forUs, force });

test('an Active that is asked to step down offers its place and keeps the addresses', () => {
  const walk = stepDown(Walk.active().pass(300_000));
  assert.deepEqual(walk.did, ['advertise 0']);
  assert.equal(walk.state.current, 'active');
  walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 0']);
});

test('it lets go as soon as the one that takes the place is heard, whatever its priority', () => {
  const walk = stepDown(Walk.active()).hear({ priority: 1, source: '192.0.2.1' });
  assert.deepEqual(walk.did, ['remove-addresses 192.0.2.100', 'active -> backup: operator']);
});

for (const [force, priority, title] of [
  [false, 100, 'as before'],
  [true, 1, 'at the lowest priority when the operator insists'],
] as const) {
  test(`when nobody takes the place it goes on, ${title}`, () => {
    const walk = stepDown(Walk.active(), minuteUs, force);
    const sent: string[] = [];
    for (let beat = 0; beat < 5; beat += 1) sent.push(...walk.runNext('advertisement').did);
    const after = `advertise ${priority}`;
    assert.deepEqual(sent, ['advertise 0', 'advertise 0', 'advertise 0', after, after]);
    assert.equal(walk.state.current, 'active');
    assert.equal(walk.state.stepDown?.force, force ? true : undefined);
  });
}

test('while it is stepped down it lets any other router be the Active', () => {
  const walk = stepDown(Walk.active()).hear({ priority: 50 });
  walk.pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), 3_996_093);
});

test('when its time is over it preempts as configured', () => {
  const walk = stepDown(Walk.active(), 10_000_000).hear({ priority: 50 });
  for (let heard = 0; heard < 9; heard += 1) walk.pass(1_000_000).hear({ priority: 50 });
  const lastAcceptedDue = walk.due('active-down') ?? 0;
  walk.pass(1_000_000).hear({ priority: 50 });
  assert.equal(walk.due('active-down'), lastAcceptedDue - 1_000_000, 'the timer runs on');
  walk.runNext('active-down');
  assert.deepEqual(walk.did[0], 'advertise 100');
});

test('a router that is stepped down still takes over from an Active that dies', () => {
  const walk = stepDown(Walk.active()).hear({ priority: 50 }).runNext('active-down');
  assert.equal(walk.state.current, 'active');
  assert.deepEqual(walk.did[0], 'advertise 1');
});

test('a step-down that is taken back ends the offer at once', () => {
  const walk = stepDown(stepDown(Walk.active()).pass(200_000), 0);
  assert.deepEqual(walk.did, ['advertise 100']);
  assert.equal(walk.state.steppingDownUntilUs, undefined);
});

test('a second step-down replaces the time of the first', () => {
  const walk = stepDown(stepDown(Walk.active()).hear({ priority: 50 }), 2 * minuteUs);
  assert.equal(walk.state.stepDown?.untilUs, walk.nowUs + 2 * minuteUs);
});

test('an owner does not step down', () => {
  const walk = stepDown(Walk.active({ priority: 255 }));
  assert.deepEqual(walk.actions, []);
  assert.equal(walk.state.stepDown, undefined);
});
