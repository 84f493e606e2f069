import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allowCpus,
  allowedCpus,
  isRoundRobin,
  lockMemory,
  scheduleOrdinarily,
  scheduleRoundRobin,
  unlockMemory,
} from '../../src/kernel/realtime.js';
import { lanTest } from '../tools/lanTest.js';
import { agentConfig } from '../tools/tandemDirector.js';
import { rootTest } from './support/rootTest.js';

rootTest('a thread becomes a real-time thread and an ordinary one again', () => {
  assert.equal(isRoundRobin(), false);
  scheduleRoundRobin(5);
  assert.equal(isRoundRobin(), true);
  scheduleOrdinarily();
  assert.equal(isRoundRobin(), false);
});

rootTest('memory is locked and unlocked', () => {
  lockMemory();
  unlockMemory();
});

test('a thread is bound to one of its processors and released again', () => {
  const before = allowedCpus();
  const [first] = before;
  assert.ok(first !== undefined);
  allowCpus([first]);
  assert.deepEqual(allowedCpus(), [first]);
  allowCpus(before);
  assert.deepEqual(allowedCpus(), before);
});

test('a processor that does not exist is refused by name', () => {
  assert.throws(() => allowCpus([1023]), {
    code: 'SYSTEM_CALL',
    errnoName: 'EINVAL',
    message: /^sched_setaffinity \(processors 1023\) failed: EINVAL/,
  });
});

lanTest('the agent applies what it can, warns of the rest and elects', [], async (scene) => {
  const config = agentConfig(scene.lan, 'lb1', { priority: 200, advertIntervalMs: 100 });
  const realtime = 'realtime: { scheduler: round-robin, priority: 5, cpus: [1023] }\n';
  const lb1 = await scene.startTandem('lb1', config + realtime);
  await scene.waitForHolder('lb1');
  const { threads } = await lb1.waitForStatus(
    'the settings',
    (status) => status.threads.vrrp.realtime?.scheduler === 'round-robin',
  );
  assert.equal(threads.vrrp.realtime?.cpus, null);
  assert.match(threads.vrrp.realtime?.failures.join() ?? '', /^processors of its own: .*EINVAL/);
  await lb1.waitForLog('the election runs without processors of its own');
  const { stdout } = await lb1.command('status', '--socket', lb1.files.socketPath);
  assert.match(stdout, /election thread: round-robin at priority 5\n/);
  assert.ok((threads.vrrp.loop?.count ?? 0) > 0);
});
