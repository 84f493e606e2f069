import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ReloadQueue } from '../../../src/agent/reloadQueue.js';

/** Something that ends when the test says so. */
function gate() {
  let open: (() => void) | undefined;
  let fail: ((error: Error) => void) | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { ended, open: () => open?.(), fail: (error: Error) => fail?.(error) };
}

/** A queue whose reloads wait for gates; `begun` has the force of each that began. */
function scene(gates: readonly Promise<void>[] = []) {
  const begun: boolean[] = [];
  const queue = new ReloadQueue(async (force) => {
    begun.push(force);
    const number = begun.length;
    await gates[number - 1];
    return number;
  });
  return { queue, begun };
}

test('a reload that is asked for during the start runs once the start is over', async () => {
  const { queue, begun } = scene();
  const start = gate();
  const started = queue.follow(start.ended);
  const reload = queue.request(false);
  await nextTurn();
  assert.deepEqual(begun, []);
  start.open();
  await started;
  assert.equal(await reload, 1);
});

test('a reload that is asked for during a start that fails does not run', async () => {
  const { queue, begun } = scene();
  const start = gate();
  const started = queue.follow(start.ended);
  const early = queue.request(false);
  start.fail(new Error('no such interface'));
  await assert.rejects(started, /no such interface/);
  await assert.rejects(early, /no such interface/);
  await assert.rejects(queue.request(true), /no such interface/);
  assert.deepEqual(begun, []);
});

test('a request during a reload gets one of its own, which all later requests share', async () => {
  const first = gate();
  const { queue, begun } = scene([first.ended]);
  const results = [queue.request(false)];
  await nextTurn();
  assert.deepEqual(begun, [false]);
  results.push(queue.request(false), queue.request(true), queue.request(false));
  await nextTurn();
  assert.deepEqual(begun, [false], 'two reloads ran at once');
  first.open();
  assert.deepEqual(await Promise.all(results), [1, 2, 2, 2]);
  assert.deepEqual(begun, [false, true]);
});

test('a reload that is refused does not keep the next one from running', async () => {
  let attempts = 0;
  const queue = new ReloadQueue(async () => {
    attempts += 1;
    if (attempts === 1) throw new Error('the file has a mistake');
    return attempts;
  });
  await assert.rejects(queue.request(false), /mistake/);
  assert.equal(await queue.request(false), 2);
});
