/** What the guard of an agent does when the agent dies, and that it does nothing otherwise. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { resignPriority } from '../../src/wire/vrrp.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';
import { agentConfig, type TandemDirector } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';

const advertIntervalMs = 200;
const settings = { priority: highPriority, advertIntervalMs };
const lastWords = 'the agent died; 1 addresses were given up in its place';

lanTest('the guard of a killed agent gives its place up at once', [], async (scene) => {
  const agent = await scene.startTandem('lb1', settings);
  await scene.waitForHolder('lb1');
  await scene.startTandem('lb2', { ...settings, priority: lowPriority });
  const [guard] = await guardOf(agent);
  await scene.staysWith('lb1', advertIntervalMs);
  agent.signal('SIGKILL');
  await scene.waitForHolder('lb2');
  const resignation = await waitFor('priority 0', () => resignations(scene)[0]);
  const takeover = await scene.firstAdvertAfter('lb2', 0);
  assert.ok(takeover.atUs > resignation.atUs, 'the peer waited for it');
  await waitFor('the end of the guard', () => !isAlive(guard));
  assert.ok(agent.logTail.includes(lastWords), agent.logTail);
  assert.equal(resignations(scene).length, 1);
});

lanTest('a guard does nothing while its agent is frozen, or stops politely', [], async (scene) => {
  const agent = await scene.startTandem('lb1', settings);
  await scene.waitForHolder('lb1');
  const [guard] = await guardOf(agent);
  await scene.startTandem('lb2', { ...settings, priority: lowPriority });
  await scene.staysWith('lb1', advertIntervalMs);
  agent.freeze();
  await scene.firstAdvertAfter('lb2', 0);
  assert.deepEqual(scene.lan.holders(), ['lb1', 'lb2'], 'the frozen agent holds on to it');
  // What reaches the whole group of a terminal, or comes from somebody who means the agent.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(guard, signal);
  agent.signal('SIGCONT');
  await scene.waitForHolder('lb1');
  assert.deepEqual(resignations(scene), [], 'nobody has said goodbye');
  assert.ok(isAlive(guard));

  await agent.end();
  await scene.waitForHolder('lb2');
  await waitFor('the end of the guard', () => !isAlive(guard));
  assert.equal(resignations(scene).length, 1, 'the goodbye of the agent itself');
  assert.ok(!agent.logTail.includes(lastWords), agent.logTail);
});

lanTest('a guard that was late leaves alone what another agent holds', [], async (scene) => {
  const agent = await scene.startTandem('lb1', settings);
  await scene.waitForHolder('lb1');
  const [guard] = await guardOf(agent);
  process.kill(guard, 'SIGSTOP');
  agent.signal('SIGKILL');
  await waitFor('the end of the agent', () => !agent.isRunning);
  const successor = await scene.startTandem('lb1', settings);
  await successor.waitForStatus('it is Active', ({ virtualRouters: [router] }) => {
    return router?.state === 'active';
  });
  process.kill(guard, 'SIGCONT');
  await waitFor('the end of the guard', () => !isAlive(guard));
  assert.deepEqual(scene.lan.holders(), ['lb1']);
  assert.deepEqual(resignations(scene), []);
});

lanTest('a guard that ends is replaced, and acts on what was loaded last', [], async (scene) => {
  const agent = await scene.startTandem('lb1', settings);
  await scene.waitForHolder('lb1');
  const [first] = await guardOf(agent);
  process.kill(first, 'SIGKILL');
  await agent.waitForLog('the guard ended; it is started again');
  await agent.waitForStatus('another guard', ({ threads: { guard } }) => {
    return guard?.running === true && guard.restarts === 1;
  });

  const config = agentConfig(scene.lan, 'lb1', settings);
  agent.writeConfig(`${config}guard: { enabled: false }\n`);
  await reload(agent);
  await waitFor('no guard', () => agent.children.length === 0);
  assert.equal((await agent.status()).threads.guard, undefined);

  agent.writeConfig(agentConfig(scene.lan, 'lb1', { ...settings, addressCount: 3 }));
  await reload(agent);
  const [second] = await guardOf(agent);
  await waitFor('three addresses', () => virtualAddressCount(scene) === 3);
  agent.signal('SIGKILL');
  await waitFor('the end of the guard', () => !isAlive(second));
  assert.equal(virtualAddressCount(scene), 0);
  assert.match(agent.logTail, /3 addresses were given up/);
});

/** The guard, once it stands by. */
async function guardOf(agent: TandemDirector): Promise<readonly [number]> {
  await agent.waitForStatus('the guard stands by', ({ threads }) => threads.guard?.running);
  const [guard, ...others] = agent.children;
  assert.ok(guard !== undefined && others.length === 0);
  return [guard];
}

async function reload(agent: TandemDirector): Promise<void> {
  const result = await agent.command('reload', '--socket', agent.files.socketPath);
  assert.equal(result.exitCode, 0, result.stderr);
}

function resignations(scene: LanScene) {
  return scene.advertsOf('lb1').filter(({ priority }) => priority === resignPriority);
}

/** The addresses beside the node's own. */
function virtualAddressCount({ lan }: LanScene): number {
  const own = [ipAddress('127.0.0.1'), ...lan.ownAddresses('lb1')];
  return lan.network.addresses('lb1').filter(({ address }) => !own.includes(address)).length;
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
