import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { HealthThreads } from '../../../src/agent/healthThreads.js';
import type { CheckReport, CheckSpec, SessionState } from '../../../src/health/protocol.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { until } from '../health/support/waiting.js';

const address = ipAddress('127.0.0.1');

test('a thread that is lost comes back, and the other has not noticed', async (t) => {
  const scene = await start(t, 2);
  await until('all are up', () => scene.states().every((state) => state === 'up'));
  const before = scene.histories();

  // Nothing makes a thread of ours fail by itself, so one of the two is told what it cannot read.
  scene.threads.takeSessions(unreadableOnce());
  await until('it is back', () => scene.events.includes('back'));
  assert.deepEqual(scene.events, ['lost', 'back']);
  assert.equal(scene.threads.restarts, 1);

  const unknownAgain = () =>
    scene.histories().map((states, index) => states.slice(before[index]?.length));
  await until('its checks are up again', () =>
    unknownAgain().some((states) => states.includes('unknown') && states.at(-1) === 'up'),
  );
  const disturbed = unknownAgain().filter((states) => states.includes('unknown'));
  assert.equal(disturbed.length, 2, 'two of the four checks were in the thread that was lost');
});

test('checks stay in their thread when others come and go', async (t) => {
  const scene = await start(t, 2);
  await until('all are up', () => scene.states().every((state) => state === 'up'));
  const before = scene.histories();
  scene.threads.configure([...scene.specs.slice(1), specOf('new', scene.port)], 2);
  await until('the new one is up', () => scene.stateOf('new') === 'up');
  for (const [index, states] of scene.histories().entries()) {
    assert.ok(!states.slice(before[index]?.length).includes('unknown'));
  }
});

async function start(t: TestContext, count: number) {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()));
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');
  const { port } = bound;
  const reports = new Map<string, CheckReport['state'][]>();
  const events: string[] = [];
  const threads = new HealthThreads(pino({ level: 'silent' }), {
    onReports: (batch) => {
      for (const { id, state } of batch) reports.set(id, [...(reports.get(id) ?? []), state]);
    },
    onThread: (running) => events.push(running ? 'back' : 'lost'),
  });
  t.after(async () => {
    await threads.stop();
    server.close();
  });
  const specs = Array.from({ length: 2 * count }, (_, index) => specOf(`s${index}`, port));
  threads.configure(specs, count);
  const stateOf = (id: string) => reports.get(id)?.at(-1);
  return {
    threads,
    events,
    specs,
    port,
    stateOf,
    states: () => specs.map(({ id }) => stateOf(id)),
    histories: () => specs.map(({ id }) => reports.get(id) ?? []),
  };
}

function specOf(id: string, port: number): CheckSpec {
  const timing = { intervalMs: 50, timeoutMs: 5_000, rise: 1, fall: 1 };
  return { id, address, port, probe: { type: 'tcp' }, timing };
}

/** Sessions that are nonsense the first time that they are sent to a thread. */
function unreadableOnce(): readonly SessionState[] {
  const session: SessionState = { name: 'x', peer: address, up: true, detail: 'up' };
  const sessions: SessionState[] = [session];
  let sent = 0;
  Object.defineProperty(sessions, 0, {
    enumerable: true,
    get: () => {
      sent += 1;
      return sent === 1 ? null : session;
    },
  });
  return sessions;
}
