import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  delayMaxMs,
  firstDelayMs,
  reconnectDelayMs,
  refusedDelayMs,
} from '../../../src/peer/reconnect.js';

test('the delay doubles with every round, up to its bound', () => {
  const delays = [1, 2, 3, 4, 5, 1000].map((rounds) => reconnectDelayMs(rounds, false, 1));
  assert.deepEqual(delays, [100, 200, 400, 800, 1000, 1000]);
});

test('chance spreads a delay over its upper half', () => {
  assert.equal(reconnectDelayMs(1, false, 0), firstDelayMs / 2);
  assert.equal(reconnectDelayMs(1, false, 0.5), (firstDelayMs * 3) / 4);
  assert.equal(reconnectDelayMs(50, false, 0), delayMaxMs / 2);
});

test('a refusal is asked again seldom', () => {
  assert.equal(reconnectDelayMs(1, true, 1), refusedDelayMs);
});
