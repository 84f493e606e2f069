import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downloadOutcome, persistentOutcome } from '../../../src/drill/measurements.js';
import { answer, download, persistentClientAddress, timeout } from './support.js';

const faultUs = 10_000_000;
const endUs = 20_000_000;
const quietMaxUs = 2_000_000;

for (const { title, requests, outcome } of [
  {
    title: 'a client whose answers come from the same server stayed',
    requests: [answer(1, 2, 'rs2'), timeout(9_000, 11_000), answer(12_000, 12_001, 'rs2')],
    outcome: 'stayed',
  },
  {
    title: 'a client that was answered by another server once has moved',
    requests: [answer(1, 2), answer(12_000, 12_001, 'rs2'), answer(13_000, 13_001)],
    outcome: 'moved',
  },
  {
    title: 'a client that is not answered after the fault did not stay',
    requests: [answer(1, 2), timeout(12_000, 13_000)],
    outcome: 'no-answer-after',
  },
  {
    title: 'a client that had no server before the fault has none to stay on',
    requests: [timeout(1, 2), answer(12_000, 12_001)],
    outcome: 'no-answer-before',
  },
  {
    title: 'an answer to a request sent before the fault says nothing of the time after',
    requests: [answer(1, 2), answer(9_990, 12_000, 'rs2'), answer(13_000, 13_001)],
    outcome: 'stayed',
  },
]) {
  test(title, () => {
    const client = { address: persistentClientAddress(0), requests };
    assert.equal(persistentOutcome(client, faultUs).outcome, outcome);
  });
}

for (const { title, record, outcome, stalledMs } of [
  {
    title: 'a download whose bytes come until the end survived, however long it stalled',
    record: download(1, 'rs1', [
      [0, 10_000],
      [14_000, 20_000],
    ]),
    outcome: 'survived',
    stalledMs: 4_100,
  },
  {
    title: 'a download without bytes after the fault has stalled',
    record: download(1, 'rs1', [[0, 10_000]]),
    outcome: 'stalled',
    stalledMs: 10_100,
  },
  {
    title: 'a download that was reset did not survive',
    record: download(1, 'rs1', [[0, 12_000]], { atUs: 12_000_000, reason: 'reset' }),
    outcome: 'reset',
    stalledMs: 8_100,
  },
  {
    title: 'a download that began after the fault was not established',
    record: download(1, 'rs1', [[11_000, 20_000]]),
    outcome: 'not-established',
    stalledMs: 1_000,
  },
]) {
  test(title, () => {
    const result = downloadOutcome(record, faultUs, endUs, quietMaxUs);
    assert.deepEqual([result.outcome, result.stalledMs], [outcome, stalledMs]);
  });
}
