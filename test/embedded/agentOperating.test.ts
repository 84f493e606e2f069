import assert from 'node:assert/strict';
import { type ChildProcess, execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fetchStatus } from '../../src/api/client.js';
import type { PlanDocument } from '../../src/api/planModel.js';
import type { ServerStatus } from '../../src/api/statusModel.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import type { ServiceIdentity } from '../../src/wire/ipvsModel.js';
import { runInProcess } from '../interop/embedded/ipvsadmSupport.js';
import { startAgent } from './agentSupport.js';
import {
  addLocalAddress,
  ask,
  echoServer,
  eventually,
  ipvsTest,
  openConnection,
  savedTable,
} from './ipvsSupport.js';

const mainScript = fileURLToPath(new URL('../../src/main.js', import.meta.url));

const service: ServiceIdentity = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.77.0.100'),
  port: 80,
};
const servers = ['10.77.0.10', '10.77.0.20'] as const;

ipvsTest('a drain waits for the connections, and says so when they do not end', async (_, t) => {
  const scene = await prepare(t);
  await scene.start('lb1');
  const connection = await openConnection(t, service);
  const holder = (await ask(connection, 'hold')).split(' ')[0] ?? '';
  const late = await scene.command('drain', holder, '--timeout', '1500ms', '--reason', 'disks');
  assert.equal(late.exitCode, 1, late.stderr);
  assert.match(late.stderr, /after 1500ms web\/10\.77\.0\.\d0:8080: 1 active, 0 inactive left/);
  assert.match(late.stderr, /hint: It stays drained/);
  assert.equal(await weightOf(holder), '0');
  const drained = await scene.server('lb1', holder);
  assert.equal(drained?.weight.reason, 'drained');
  assert.equal(drained?.override?.reason, 'disks');
  assert.equal(drained?.override?.node, 'lb1');
  assert.equal(drained?.override?.user, 'alice');
  const status = await scene.command('status');
  assert.match(status.stdout, /10\.77\.0\.\d0:8080 drained \d+s ago by alice on lb1: disks/);

  // New clients go elsewhere, and the one that is there is served to its end.
  for (let client = 0; client < 4; client += 1) {
    const other = await openConnection(t, service);
    assert.equal((await ask(other, 'who')).startsWith(holder), false);
    other.destroy();
  }
  assert.equal(await ask(connection, 'still'), `${holder} still`);
  const waiting = scene.command('drain', holder, '--json');
  // IPVS forgets a connection ten seconds after a reset, two minutes after a polite end.
  connection.resetAndDestroy();
  const { exitCode, stdout, stderr } = await waiting;
  assert.equal(exitCode, 0, stderr);
  assert.equal((JSON.parse(stdout) as { drained: boolean }).drained, true);

  const back = await scene.command('undrain', `web/${holder}:8080`);
  assert.match(back.stdout, /^web\/10\.77\.0\.\d0:8080 back from draining\n$/);
  assert.equal(await weightOf(holder), '1');
});

ipvsTest('overrides outlast a reload and a kill, and go when they are taken back', async (_, t) => {
  const scene = await prepare(t);
  const agent = await scene.start('lb1');
  const [first, second] = servers;
  assert.equal((await scene.command('weight', first, '7')).exitCode, 0);
  assert.equal((await scene.command('maintain', second, '--reason', 'new disks')).exitCode, 0);
  assert.deepEqual([await weightOf(first), await weightOf(second)], ['7', '0']);
  assert.equal((await scene.command('reload')).exitCode, 0);
  assert.deepEqual([await weightOf(first), await weightOf(second)], ['7', '0']);
  const ended = once(agent, 'exit');
  agent.kill('SIGKILL');
  await ended;

  await scene.start('lb1');
  assert.deepEqual([await weightOf(first), await weightOf(second)], ['7', '0']);
  const status = await fetchStatus(scene.socketPath('lb1'));
  assert.equal(status.ipvs.operationsTotal, 0, 'a restart has nothing to change');
  assert.equal((await scene.server('lb1', second))?.override?.reason, 'new disks');
  assert.equal((await scene.command('weight', first, 'configured')).exitCode, 0);
  assert.equal((await scene.command('maintain', second, 'off')).exitCode, 0);
  assert.deepEqual([await weightOf(first), await weightOf(second)], ['1', '1']);
  const again = await scene.command('maintain', second, 'off');
  assert.match(again.stdout, /^nothing to take back: web\/10\.77\.0\.20:8080/);
});

ipvsTest('a file in the maintenance folder takes a server out while it is there', async (_, t) => {
  const scene = await prepare(t);
  await scene.start('lb1');
  const [first, second] = servers;
  const path = join(scene.maintenanceFolder('lb1'), `web@${first}:8080`);
  writeFileSync(path, 'cable\nmore');
  await eventually(async () => (await weightOf(first)) === '0', 'the file counts');
  const server = await scene.server('lb1', first);
  assert.equal(server?.weight.reason, 'maintenance');
  assert.deepEqual(
    [server?.override?.kind, server?.override?.reason, server?.override?.user],
    ['file', 'cable', userInfo().username],
  );
  const refused = await scene.command('maintain', first, 'off');
  assert.equal(refused.exitCode, 1);
  assert.ok(refused.stderr.includes(path), refused.stderr);
  rmSync(path);
  await eventually(async () => (await weightOf(first)) === '1', 'without the file it is back');
  // The whole folder may go and come back while the agent runs.
  rmSync(scene.maintenanceFolder('lb1'), { recursive: true });
  mkdirSync(scene.maintenanceFolder('lb1'));
  writeFileSync(join(scene.maintenanceFolder('lb1'), second), '');
  await eventually(async () => (await weightOf(second)) === '0', 'the new folder counts');
});

ipvsTest('what one director sets holds on the other, also when that was away', async (_, t) => {
  const scene = await prepare(t);
  await scene.start('lb1');
  const [first, second] = servers;
  assert.equal((await scene.command('drain', first, '--no-wait')).exitCode, 0);
  const other = await scene.start('lb2');
  await eventually(
    async () => (await scene.server('lb2', first))?.override?.kind === 'drain',
    'lb2 learns what was set before it came',
  );
  assert.equal((await scene.commandOn('lb2', 'weight', second, '5')).exitCode, 0);
  await eventually(
    async () => (await scene.server('lb1', second))?.override?.weight === 5,
    'lb1 learns what was set on lb2',
  );
  const ended = once(other, 'exit');
  other.kill('SIGKILL');
  await ended;
  assert.equal((await scene.command('undrain', first)).exitCode, 0);
  await scene.start('lb2');
  await eventually(
    async () => (await scene.server('lb2', first))?.override === undefined,
    'lb2 learns what was taken back while it was away',
  );
  assert.equal((await scene.server('lb1', first))?.override, undefined);
});

ipvsTest('a plan is what the reload then does, and too large a one is refused', async (_, t) => {
  const scene = await prepare(t);
  await scene.start('lb1');
  const before = await savedTable();
  const path = scene.configPath('lb1');
  assert.match((await scene.command('plan', path)).stdout, /^nothing to do\n$/);
  const third = "{ address: '10.77.0.30:8080', weight: 3 }";
  scene.writeConfig('lb1', { servers: [servers[0]], more: [third], scheduler: 'wrr' });
  const plan = JSON.parse((await scene.command('plan', path, '--json')).stdout) as PlanDocument;
  assert.equal(plan.against, 'agent');
  assert.deepEqual(
    plan.ipvs.map(({ text }) => text),
    [
      'edit service tcp://10.77.0.100:80 (scheduler wrr)',
      'add server tcp://10.77.0.100:80 -> 10.77.0.30:8080 (nat, weight 3)',
      'delete server tcp://10.77.0.100:80 -> 10.77.0.20:8080',
    ],
  );
  assert.deepEqual(plan.notes, []);
  assert.deepEqual(await savedTable(), before, 'a plan changes nothing');
  assert.equal((await scene.command('reload')).exitCode, 0);
  const { lastOperations } = (await fetchStatus(scene.socketPath('lb1'))).ipvs;
  assert.equal(lastOperations, plan.ipvs.length);

  scene.writeConfig('lb1', { servers: [], more: ["{ address: '10.77.0.40:8080' }"] });
  const table = await savedTable();
  const refused = await scene.command('reload');
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /would remove 2 of 2 servers, more than 50%: .*10\.77\.0\.30:8080/);
  assert.match(refused.stderr, /tandem reload --force/);
  assert.match((await scene.command('plan', path)).stdout, /note: a reload would be refused/);
  assert.deepEqual(await savedTable(), table);
  assert.equal((await scene.command('reload', '--force')).exitCode, 0);
  const after = await savedTable();
  assert.equal(after.filter((line) => line.startsWith('-a')).length, 1);
});

ipvsTest('without an agent a plan is what a start does to the kernel', async (_, t) => {
  const scene = await prepare(t);
  const args = ['plan', scene.configPath('lb1'), '--node', 'lb1', '--json'];
  const plan = JSON.parse((await scene.command(...args)).stdout) as PlanDocument;
  assert.equal(plan.against, 'kernel');
  assert.deepEqual(
    plan.ipvs.map(({ operation }) => operation.kind),
    ['add-service', 'add-server', 'add-server'],
  );
  await scene.start('lb1');
  const { operationsTotal } = (await fetchStatus(scene.socketPath('lb1'))).ipvs;
  assert.equal(operationsTotal, 3);
  await refusesOwnedChanges(scene.socketPath('lb1'));
});

/** What the running agent owns is not changed by hand, unless that is insisted on. */
async function refusesOwnedChanges(socketPath: string): Promise<void> {
  const before = await savedTable();
  const web = '-t 10.77.0.100:80';
  for (const line of [
    `-E ${web} -s wlc`,
    `-D ${web}`,
    `-a ${web} -r 10.77.0.30:8080 -m`,
    `-e ${web} -r 10.77.0.10:8080 -m -w 9`,
    `-d ${web} -r 10.77.0.10:8080`,
    '-C',
  ]) {
    const { status, errors } = await runInProcess(line.split(' '), '', socketPath);
    assert.equal(status, 255, line);
    assert.match(
      errors,
      /owns .*10\.77\.0\.100:80.* and would undo the change\n {2}hint: .*--force/,
      line,
    );
  }
  assert.deepEqual(await savedTable(), before);
  const edit = `-e ${web} -r 10.77.0.10:8080 -m -w 9`;
  const refused = await runTandem(['ipvs', ...edit.split(' '), '--socket', socketPath]);
  assert.equal(refused.exitCode, 255);
  assert.match(refused.stderr, /service web of its configuration/);
  // Other services are nobody's business.
  const foreign = await runInProcess(['-A', '-t', '10.77.0.99:80'], '', socketPath);
  assert.equal(foreign.status, 0, foreign.errors);
  const forced = await runInProcess([...edit.split(' '), '--force'], '', socketPath);
  assert.equal(forced.status, 0, forced.errors);
  assert.equal(await weightOf('10.77.0.10'), '9');
}

type NodeName = 'lb1' | 'lb2';

interface ConfigChange {
  readonly servers?: readonly string[];
  readonly more?: readonly string[];
  readonly scheduler?: string;
}

async function prepare(context: TestContext) {
  for (const address of ['10.77.0.1', '10.77.0.2', '10.77.0.100', ...servers]) {
    addLocalAddress(address);
  }
  for (const address of servers) await echoServer(context, address, 8080);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-operating-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const keyPath = join(folder, 'peer.key');
  writeFileSync(keyPath, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const pathOf = (node: NodeName, name: string): string => join(folder, `${node}${name}`);
  const socketPath = (node: NodeName): string => pathOf(node, '.sock');
  const writeConfig = (node: NodeName, change: ConfigChange = {}): void => {
    const listed = [
      ...(change.servers ?? servers).map((address) => `{ address: '${address}:8080' }`),
      ...(change.more ?? []),
    ];
    const text = `
cluster: operating
nodes:
  lb1: { address: 10.77.0.1, interface: lo }
  lb2: { address: 10.77.0.2, interface: lo }
services:
  - name: web
    listen: tcp://10.77.0.100:80
    scheduler: ${change.scheduler ?? 'rr'}
    forward: nat
    servers: [${listed.join(', ')}]
peering: { key: { file: ${keyPath} } }
overrides:
  stateFile: ${pathOf(node, '-state/overrides.json')}
  maintenanceFolder: ${pathOf(node, '-maintenance')}
api: { socket: ${socketPath(node)} }
`;
    writeFileSync(pathOf(node, '.yaml'), text);
  };
  writeConfig('lb1');
  writeConfig('lb2');
  const commandOn = (node: NodeName, ...args: readonly string[]) =>
    runTandem([...args, '--socket', socketPath(node)]);
  return {
    writeConfig,
    socketPath,
    commandOn,
    configPath: (node: NodeName) => pathOf(node, '.yaml'),
    maintenanceFolder: (node: NodeName) => pathOf(node, '-maintenance'),
    start: (node: NodeName): Promise<ChildProcess> =>
      startAgent(context, pathOf(node, '.yaml'), socketPath(node), node),
    command: (...args: readonly string[]) => commandOn('lb1', ...args),
    server: async (node: NodeName, address: string): Promise<ServerStatus | undefined> =>
      (await fetchStatus(socketPath(node))).services[0]?.servers.find(
        (server) => server.address === address,
      ),
  };
}

function runTandem(args: readonly string[]) {
  const env = { ...process.env, SUDO_USER: 'alice' };
  return new Promise<{ exitCode: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [mainScript, ...args], { env }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

async function weightOf(address: string): Promise<string | undefined> {
  const line = (await savedTable()).find((entry) => entry.includes(`-r ${address}:8080`));
  return /-w (\d+)/.exec(line ?? '')?.[1];
}
