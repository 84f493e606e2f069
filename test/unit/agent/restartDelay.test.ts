import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextRestart, noRestarts } from '../../../src/agent/restartDelay.js';

test('a thread that ends for the first time is started again at once', () => {
  assert.equal(nextRestart(noRestarts, 5).delayMs, 0);
});

test('a thread that keeps ending waits twice as long each time, up to five seconds', () => {
  let history = noRestarts;
  const delays = Array.from({ length: 10 }, () => {
    const next = nextRestart(history, 5);
    history = next.history;
    return next.delayMs;
  });
  assert.deepEqual(delays, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  assert.equal(history.restarts, 10);
});

test('a sound run of a minute makes the next restart immediate again', () => {
  const { history } = nextRestart(nextRestart(noRestarts, 5).history, 5);
  const next = nextRestart(history, 60_000);
  assert.equal(next.delayMs, 0);
  assert.equal(next.history.restarts, 3);
});
