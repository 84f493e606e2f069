import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HealthState } from '../../../src/health/reasons.js';
import type { CommandEnd } from '../../../src/kernel/childProcess.js';
import { parseProcessStatus } from '../../../src/kernel/processTable.js';
import {
  observeFile,
  observeProcesses,
  observeScript,
  observeService,
} from '../../../src/track/mainObservation.js';
import type { FileSubject, ProcessSubject } from '../../../src/track/model.js';

for (const [end, outcome, detail] of [
  [{ kind: 'exited', code: 0 }, 'passed', 'status 0: all is well'],
  [{ kind: 'exited', code: 3 }, 'failed', 'status 3: all is well'],
  [{ kind: 'signalled', signal: 'SIGSEGV' }, 'failed', 'ended by SIGSEGV: all is well'],
  [{ kind: 'timed-out' }, 'failed', 'ended after 12 ms, its timeout: all is well'],
  [{ kind: 'not-started', message: 'no such file', exhausted: false }, 'failed', 'no such file'],
  [{ kind: 'not-started', message: 'no memory', exhausted: true }, 'inconclusive', 'no memory'],
] as const satisfies readonly (readonly [CommandEnd, string, string])[]) {
  test(`a script that ended with ${JSON.stringify(end)} has ${outcome}`, () => {
    const output = end.kind === 'not-started' ? '' : 'all is\nwell\n';
    const observation = observeScript({ end, output, durationMs: 12 });
    assert.deepEqual(observation, { outcome, detail, durationMs: 12 });
  });
}

const file: FileSubject = { type: 'file', path: '/run/load', valueWhenMissing: 0 };

for (const [content, outcome, value] of [
  [{ text: '0\n' }, 'passed', 0],
  [{ text: '20' }, 'failed', 20],
  [{ text: ' +20 \n' }, 'failed', 20],
  [{ text: '-253\n' }, 'failed', -253],
  [undefined, 'passed', 0],
  [{ text: '' }, 'inconclusive', undefined],
  [{ text: '254' }, 'inconclusive', undefined],
  [{ text: '20 apples' }, 'inconclusive', undefined],
  [{ text: '1e2' }, 'inconclusive', undefined],
  [{ error: 'EACCES' }, 'inconclusive', undefined],
] as const) {
  test(`a file with ${JSON.stringify(content) ?? 'nothing there'} has ${outcome}`, () => {
    const observation = observeFile(file, content);
    assert.equal(observation.outcome, outcome);
    assert.equal(observation.value, value);
  });
}

test('a missing file has the value that is configured for it', () => {
  const observation = observeFile({ ...file, valueWhenMissing: 50 }, undefined);
  assert.equal(observation.outcome, 'failed');
  assert.equal(observation.value, 50);
});

const processes = [
  { processId: 1, name: 'init', commandLine: '/sbin/init' },
  { processId: 20, name: 'haproxy', commandLine: 'haproxy -f /etc/haproxy/a.cfg' },
  { processId: 21, name: 'haproxy', commandLine: 'haproxy -f /etc/haproxy/b.cfg' },
  { processId: 30, name: 'very-long-progr', commandLine: '/opt/very-long-program' },
];
const wanted = (changes: Partial<ProcessSubject>): ProcessSubject => ({
  ...{ type: 'process', min: 1, intervalMs: 1000, delayMs: 0 },
  ...changes,
});

for (const [changes, outcome, detail] of [
  [{ process: 'haproxy' }, 'passed', '2 run, at least 1 wanted'],
  [{ process: 'haproxy', min: 3 }, 'failed', '2 run, at least 3 wanted'],
  [{ process: 'haproxy', max: 1 }, 'failed', '2 run, 1 to 1 wanted'],
  [{ process: 'haproxy', commandContains: 'b.cfg', max: 1 }, 'passed', '1 run, 1 to 1 wanted'],
  [{ process: 'proxy' }, 'failed', '0 run, at least 1 wanted'],
  [{ process: 'very-long-program' }, 'passed', '1 run, at least 1 wanted'],
  [{ commandContains: '/etc/haproxy' }, 'passed', '2 run, at least 1 wanted'],
  [{ process: 'backup', min: 0, max: 0 }, 'passed', '0 run, 0 to 0 wanted'],
] as const) {
  test(`of four processes ${JSON.stringify(changes)} finds: ${detail}`, () => {
    assert.deepEqual(observeProcesses(wanted(changes), processes), { outcome, detail });
  });
}

test('the name of a process may have brackets and spaces, and one that has ended is none', () => {
  assert.deepEqual(parseProcessStatus('12 (a) b (c)) S 1 12 12 0'), { name: 'a) b (c)' });
  assert.equal(parseProcessStatus('12 (defunct) Z 1 12'), undefined);
  assert.equal(parseProcessStatus(''), undefined);
});

for (const [states, outcome] of [
  [['up', 'up', 'down'], 'passed'],
  [['up', 'down', 'down'], 'failed'],
  [['up', 'unknown', 'down'], 'inconclusive'],
  [['unknown', 'unknown', 'unknown'], 'inconclusive'],
  [['unknown', 'down', 'down'], 'failed'],
  [['up'], 'failed'],
] as const satisfies readonly (readonly [readonly HealthState[], string])[]) {
  test(`a service that wants 2 servers and has ${states.join(', ')} has ${outcome}`, () => {
    const subject = { type: 'service', service: 'web', minServersUp: 2 } as const;
    assert.equal(observeService(subject, states).outcome, outcome);
  });
}

test('whatever is in a file, it is judged without an error and its value is in range', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { outcome, value = 0, detail } = observeFile(file, { text });
      assert.ok(Math.abs(value) <= 253 && detail.length <= 200);
      assert.equal(outcome === 'failed', value !== 0);
    }),
  );
});
