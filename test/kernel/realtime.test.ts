import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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

rootTest('every thread of a process becomes a real-time thread', () => {
  const module = new URL('../../src/kernel/realtime.js', import.meta.url).href;
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { scheduleProcessRoundRobin } from ${JSON.stringify(module)};
    scheduleProcessRoundRobin(3);
    const policies = readdirSync('/proc/self/task').map((task) => {
      const stat = readFileSync('/proc/self/task/' + task + '/stat', 'utf8');
      // The name in brackets may have spaces; the policy is the 41st field (proc_pid_stat.5).
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38];
    });
    process.stdout.write(policies.join(' '));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  const policies = output.split(' ');
  assert.ok(policies.length > 1, output);
  assert.ok(
    policies.every((policy) => policy === '2'),
    output,
  );
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
    ({ threads: { vrrp } }) =>
      vrrp.realtime?.scheduler === 'round-robin' && (vrrp.loop?.count ?? 0) > 0,
  );
  assert.equal(threads.vrrp.realtime?.cpus, null);
  assert.match(threads.vrrp.realtime?.failures.join() ?? '', /^processors of its own: .*EINVAL/);
  await lb1.waitForLog('the election runs without processors of its own');
  const { stdout } = await lb1.command('status', '--socket', lb1.files.socketPath);
  assert.match(stdout, /election thread: round-robin at priority 5\n/);
});

lanTest(
  'without settings the election is a real-time thread where it may be',
  [],
  async (scene) => {
    const settings = { priority: 200, advertIntervalMs: 100 };
    const lb1 = await scene.startTandem('lb1', settings);
    await scene.waitForHolder('lb1');
    const withoutRight = ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice'];
    const lb2 = await scene.startTandem('lb2', { ...settings, priority: 100 }, {}, withoutRight);
    const schedulers: string[] = [];
    for (const director of [lb1, lb2]) {
      const { threads } = await director.waitForStatus(
        'a report of the election',
        ({ threads }) => threads.vrrp.realtime !== null,
      );
      schedulers.push(threads.vrrp.realtime?.scheduler ?? '');
      assert.deepEqual(threads.vrrp.realtime?.failures, []);
    }
    assert.deepEqual(schedulers, ['round-robin', 'none']);
    await lb2.waitForLog('the election is scheduled like any other thread: sched_setscheduler');
    await scene.staysWith('lb1', 100);
  },
);

test('a thread that makes young garbage leaves the other threads of the process alone', () => {
  const module = new URL('../../src/agent/runtimeFlags.js', import.meta.url).href;
  const work = `
    const kept = Array(5e4);
    for (const end = Date.now() + 600; Date.now() < end; ) {
      for (let i = 0; i < 5e4; i += 1) kept[i] = { i, list: [i] };
    }`;
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    import { collectYoungGarbageInOwnThread } from ${JSON.stringify(module)};
    collectYoungGarbageInOwnThread();
    const helpers = readdirSync('/proc/self/task').filter((id) => Number(id) !== process.pid);
    new Worker(${JSON.stringify(work)}, { eval: true }).on('exit', () => {
      const usedUs = helpers.reduce((sum, id) => {
        const [runNs] = readFileSync('/proc/self/task/' + id + '/schedstat', 'utf8').split(' ');
        return sum + Number(runNs) / 1000;
      }, 0);
      process.stdout.write(String(usedUs / process.cpuUsage().user));
    });`;
  const args = ['--input-type=module', '-e', script];
  const share = Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  // What they still do is to compile. Of the collection they would do more than a third.
  assert.ok(share < 0.2, `the helpers did ${share} of the work`);
});
