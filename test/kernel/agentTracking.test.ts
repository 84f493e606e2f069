/** Two real agents: a tracker fails, the other takes over, and the hooks tell of it. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRouteNetlink } from '../../src/kernel/routeNetlink.js';
import { activeDownUs, skewUs } from '../../src/vrrp/timing.js';
import { resignPriority } from '../../src/wire/vrrp.js';
import type { DirectorName } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';
import { agentConfig, agentFiles, runTandem } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';

const advertIntervalMs = 200;

/** The agent's configuration with priorities of both nodes, a `track` and more at the end. */
function config(scene: LanScene, node: DirectorName, track: string, more: string): string {
  return agentConfig(scene.lan, node, { priority: highPriority, advertIntervalMs })
    .replace(
      `priority: ${highPriority}`,
      `priority: { lb1: ${highPriority}, lb2: ${lowPriority} }\n    track: ${track}`,
    )
    .concat(more);
}

/** Starts both agents; lb1 is Active and lb2 has heard it. */
async function startPair(scene: LanScene, track: string, more: string) {
  const lb1 = await scene.startTandem('lb1', config(scene, 'lb1', track, more));
  await scene.waitForHolder('lb1');
  const lb2 = await scene.startTandem('lb2', config(scene, 'lb2', '[]', ''));
  await scene.staysWith('lb1', advertIntervalMs);
  return { lb1, lb2 };
}

/** How long lb2 waited after lb1 had said priority 0, in microseconds. */
async function takeoverUs(scene: LanScene): Promise<number> {
  const resignation = await waitFor('priority 0', () =>
    scene.advertsOf('lb1').find(({ priority }) => priority === resignPriority),
  );
  const first = await scene.firstAdvertAfter('lb2', resignation.atUs);
  return first.atUs - resignation.atUs;
}

/** The only Backup takes over at once, which is far from the timer that it would else need. */
function assertAtOnce(scene: LanScene, tookUs: number): void {
  const skew = skewUs(lowPriority, advertIntervalMs * 1000);
  const activeDown = activeDownUs(lowPriority, advertIntervalMs * 1000);
  scene.context.diagnostic(
    `took over ${Math.round(tookUs / 1000)} ms after priority 0: ` +
      `${(tookUs / skew).toFixed(2)} of the skew, ` +
      `${(tookUs / activeDown).toFixed(2)} of Active_Down_Interval`,
  );
  assert.ok(tookUs < activeDown / 2, `${tookUs} us is no better than waiting ${activeDown} us`);
}

lanTest('a file that takes priority off hands over at once', [], async (scene) => {
  const file = join(scene.lan.folder, 'load');
  const trackers = `trackers:\n  - { name: load, type: file, path: ${file} }\n`;
  const { lb1 } = await startPair(scene, '[load]', trackers);
  writeFileSync(file, '100');
  const tookUs = await takeoverUs(scene);
  await scene.waitForHolder('lb2');
  assertAtOnce(scene, tookUs);
  scene.assertNeverTwoOwnersForLong(advertIntervalMs);
  const { virtualRouters, trackers: reports } = await lb1.waitForStatus(
    'lb1 says why',
    ({ virtualRouters: [router] }) => router?.state === 'backup',
  );
  assert.deepEqual(virtualRouters[0]?.priority, {
    configured: highPriority,
    effective: 50,
    demotions: [{ reason: 'tracked-file-value', weight: 100, routers: ['vip'], tracker: 'load' }],
  });
  assert.equal(reports[0]?.state, 'failing');
  assert.equal(reports[0]?.last?.detail, 'value 100');
  const { stdout } = await lb1.command('status', '--socket', lb1.files.socketPath);
  assert.match(stdout, /50 \(150 - 100 load: tracked-file-value\)/);
  assert.match(stdout, /load +file +failing +\S+ +1 vip +value 100/);

  writeFileSync(file, '0');
  await scene.waitForHolder('lb1');
});

lanTest('an interface without carrier hands over at once', [], async (scene) => {
  const links = scene.lan.namespace('lb1').run(openRouteNetlink);
  try {
    links.createVeth({ name: 'up0', peerName: 'up0-far' });
    for (const name of ['up0', 'up0-far']) links.setLink(name, { up: true });
    const tracker = '{ name: uplink, type: interface, interface: up0, weight: 60 }';
    const { lb1 } = await startPair(scene, '[uplink]', `trackers:\n  - ${tracker}\n`);
    links.setLink('up0-far', { up: false });
    assertAtOnce(scene, await takeoverUs(scene));
    await scene.waitForHolder('lb2');
    const { trackers } = await lb1.status();
    assert.equal(trackers[0]?.last?.detail, 'up0 has no carrier');
    links.setLink('up0-far', { up: true });
    await scene.waitForHolder('lb1');
  } finally {
    links.close();
  }
});

lanTest(
  'a script without a weight stops the router, and the status says why',
  [],
  async (scene) => {
    const flag = join(scene.lan.folder, 'flag');
    const command = `[/bin/sh, -c, 'test ! -e ${flag} || { echo no disk; exit 5; }']`;
    const timing = 'interval: 100ms, rise: 1, fall: 1';
    const tracker = `{ name: disk, type: script, command: ${command}, user: root, ${timing} }`;
    const { lb1 } = await startPair(scene, '[disk]', `trackers:\n  - ${tracker}\n`);
    writeFileSync(flag, '');
    assertAtOnce(scene, await takeoverUs(scene));
    const { virtualRouters, trackers } = await lb1.waitForStatus(
      'lb1 is out',
      ({ virtualRouters: [router] }) => router?.state === 'initialize',
    );
    assert.equal(virtualRouters[0]?.reason, 'tracker-failed');
    assert.deepEqual(virtualRouters[0].faults, [
      { reason: 'tracked-script-failing', tracker: 'disk', routers: ['vip'] },
    ]);
    assert.equal(trackers[0]?.last?.detail, 'status 5: no disk');
    rmSync(flag);
    await scene.waitForHolder('lb1');
  },
);

lanTest(
  'hooks tell every change in order, with its facts, and their end is known',
  [],
  async (scene) => {
    const log = join(scene.lan.folder, 'log');
    const program = join(scene.lan.folder, 'tell');
    // The first hook is slow: without an order it would be overtaken by those after it.
    writeFileSync(
      program,
      `#!/bin/sh\ntest "$TANDEM_STATE" = backup && sleep 0.5\n` +
        `echo "$TANDEM_SEQUENCE $TANDEM_NAME $TANDEM_STATE $TANDEM_PRIORITY $*" >> ${log}\n` +
        `test "$TANDEM_STATE" != active || { echo cannot; exit 7; }\n`,
      { mode: 0o755 },
    );
    const flag = join(scene.lan.folder, 'flag');
    const hook = `{ name: tell, command: [${program}, fixed], style: keepalived }`;
    const tracker = `{ name: flag, type: file, path: ${flag}, weight: 0 }`;
    const more = `trackers:\n  - ${tracker}\nhooks:\n  - ${hook}\n`;
    const agent = await scene.startTandem('lb1', config(scene, 'lb1', '[flag]', more));
    const { hooks } = await agent.waitForStatus('both hooks have run', (status) => {
      return status.hooks[0]?.runs === 2;
    });
    const [status] = hooks;
    assert.equal(status?.failures, 1);
    assert.equal(status.last?.target, 'router vip');
    assert.equal(status.last.state, 'active');
    assert.equal(status.last.exitCode, 7);
    assert.equal(status.last.detail, 'cannot');
    writeFileSync(flag, '1');
    await agent.waitForStatus('the fault is told', ({ hooks: [first] }) => first?.runs === 3);
    rmSync(flag);
    await agent.waitForStatus('the recovery is told', ({ hooks: [first] }) => first?.runs === 5);
    await agent.end();
    assert.deepEqual(readFileSync(log, 'utf8').trim().split('\n'), [
      '1 vip backup 150 fixed INSTANCE vip BACKUP 150',
      '2 vip active 150 fixed INSTANCE vip MASTER 150',
      '3 vip initialize 150 fixed INSTANCE vip FAULT 150',
      '4 vip backup 150 fixed INSTANCE vip BACKUP 150',
      '5 vip active 150 fixed INSTANCE vip MASTER 150',
      '6 vip initialize 150 fixed INSTANCE vip STOP 150',
    ]);
  },
);

lanTest(
  'a hook that hangs is ended, and keeps nobody waiting but its own router',
  [],
  async (scene) => {
    const hook = '{ name: hang, on: [backup], command: [/bin/sleep, "600"], timeout: 300ms }';
    const agent = await scene.startTandem(
      'lb1',
      config(scene, 'lb1', '[]', `hooks:\n  - ${hook}\n`),
    );
    const { hooks } = await agent.waitForStatus('it was ended', ({ hooks: [first] }) => {
      return first?.runs === 1;
    });
    assert.equal(hooks[0]?.last?.outcome, 'timed-out');
    await scene.waitForHolder('lb1');
  },
);

lanTest('an agent whose script shall run as nobody we know does not start', [], async (scene) => {
  const tracker = '{ name: it, type: script, command: [/bin/true], user: no-such-user }';
  const text = config(scene, 'lb1', '[it]', `trackers:\n  - ${tracker}\n`);
  const { configPath } = agentFiles(scene.lan, 'lb1');
  writeFileSync(configPath, text);
  const result = await runTandem(scene.lan, 'lb1', ['run', '-c', configPath, '--node', 'lb1']);
  assert.equal(result.exitCode, 2);
  assert.match(result.stderr, /tracker it: there is no user no-such-user/);
});
