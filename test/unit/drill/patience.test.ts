import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Patience, patienceIntervalMs, stallUs } from '../../../src/drill/patience.js';

const lookUs = patienceIntervalMs * 1_000;

/** Looks every 20 ms on a clock of its own, and notes the names of requests that it gave up. */
function scene(limitMs: number) {
  let now = 5_000_000;
  const expired: string[] = [];
  const patience = new Patience(limitMs, () => now);
  return {
    patience,
    expired,
    watch: (name: string) => {
      const request = { expire: () => expired.push(name) };
      patience.watch(request);
      return request;
    },
    run: (milliseconds: number) => {
      for (let passed = 0; passed < milliseconds; passed += patienceIntervalMs) {
        now += lookUs;
        patience.look();
      }
    },
    standStill: (milliseconds: number) => {
      now += milliseconds * 1_000;
      patience.look();
    },
  };
}

test('a request is given up when its time is over, once, and an ended one never', () => {
  const { patience, expired, watch, run } = scene(2_000);
  const ended = watch('ended');
  watch('slow');
  run(1_000);
  watch('later');
  patience.forget(ended);
  run(980);
  assert.deepEqual(expired, []);
  run(20);
  assert.deepEqual(expired, ['slow']);
  run(1_000);
  assert.deepEqual(expired, ['slow', 'later']);
  run(4_000);
  assert.deepEqual(expired, ['slow', 'later']);
});

test('the time in which the machine stood still is not taken from a request', () => {
  const { patience, expired, watch, run, standStill } = scene(2_000);
  watch('waiting');
  run(1_500);
  standStill(3_000 + patienceIntervalMs);
  assert.deepEqual(expired, []);
  assert.equal(patience.stalledUs, 3_000_000);
  run(460);
  assert.deepEqual(expired, []);
  run(40);
  assert.deepEqual(expired, ['waiting']);
});

test('what is late by ordinary load counts as time', () => {
  const { patience, expired, watch, standStill } = scene(2_000);
  watch('waiting');
  for (let round = 0; round < 10; round += 1) standStill(stallUs / 1_000 + patienceIntervalMs);
  assert.equal(patience.stalledUs, 0);
  assert.deepEqual(expired, ['waiting']);
});
