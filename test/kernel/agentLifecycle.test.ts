import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { StatusDocument } from '../../src/api/statusModel.js';
import { resignPriority } from '../../src/wire/vrrp.js';
import { nodeAddresses, virtualAddress } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';
import type { TandemDirector } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';

const advertIntervalMs = 100;
const settings = { priority: highPriority, advertIntervalMs };

lanTest(
  'an agent that is told to stop resigns, then gives up its address and its socket',
  [],
  async (scene) => {
    const agent = await scene.startTandem('lb1', settings);
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    const end = await agent.end();
    assert.deepEqual(end, { code: 0, signal: null }, agent.logTail);
    assert.deepEqual(scene.lan.holders(), []);
    assert.equal(existsSync(agent.files.socketPath), false, 'the socket is gone');

    const resignation = await resignationOf(scene);
    const last = scene.advertsOf('lb1').filter(({ atUs }) => atUs >= resignation.atUs);
    // Nobody is there to take over, so it is said until every Backup must have heard it.
    assert.ok(last.every(({ priority }) => priority === resignPriority));
    const looks = scene.ownership();
    const given = looks.findLast(
      ({ holders }, index) => holders.length < (looks[index - 1]?.holders.length ?? 0),
    );
    assert.ok(
      given !== undefined && resignation.atUs < given.atUs,
      'first priority 0, then the address',
    );
  },
);

lanTest(
  'an agent that is told to stop holds its address until the peer has it',
  [],
  async (scene) => {
    const lb1 = await scene.startTandem('lb1', settings);
    await scene.waitForHolder('lb1');
    await scene.startTandem('lb2', { ...settings, priority: lowPriority });
    await scene.staysWith('lb1', advertIntervalMs);
    await lb1.end();
    await scene.waitForHolder('lb2');
    const resignation = await resignationOf(scene);
    const takeover = await scene.firstAdvertAfter('lb2', resignation.atUs);
    const given = scene
      .ownership()
      .find(({ atUs, holders }) => atUs > resignation.atUs && !holders.includes('lb1'));
    assert.ok((given?.atUs ?? 0) > takeover.atUs, 'not before its successor was heard');
    assert.ok(lb1.logTail.includes('virtual router vip is now initialize: shutdown'), lb1.logTail);
  },
);

lanTest('release gives up what a killed agent left behind, and says so once', [], async (scene) => {
  const agent = await scene.startTandem('lb1', settings);
  await scene.waitForHolder('lb1');
  const release = ['release', '-c', agent.files.configPath, '--node', 'lb1'] as const;
  const refused = await agent.command(...release);
  assert.equal(refused.exitCode, 1, 'while the agent runs the address is its own');
  assert.match(refused.stderr, /an agent runs on /);
  await scene.staysWith('lb1', advertIntervalMs);

  await agent.kill();
  assert.deepEqual(scene.lan.holders(), ['lb1'], 'a crash leaves the address behind');
  const first = await agent.command(...release);
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(first.stdout, /^removed 192\.0\.2\.100\/24 from eth0$/m);
  assert.deepEqual(scene.lan.holders(), []);
  assert.ok(scene.lan.hasAddress('lb1', nodeAddresses.lb1), 'its own address stays');
  await resignationOf(scene);

  const second = await agent.command(...release);
  assert.equal(second.exitCode, 0, second.stderr);
  assert.match(second.stdout, /^no virtual IP was left behind$/m);
  const resignations = scene.advertsOf('lb1').filter(({ priority }) => priority === resignPriority);
  assert.equal(resignations.length, 1, 'a second goodbye would make the peer count anew');
});

lanTest(
  'an agent that starts after a crash takes off what was left, until it is elected',
  [],
  async (scene) => {
    const crashed = await scene.startTandem('lb1', settings);
    await scene.waitForHolder('lb1');
    await crashed.kill();
    const peer = await scene.startTandem('lb2', { ...settings, priority: lowPriority });
    await waitFor('the peer has taken over', () => scene.lan.hasAddress('lb2', virtualAddress));
    assert.deepEqual(scene.lan.holders(), ['lb1', 'lb2']);
    const agent = await scene.startTandem('lb1', settings);
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    assert.ok(agent.isRunning && peer.isRunning);
  },
);

lanTest('the status of a pair says who is active and why', [], async (scene) => {
  const active = await scene.startTandem('lb1', settings);
  await scene.waitForHolder('lb1');
  const backup = await scene.startTandem('lb2', { ...settings, priority: lowPriority });
  await scene.staysWith('lb1', advertIntervalMs);
  await backup.waitForStatus('the Backup has heard the Active', ({ virtualRouters: [router] }) => {
    return router?.active?.address === nodeAddresses.lb1;
  });

  const [activeRouter] = (await statusAsJson(active)).virtualRouters;
  assert.equal(activeRouter?.state, 'active');
  assert.equal(activeRouter.reason, 'active-down-timer');
  assert.deepEqual(activeRouter.priority, {
    configured: highPriority,
    effective: highPriority,
    demotions: [],
  });
  assert.equal(activeRouter.active?.self, true);
  assert.equal(activeRouter.addresses[0]?.prefix.address, virtualAddress);
  const [backupRouter] = (await statusAsJson(backup)).virtualRouters;
  assert.equal(backupRouter?.state, 'backup');
  assert.equal(backupRouter.reason, 'startup');
  assert.equal(backupRouter.active?.self, false);
  assert.equal(backupRouter.active.address, nodeAddresses.lb1);
  assert.equal(backupRouter.active.priority, highPriority);

  assert.match(
    await statusAsText(active),
    /vip +51 +eth0 +active .* active-down-timer .* this node /,
  );
  assert.match(
    await statusAsText(backup),
    /vip +51 +eth0 +backup .* startup .* 192\.0\.2\.101 \(priority 150\) /,
  );
});

lanTest('the status of an agent that does not run is one clear error', [], async (scene) => {
  const agent = await scene.startTandem('lb1', settings);
  await agent.stop();
  const result = await agent.command('status', '--socket', agent.files.socketPath);
  assert.equal(result.exitCode, 1);
  assert.match(result.stderr, /^tandem: .*ENOENT/);
  assert.match(result.stderr, /hint: Start it with `tandem run`/);
});

function resignationOf(scene: LanScene) {
  return waitFor('priority 0', () =>
    scene.advertsOf('lb1').find(({ priority }) => priority === resignPriority),
  );
}

async function statusAsJson(agent: TandemDirector): Promise<StatusDocument> {
  const result = await agent.command('status', '--json', '--socket', agent.files.socketPath);
  assert.equal(result.exitCode, 0, result.stderr);
  return JSON.parse(result.stdout) as StatusDocument;
}

async function statusAsText(agent: TandemDirector): Promise<string> {
  const result = await agent.command('status', '--socket', agent.files.socketPath);
  assert.equal(result.exitCode, 0, result.stderr);
  return result.stdout;
}
