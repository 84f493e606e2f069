import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChaosJudge, chaosAllowanceMs, chaosBoundMs } from './chaosModel.js';

const dueMs = chaosBoundMs + chaosAllowanceMs;

test('a weight that is wrong within the bound is right in time, and told with its time', () => {
  const judge = new ChaosJudge();
  judge.changed('a', false, 1000);
  judge.look('a', false, 1, 1000 + dueMs);
  judge.look('a', false, 0, 1001 + dueMs);
  assert.deepEqual(judge.violations, []);
  assert.deepEqual(judge.deathMs, [dueMs + 1]);
});

test('a weight that is wrong after the bound is told once', () => {
  const judge = new ChaosJudge();
  judge.changed('a', false, 0);
  for (const late of [1, 100, 200]) judge.look('a', false, 1, dueMs + late);
  assert.deepEqual(judge.violations, [
    `a is dead and has weight 1 ${dueMs + 1} ms after it changed`,
  ]);
});

test('a server that nothing has happened to must always have its weight', () => {
  const judge = new ChaosJudge();
  judge.look('a', true, 1, 5);
  judge.look('a', true, 0, 6);
  assert.deepEqual(judge.violations, ['a is alive and has weight 0 later']);
});

test('time in which the machine stood still is held against nobody', () => {
  const judge = new ChaosJudge();
  judge.changed('a', true, 0);
  judge.stalled(2000);
  judge.look('a', true, 0, dueMs + 2000);
  assert.deepEqual(judge.violations, []);
  judge.look('a', true, 0, dueMs + 2001);
  assert.equal(judge.violations.length, 1);
});
