import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokenPromises } from '../../../src/cli/drill.js';
import { drillReportText } from '../../../src/cli/drillText.js';
import { painterFor } from '../../../src/cli/table.js';
import { advertCounts, announcementCounts, makeReport } from '../../../src/drill/makeReport.js';
import { advert, goodCrash, gratuitousArp, timeout } from './support.js';

const faultUs = 10_000_000;

test('adverts are counted by sender, with times that count from the fault', () => {
  const frames = [advert(9_000, '10.0.0.1'), advert(13_600, '10.0.0.2'), advert(9_900, '10.0.0.1')];
  assert.deepEqual(advertCounts([...frames, gratuitousArp(1)], faultUs), [
    { source: '10.0.0.1', vrid: 51, count: 2, firstAtMs: -1_000, lastAtMs: -100 },
    { source: '10.0.0.2', vrid: 51, count: 1, firstAtMs: 3_600, lastAtMs: 3_600 },
  ]);
});

test('gratuitous ARPs are counted by address and by who sent them', () => {
  const counts = announcementCounts(
    [gratuitousArp(5_000, 'a'), gratuitousArp(13_000, 'b'), gratuitousArp(13_100, 'b')],
    faultUs,
  );
  assert.deepEqual(
    counts.map(({ macAddress, count, lastAtMs }) => [macAddress, count, lastAtMs]),
    [
      ['a', 1, -5_000],
      ['b', 2, 3_100],
    ],
  );
});

test('a report says what the takeover cost, from the last advert and from the fault', () => {
  const report = makeReport(goodCrash());
  assert.equal(report.held, true);
  assert.equal(report.measured.takeoverAfterLastAdvertMs, 3_600);
  assert.equal(report.measured.clientGapMs, 3_010);
  assert.equal(report.measured.clientGapFromMs, -8);
  assert.deepEqual(report.measured.requests.failedFor, { timeout: 1 });
  assert.deepEqual(report.timeline, [{ atMs: 0, what: 'kill -9' }]);
  assert.equal(report.conditions.activeDownMs, 3_609);
});

test('a report tells when a request failed although nothing was broken for it', () => {
  const crash = goodCrash();
  const requests = [...crash.load.requests, timeout(15_000, 17_000)];
  const report = makeReport({ ...crash, load: { ...crash.load, requests } });
  assert.deepEqual(report.measured.unexpectedFailures, [
    { sentAtMs: 5_000, endedAtMs: 7_000, failure: 'timeout' },
  ]);
  const text = drillReportText(report, painterFor(false, {}));
  assert.match(text, /failed out of turn +timeout, sent at 5000 ms, ended at 7000 ms/);
});

test('a report is plain JSON', () => {
  const report = makeReport(goodCrash());
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test('the table shows each promise with its bound, and a broken one as broken', () => {
  const paint = painterFor(false, {});
  const good = drillReportText(makeReport(goodCrash()), paint);
  assert.match(good, /every promise held/);
  assert.match(good, /the longest time without an answer +3010 +<= 3859 +ms +ok/);
  assert.match(good, /2 of 2 stayed on their server \(2 synced\)/);
  assert.match(good, /takeover +3600 ms after the last advert/);
  const bad = drillReportText(makeReport(goodCrash({ addressesAtEnd: new Map() })), paint);
  assert.match(bad, /FAILED/);
  assert.match(bad, /every virtual address is on lb2.* 0 +(?:<)?= 2 +addresses +BROKEN/);
});

test('each broken promise of a file becomes one line with what was measured', () => {
  const kernel = { kind: 'host' as const, reason: '', release: '' };
  const broken = makeReport(goodCrash({ frames: [] }));
  const file = { format: 'tandem-drill/1' as const, kernel, held: false };
  assert.deepEqual(brokenPromises({ ...file, reports: [makeReport(goodCrash()), broken] }), [
    "director-crash@nat: from the new Active's first advert to its announcement of the address: " +
      'never ms, bound 250',
  ]);
});
