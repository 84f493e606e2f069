import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchIntervalMs, HealthEngine } from '../../../src/health/engine.js';
import { failed, type ProbeOutcome, passed } from '../../../src/health/probes/probe.js';
import type { CheckSpec, FromHealth } from '../../../src/health/protocol.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

/** Lets everything run that waits for no clock. */
async function turn(): Promise<void> {
  for (let each = 0; each < 10; each += 1) await Promise.resolve();
}

test('the first news is told at once, and what follows it closely is told together', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'setImmediate'] });
  const messages: FromHealth[] = [];
  const answers = new Map<number, (outcome: ProbeOutcome) => void>();
  const engine = new HealthEngine({
    probe: ({ port }) => new Promise((resolve) => answers.set(port, resolve)),
    post: (message) => messages.push(message),
    random: () => 0,
  });
  engine.configure([1, 2, 3, 4].map(checkSpec));
  // All are due within the spread of the start, one interval of 1 ms.
  while (answers.size < 4) t.mock.timers.tick(1);
  const told = async (): Promise<readonly string[][]> => {
    await turn();
    t.mock.timers.tick(0);
    return messages
      .splice(0)
      .flatMap((message) =>
        message.type === 'reports' ? [message.reports.map(({ id }) => id)] : [],
      );
  };
  assert.deepEqual(await told(), [['c1', 'c2', 'c3', 'c4']], 'all that is configured');

  answers.get(1)?.(failed('timeout', 'late'));
  answers.get(2)?.(failed('timeout', 'late'));
  assert.deepEqual(await told(), [['c1', 'c2']], 'what ends in one turn is one message');

  answers.get(3)?.(passed('fine'));
  assert.deepEqual(await told(), []);
  answers.get(4)?.(failed('timeout', 'late'));
  assert.deepEqual(await told(), []);
  t.mock.timers.tick(batchIntervalMs);
  assert.deepEqual(await told(), [['c3', 'c4']]);
  engine.stop();
});

function checkSpec(port: number): CheckSpec {
  return {
    id: `c${port}`,
    address: ipAddress('192.0.2.1'),
    port,
    probe: { type: 'tcp' },
    timing: { intervalMs: 1, timeoutMs: 3_600_000, rise: 1, fall: 1 },
  };
}
