/** Two real agents with BFD between them: how much sooner the Backup takes over, and when not. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import { activeDownUs } from '../../src/vrrp/timing.js';
import type { DirectorName } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';
import { agentConfig, type TandemDirector } from '../tools/tandemDirector.js';

const advertIntervalMs = 1_000;
const plainDownUs = activeDownUs(lowPriority, advertIntervalMs * 1_000);

/** The configuration of a director, with BFD of 50 ms times 3 when wanted. */
function config(scene: LanScene, node: DirectorName, bfd: string | undefined): string {
  const priority = node === 'lb1' ? highPriority : lowPriority;
  const plain = agentConfig(scene.lan, node, { priority, advertIntervalMs });
  if (bfd === undefined) return plain;
  const timers = 'desiredMinTx: 50ms, multiplier: 3';
  return plain
    .replace('    vrid:', '    bfd: pair\n    vrid:')
    .concat(`bfd: [{ name: pair, ${timers}${bfd} }]\n`);
}

/** Starts both agents, and waits until lb1 is Active and the session is up on both. */
async function startPair(
  scene: LanScene,
  bfd: string | undefined,
): Promise<Record<DirectorName, TandemDirector>> {
  const lb1 = await scene.startTandem('lb1', config(scene, 'lb1', bfd));
  await scene.waitForHolder('lb1');
  const lb2 = await scene.startTandem('lb2', config(scene, 'lb2', bfd));
  await scene.staysWith('lb1', advertIntervalMs);
  if (bfd !== undefined) for (const agent of [lb1, lb2]) await waitUntilUp(agent);
  return { lb1, lb2 };
}

async function waitUntilUp(agent: TandemDirector): Promise<void> {
  await agent.waitForStatus('the session is up and fast', ({ bfd: [session] }) => {
    return session?.state === 'up' && session.detectionTimeUs === 150_000;
  });
}

/** Pulls the cable of the Active; how long it takes until the other advertises. */
async function takeoverUs(scene: LanScene): Promise<number> {
  const cutUs = nowUs();
  scene.lan.setLink('lb1', false);
  const advert = await scene.firstAdvertAfter('lb2', cutUs);
  await scene.firstAnnouncementAfter('lb2', advert.atUs);
  return advert.atUs - cutUs;
}

lanTest(
  'with BFD a cut link of the Active is over within detection and skew time',
  [],
  async (scene) => {
    const { lb2 } = await startPair(scene, '');
    const us = await takeoverUs(scene);
    // Detection takes 150 ms and the skew 609 ms; without BFD it would be 2.6 to 3.6 s.
    assert.ok(us < plainDownUs / 2, `it took ${us} us, and ${plainDownUs} us without BFD`);
    const { virtualRouters, bfd } = await lb2.status();
    assert.equal(virtualRouters[0]?.reason, 'active-unreachable-bfd');
    assert.equal(bfd[0]?.diagnostic, 'detection-time-expired');
    scene.context.diagnostic(`takeover with BFD after ${Math.round(us / 1_000)} ms`);
  },
);

lanTest('without BFD the same cut takes the Active_Down_Interval', [], async (scene) => {
  const { lb2 } = await startPair(scene, undefined);
  const us = await takeoverUs(scene);
  assert.ok(us > plainDownUs / 2, `it took only ${us} us`);
  assert.equal((await lb2.status()).virtualRouters[0]?.reason, 'active-down-timer');
  scene.context.diagnostic(`takeover without BFD after ${Math.round(us / 1_000)} ms`);
});

lanTest('AdminDown on the Active takes nothing over', [], async (scene) => {
  const { lb1, lb2 } = await startPair(scene, '');
  lb1.writeConfig(config(scene, 'lb1', ', enabled: false'));
  const reloaded = await lb1.command('reload', '--socket', lb1.files.socketPath);
  assert.equal(reloaded.exitCode, 0, reloaded.stderr);
  await lb2.waitForStatus('AdminDown is heard', ({ bfd: [session] }) => {
    return session?.state === 'down' && session.remote.state === 'admin-down';
  });
  await scene.staysWith('lb1', advertIntervalMs);
  const [session] = (await lb2.status()).bfd;
  assert.equal(session?.diagnostic, 'neighbour-signalled-down');
  lb1.writeConfig(config(scene, 'lb1', ''));
  await lb1.command('reload', '--socket', lb1.files.socketPath);
  for (const agent of [lb1, lb2]) await waitUntilUp(agent);
});

lanTest('a tracker of a session lowers the priority while it is down', [], async (scene) => {
  const gateway = [
    'trackers: [{ name: peer-reachable, type: bfd, session: pair, weight: 30 }]',
    '',
  ].join('\n');
  const tracked = (node: DirectorName) =>
    config(scene, node, '').replace('    vrid:', '    track: [peer-reachable]\n    vrid:') +
    gateway;
  const lb1 = await scene.startTandem('lb1', tracked('lb1'));
  await lb1.waitForStatus('the tracker fails', ({ virtualRouters: [router] }) => {
    return router?.priority.effective === highPriority - 30;
  });
  await scene.startTandem('lb2', tracked('lb2'));
  await lb1.waitForStatus('the tracker passes', ({ virtualRouters: [router] }) => {
    return router?.priority.effective === highPriority;
  });
});

lanTest(
  'keys are read from files, and a file that others can read is refused',
  [],
  async (scene) => {
    const path = join(scene.lan.folder, 'bfd.key');
    writeFileSync(path, 'bfd-secret', { mode: 0o600 });
    const authentication = `, authentication: { key: { file: ${path} } }`;
    const { lb1 } = await startPair(scene, authentication);
    const [session] = (await lb1.status()).bfd;
    assert.equal(session?.authentication, 'meticulous-sha1');
    const open = join(scene.lan.folder, 'open.key');
    writeFileSync(open, 'bfd-secret', { mode: 0o644 });
    lb1.writeConfig(config(scene, 'lb1', `, authentication: { key: { file: ${open} } }`));
    const reloaded = await lb1.command('reload', '--socket', lb1.files.socketPath);
    assert.notEqual(reloaded.exitCode, 0);
    assert.match(reloaded.stderr, /others than its owner/);
    assert.doesNotMatch(reloaded.stderr, /bfd-secret/);
    const status = await lb1.command('status', '--socket', lb1.files.socketPath);
    assert.match(status.stdout, /BFD +INTERFACE +PEER[\s\S]*pair +eth0 +192\.0\.2\.102 +up/);
  },
);
