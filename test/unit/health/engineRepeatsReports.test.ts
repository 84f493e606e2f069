import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  completeIntervalMs,
  completeReportsMax,
  HealthEngine,
} from '../../../src/health/engine.js';
import type { CheckSpec, FromHealth } from '../../../src/health/protocol.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

test('the reports of many checks are sent again in parts, each check in its turn', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'setImmediate'] });
  const messages: FromHealth[] = [];
  // No probe ever ends: what is told is told by the clock alone.
  const engine = new HealthEngine({
    probe: () => new Promise(() => undefined),
    post: (message) => messages.push(message),
    random: () => 0,
  });
  const count = 2.5 * completeReportsMax;
  engine.configure(Array.from({ length: count }, (_, index) => checkSpec(`s${index}`)));
  const first = takeReports(messages);
  assert.deepEqual(
    first.map(({ complete, reports }) => [complete, reports.length]),
    [[true, count]],
  );
  for (let round = 0; round < 2; round += 1) {
    const parts = Array.from({ length: 3 }, () => {
      t.mock.timers.tick(completeIntervalMs);
      return takeReports(messages);
    }).flat();
    assert.deepEqual(
      parts.map(({ reports }) => reports.length),
      [completeReportsMax, completeReportsMax, completeReportsMax / 2],
    );
    const ids = new Set(parts.flatMap(({ reports }) => reports.map(({ id }) => id)));
    assert.equal(ids.size, count);
  }
  engine.stop();
});

function takeReports(messages: FromHealth[]) {
  return messages.splice(0).filter((message) => message.type === 'reports');
}

function checkSpec(id: string): CheckSpec {
  return {
    id,
    address: ipAddress('192.0.2.1'),
    port: 80,
    probe: { type: 'tcp' },
    timing: { intervalMs: 3_600_000, timeoutMs: 3_600_000, rise: 1, fall: 1 },
  };
}
