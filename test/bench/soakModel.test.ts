import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  growthOf,
  type ProcessSample,
  type SoakResult,
  soakFaults,
  soakRows,
} from './soakModel.js';

function sample(residentKiB: number, descriptors = 40, threads = 20): ProcessSample {
  return { residentKiB, descriptors, threads };
}

const flat = Array.from({ length: 20 }, (_, index) => sample(80_000 + (index % 3) * 5_000));

const good: SoakResult = {
  steady: { seconds: 12, requests: 600, failed: 0, failedFor: {} },
  changing: { seconds: 8, requests: 400, failed: 3, failedFor: { reset: 3 } },
  reloads: 40,
  drains: 2,
  flaps: 2,
  failovers: 1,
  counterResets: 0,
  agents: { lb1: flat, lb2: flat },
};

test('what goes up and down is flat, and what a failover loses is not held against anybody', () => {
  assert.deepEqual(soakFaults(good), []);
  assert.deepEqual(growthOf(flat), { from: sample(80_000), to: sample(80_000) });
});

for (const { title, change, fault } of [
  {
    title: 'a request that a reload lost is a fault',
    change: { steady: { seconds: 12, requests: 600, failed: 1, failedFor: { timeout: 1 } } },
    fault: '1 of 600 requests were lost',
  },
  {
    title: 'a soak without requests says nothing of lost ones',
    change: { steady: { seconds: 12, requests: 0, failed: 0, failedFor: {} } },
    fault: 'no request was answered',
  },
  {
    title: 'a counter that was reset is a fault',
    change: { counterResets: 2 },
    fault: 'counters were reset 2 times',
  },
  {
    title: 'one descriptor that stays open is a fault',
    change: { agents: { lb1: flat.map((each, at) => ({ ...each, descriptors: 40 + (at >> 4) })) } },
    fault: 'lb1: descriptors grew from 40 to 41',
  },
  {
    title: 'memory that only grows is a fault',
    change: { agents: { lb2: flat.map((_, at) => sample(80_000 + at * 3_000)) } },
    fault: 'lb2: residentKiB grew from 104000 to 128000',
  },
]) {
  test(title, () => assert.deepEqual(soakFaults({ ...good, ...change }), [fault]));
}

test('the table says what was lost and what each agent holds', () => {
  const rows = soakRows(good);
  assert.deepEqual(rows[1], ['reloads, drains, failing checks', '12 s, 600 requests, 0 lost']);
  assert.deepEqual(rows.at(-1), [
    'agent of lb2',
    'memory 78.1 MiB, then 78.1 MiB; descriptors 40, then 40; threads 20, then 20',
  ]);
});
