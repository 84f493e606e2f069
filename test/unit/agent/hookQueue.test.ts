import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  emptyHookQueue,
  enqueue,
  finish,
  type HookQueue,
  hooksRunningMax,
  hooksWaitingMax,
  startNext,
} from '../../../src/agent/hookQueue.js';

interface Job {
  readonly target: string;
  readonly id: number;
}

test('hooks of one router run one after the other, in order', () => {
  let queue: HookQueue<Job> = emptyHookQueue;
  const ran: number[] = [];
  for (let id = 0; id < 3; id += 1) queue = enqueue(queue, { target: 'outside', id }).queue;
  for (let turn = 0; turn < 3; turn += 1) {
    const step = startNext(queue);
    assert.equal(step.started.length, 1);
    assert.deepEqual(startNext(step.queue).started, [], 'the others wait');
    const [job] = step.started;
    assert.ok(job !== undefined);
    ran.push(job.id);
    queue = finish(step.queue, job);
  }
  assert.deepEqual(ran, [0, 1, 2]);
  assert.deepEqual(queue, emptyHookQueue);
});

test('hooks of different routers run side by side, but not too many at once', () => {
  let queue: HookQueue<Job> = emptyHookQueue;
  for (let id = 0; id < 20; id += 1) queue = enqueue(queue, { target: `router ${id}`, id }).queue;
  const { queue: after, started } = startNext(queue);
  assert.equal(started.length, hooksRunningMax);
  assert.equal(after.waiting.length, 20 - hooksRunningMax);
});

test('when too many wait for one router the oldest goes, and those of others stay', () => {
  let queue: HookQueue<Job> = enqueue<Job>(emptyHookQueue, { target: 'inside', id: -1 }).queue;
  const dropped: number[] = [];
  for (let id = 0; id < hooksWaitingMax + 2; id += 1) {
    const step = enqueue(queue, { target: 'outside', id });
    queue = step.queue;
    if (step.dropped !== undefined) dropped.push(step.dropped.id);
  }
  assert.deepEqual(dropped, [0, 1]);
  assert.equal(queue.waiting.length, hooksWaitingMax + 1);
  assert.equal(queue.waiting.at(-1)?.id, hooksWaitingMax + 1, 'the last state is always told');
});

test('whatever comes and ends, order is kept, bounds hold and nothing is lost uncounted', () => {
  const move = fc.oneof(
    fc.record({ kind: fc.constant('enqueue' as const), target: fc.nat(12) }),
    fc.record({ kind: fc.constant('finish' as const), target: fc.nat(12) }),
  );
  fc.assert(
    fc.property(fc.array(move, { maxLength: 300 }), (moves) => {
      let queue: HookQueue<Job> = emptyHookQueue;
      const [counts, lastStarted] = [{ in: 0, out: 0 }, new Map<string, number>()];
      for (const [id, { kind, target }] of moves.entries()) {
        if (kind === 'enqueue') {
          const step = enqueue(queue, { target: String(target), id });
          counts.in += 1;
          if (step.dropped !== undefined) counts.out += 1;
          queue = step.queue;
        } else {
          const job = queue.running.find((each) => each.target === String(target));
          if (job === undefined) continue;
          queue = finish(queue, job);
          counts.out += 1;
        }
        const { queue: next, started } = startNext(queue);
        queue = next;
        for (const job of started) {
          assert.ok(job.id > (lastStarted.get(job.target) ?? -1));
          lastStarted.set(job.target, job.id);
        }
        const targets = queue.running.map((job) => job.target);
        assert.equal(new Set(targets).size, targets.length);
        assert.ok(targets.length <= hooksRunningMax);
      }
      assert.equal(queue.running.length + queue.waiting.length, counts.in - counts.out);
    }),
  );
});
