import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouterStatistics, transitionHistoryMax } from '../../../src/vrrp/routerStatistics.js';
import { startUs, Walk } from './support.js';

const toUnixMs = (us: number) => (us - startUs) / 1000;

test('the report of a Backup names the Active heard and the interval learned', () => {
  const walk = Walk.started().hear({ priority: 200, source: '192.0.2.7', advertIntervalCs: 25 });
  const report = new RouterStatistics(5).report(walk.state, startUs, toUnixMs);
  assert.equal(report.state, 'backup');
  assert.equal(report.reason, 'startup');
  assert.deepEqual(report.active, {
    address: '192.0.2.7',
    priority: 200,
    self: false,
    lastHeardUnixMs: 0,
  });
  assert.equal(report.activeAdvertIntervalCs, 25);
  assert.equal(report.sinceUnixMs, 5);
});

test('the report of an Active names itself, its effective priority and what lowers it', () => {
  const walk = Walk.active();
  const demotions = [{ reason: 'health-thread-lost', weight: 60 }] as const;
  walk.event({ type: 'demotions', demotions });
  const report = new RouterStatistics(0).report(walk.state, startUs, toUnixMs);
  assert.deepEqual(report.active, {
    address: '192.0.2.2',
    priority: 40,
    self: true,
    lastHeardUnixMs: null,
  });
  assert.deepEqual(report.priority, { configured: 100, effective: 40, demotions });
});

test('a router that has heard nobody knows of no Active', () => {
  assert.equal(
    new RouterStatistics(0).report(Walk.started().state, startUs, toUnixMs).active,
    null,
  );
});

test('counters count by reason, and the history of transitions is bounded', () => {
  const statistics = new RouterStatistics(0);
  statistics.rejected('wrong-ttl');
  statistics.rejected('wrong-ttl');
  statistics.received(['interval-differs']);
  statistics.sentAdvertisement();
  for (let at = 1; at <= transitionHistoryMax + 5; at += 1) {
    statistics.changed('backup', 'active', 'operator', at);
  }
  const report = statistics.report(Walk.started().state, startUs, toUnixMs);
  assert.deepEqual(report.counters.rejected, { 'wrong-ttl': 2 });
  assert.deepEqual(report.counters.warnings, { 'interval-differs': 1 });
  assert.equal(report.counters.advertisementsSent, 1);
  assert.equal(report.counters.advertisementsReceived, 1);
  assert.equal(report.transitions.length, transitionHistoryMax);
  assert.equal(report.sinceUnixMs, transitionHistoryMax + 5);
});
