import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { activeDownUs, effectivePriority, skewUs } from '../../../src/vrrp/timing.js';

/** Priority, interval in centiseconds, Skew_Time, Active_Down_Interval. */
const table = [
  [255, 100, 3906, 3_003_906],
  [254, 100, 7812, 3_007_812],
  [200, 100, 218_750, 3_218_750],
  [100, 100, 609_375, 3_609_375],
  [1, 100, 996_093, 3_996_093],
  [200, 25, 54_687, 804_687],
  [100, 10, 60_937, 360_937],
  [100, 1, 6093, 36_093],
  [100, 4095, 24_953_906, 147_803_906],
] as const;

for (const [priority, intervalCs, skew, down] of table) {
  test(`priority ${priority} at ${intervalCs} cs waits ${down} us, ${skew} us of it skew`, () => {
    assert.equal(skewUs(priority, intervalCs * 10_000), skew);
    assert.equal(activeDownUs(priority, intervalCs * 10_000), down);
  });
}

test('of two Backups the one with the higher priority always moves first', () => {
  const priority = fc.integer({ min: 1, max: 255 });
  fc.assert(
    fc.property(priority, priority, fc.integer({ min: 1, max: 4095 }), (one, other, intervalCs) => {
      fc.pre(one > other);
      const intervalUs = intervalCs * 10_000;
      assert.ok(activeDownUs(one, intervalUs) < activeDownUs(other, intervalUs));
      assert.ok(skewUs(other, intervalUs) < intervalUs);
    }),
  );
});

test('demotions add up and never go below 1', () => {
  const weight = (value: number) => ({ reason: 'health-thread-lost' as const, weight: value });
  assert.equal(effectivePriority(150, []), 150);
  assert.equal(effectivePriority(150, [weight(20), weight(30)]), 100);
  assert.equal(effectivePriority(150, [weight(100), weight(100)]), 1);
});

test('the priority of an owner is never moved', () => {
  assert.equal(effectivePriority(255, [{ reason: 'operator-step-down', weight: 254 }]), 255);
});
