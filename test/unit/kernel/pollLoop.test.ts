import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { nowUs } from '../../../src/kernel/monotonicClock.js';
import { pollReadable, pollWaitMaxUs, pollWritable } from '../../../src/kernel/pollLoop.js';
import { createWakeEvent, drainWakeEvent, signalWakeEvent } from '../../../src/kernel/wakeEvent.js';

test('only the descriptors that are readable are returned, in order', (context) => {
  const events = Array.from({ length: 40 }, () => createWakeEvent());
  context.after(() => {
    for (const event of events) event.close();
  });
  const fds = events.map((event) => event.fd);
  assert.deepEqual(pollReadable(fds, 0), []);
  const raised = [fds[39], fds[3]].filter((fd) => fd !== undefined);
  for (const fd of raised) signalWakeEvent(fd);
  assert.deepEqual(pollReadable(fds, 1_000_000), [fds[3], fds[39]]);
  for (const fd of raised) drainWakeEvent(fd);
  assert.deepEqual(pollReadable(fds, 0), []);
});

test('an event raised many times is one event, and draining it twice is harmless', (context) => {
  const event = createWakeEvent();
  context.after(() => event.close());
  for (let count = 0; count < 1000; count += 1) signalWakeEvent(event.fd);
  drainWakeEvent(event.fd);
  assert.deepEqual(pollReadable([event.fd], 0), []);
  drainWakeEvent(event.fd);
});

test('a wait ends at its time, not before', (context) => {
  const event = createWakeEvent();
  context.after(() => event.close());
  for (const timeoutUs of [1, 1_500, 20_000]) {
    const start = nowUs();
    assert.deepEqual(pollReadable([event.fd], timeoutUs), []);
    assert.ok(nowUs() - start >= timeoutUs, `${nowUs() - start} us instead of ${timeoutUs}`);
  }
});

test('a wait without end is bounded', () => {
  const start = nowUs();
  assert.deepEqual(pollReadable([], undefined), []);
  assert.ok(nowUs() - start >= pollWaitMaxUs - 1_000);
});

test('a time that has passed already only looks', (context) => {
  const event = createWakeEvent();
  context.after(() => event.close());
  signalWakeEvent(event.fd);
  assert.deepEqual(pollReadable([event.fd], -5), [event.fd]);
});

test('a descriptor that is not open is returned, so that its reader meets the error', () => {
  assert.deepEqual(pollReadable([987_654], 1_000_000), [987_654]);
});

test('an eventfd takes a write at once', (context) => {
  const event = createWakeEvent();
  context.after(() => event.close());
  assert.equal(pollWritable(event.fd, 1_000_000), true);
});

test('another thread ends the wait', async (context) => {
  const event = createWakeEvent();
  context.after(() => event.close());
  const module = new URL('../../../src/kernel/wakeEvent.js', import.meta.url).href;
  const source = `
    const { workerData } = require('node:worker_threads');
    import(workerData.module).then(({ signalWakeEvent }) => signalWakeEvent(workerData.fd));
  `;
  const worker = new Worker(source, { eval: true, workerData: { module, fd: event.fd } });
  const deadlineUs = nowUs() + 10_000_000;
  let readable: number[] = [];
  while (readable.length === 0 && nowUs() < deadlineUs) {
    readable = pollReadable([event.fd], undefined);
    // A worker loads its modules with the help of this thread.
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(readable, [event.fd]);
  await worker.terminate();
});
