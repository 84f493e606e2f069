import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addTimer,
  dropFirstTimer,
  emptyTimerQueue,
  firstTimer,
  keepTimers,
  type PendingTimer,
  type TimerQueue,
} from '../../../src/vrrp/timerQueue.js';

const timerAt = (atUs: number, generation: number): PendingTimer => ({
  router: 'eth0/51',
  timer: 'advertisement',
  generation,
  atUs,
});

function drain(queue: TimerQueue): readonly number[] {
  const times: number[] = [];
  for (let rest = queue; rest.size > 0; rest = dropFirstTimer(rest)) {
    times.push(firstTimer(rest)?.atUs ?? Number.NaN);
  }
  return times;
}

const times = fc.array(fc.nat(1000), { maxLength: 200 });
const ascending = (list: readonly number[]) => [...list].sort((left, right) => left - right);
const queueOf = (list: readonly number[]) =>
  list.reduce((queue, atUs, index) => addTimer(queue, timerAt(atUs, index)), emptyTimerQueue);

test('timers come out in the order in which they are due, whatever the order they came in', () => {
  fc.assert(fc.property(times, (list) => assert.deepEqual(drain(queueOf(list)), ascending(list))));
});

test('adding and dropping in turns is the same as with a sorted list', () => {
  const moves = fc.array(fc.oneof(fc.nat(1000), fc.constant('drop' as const)), { maxLength: 200 });
  fc.assert(
    fc.property(moves, (list) => {
      let queue = emptyTimerQueue;
      let model: readonly number[] = [];
      for (const move of list) {
        queue = move === 'drop' ? dropFirstTimer(queue) : addTimer(queue, timerAt(move, 0));
        model = move === 'drop' ? model.slice(1) : ascending([...model, move]);
        assert.equal(firstTimer(queue)?.atUs, model[0]);
        assert.equal(queue.size, model.length);
      }
      assert.deepEqual(drain(queue), model);
    }),
  );
});

test('a queue that was added to or taken from is still what it was', () => {
  const queue = queueOf([5, 3, 9]);
  addTimer(queue, timerAt(1, 7));
  dropFirstTimer(queue);
  assert.deepEqual(drain(queue), [3, 5, 9]);
});

test('only wanted timers are kept', () => {
  const kept = keepTimers(queueOf([5, 3, 9, 1]), ({ atUs }) => atUs > 3);
  assert.deepEqual(drain(kept), [5, 9]);
});

test('a hundred thousand timers at one time do not exhaust the stack', () => {
  const count = 100_000;
  const queue = queueOf(Array.from({ length: count }, () => 7));
  assert.equal(dropFirstTimer(dropFirstTimer(queue)).size, count - 2);
});
