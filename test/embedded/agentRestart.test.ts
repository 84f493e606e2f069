import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fetchStatus, requestReload } from '../../src/api/client.js';
import type { StatusDocument } from '../../src/api/statusModel.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import type { ServiceIdentity } from '../../src/wire/ipvsModel.js';
import { startAgent } from './agentSupport.js';
import {
  addLocalAddress,
  ask,
  echoServer,
  eventually,
  ipvsadm,
  ipvsTest,
  openConnection,
  savedTable,
} from './ipvsSupport.js';

const service: ServiceIdentity = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.66.0.100'),
  port: 80,
};
const serverAddress = '10.66.0.10';

ipvsTest(
  'an agent that stops and starts again sends nothing, and connections and counters stay',
  async (table, context) => {
    const scene = await prepare(context);
    await ipvsadm('-A', '-t', '10.66.0.77:99', '-s', 'rr');
    const first = await scene.startAgent();
    const connection = await openConnection(context, service);
    assert.equal(await ask(connection, 'before'), `${serverAddress} before`);
    await eventually(
      async () => (await table.services()).some((entry) => entry.statistics.connections === 1n),
      'the kernel counts the connection',
    );
    const before = await savedTable();
    assert.ok(before.includes('-A -t 10.66.0.77:99 -s rr'), before.join('\n'));
    await scene.stopAgent(first);
    assert.deepEqual(await savedTable(), before, 'a polite stop keeps the table');
    assert.equal(await ask(connection, 'between'), `${serverAddress} between`);

    await scene.startAgent();
    await eventually(async () => (await scene.status()).services[0]?.state === 'up', 'checked');
    const status = await scene.status();
    assert.equal(status.ipvs.operationsTotal, 0, 'there was nothing to change');
    assert.equal(status.ipvs.foreignServices, 1);
    assert.equal(status.services[0]?.servers[0]?.connections?.total, 1);
    assert.equal(await ask(connection, 'after'), `${serverAddress} after`);
    assert.deepEqual(await savedTable(), before);
  },
);

ipvsTest(
  'a server that answers 500 gets weight 0, and its weight back later',
  async (_, context) => {
    const scene = await prepare(context);
    await scene.startAgent();
    await eventually(async () => (await scene.status()).services[0]?.state === 'up', 'it is up');
    scene.setHealthStatus(500);
    await eventually(async () => weightOf(await savedTable()) === '0', 'the kernel has weight 0');
    const failed = (await scene.status()).services[0]?.servers[0];
    assert.equal(failed?.weight.reason, 'check-failed');
    assert.equal(failed?.check?.last?.reason, 'unexpected-status');
    scene.setHealthStatus(200);
    await eventually(async () => weightOf(await savedTable()) === '3', 'the weight is back');
  },
);

ipvsTest('a reload with an error changes nothing in the kernel', async (_, context) => {
  const scene = await prepare(context);
  await scene.startAgent();
  const before = await savedTable();
  writeFileSync(scene.configPath, readFileSync(scene.configPath, 'utf8').replace('wrr', 'wwr'));
  await assert.rejects(requestReload(scene.socketPath), {
    code: 'CONFIG_INVALID',
    message: /tandem\.yaml:\d+:\d+ services\[0\]\.scheduler: .*wwr/,
  });
  assert.deepEqual(await savedTable(), before);
  assert.equal((await scene.status()).configuration.lastReload?.ok, false);
});

interface Scene {
  readonly configPath: string;
  readonly socketPath: string;
  setHealthStatus(status: number): void;
  startAgent(): Promise<ChildProcess>;
  stopAgent(agent: ChildProcess): Promise<void>;
  status(): Promise<StatusDocument>;
}

async function prepare(context: TestContext): Promise<Scene> {
  for (const address of ['10.66.0.1', '10.66.0.100', serverAddress]) addLocalAddress(address);
  await echoServer(context, serverAddress, 8080);
  let healthStatus = 200;
  const health = createServer((_request, response) => response.writeHead(healthStatus).end());
  health.listen(8081, serverAddress);
  await once(health, 'listening');
  context.after(() => health.close());
  const folder = mkdtempSync(join(tmpdir(), 'tandem-restart-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const configPath = join(folder, 'tandem.yaml');
  const socketPath = join(folder, 'tandem.sock');
  writeFileSync(configPath, configText(socketPath));
  return {
    configPath,
    socketPath,
    setHealthStatus: (status) => {
      healthStatus = status;
    },
    startAgent: () => startAgent(context, configPath, socketPath),
    stopAgent: async (agent) => {
      const ended = once(agent, 'exit');
      agent.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    },
    status: () => fetchStatus(socketPath),
  };
}

function configText(socketPath: string): string {
  return `
cluster: restart
nodes:
  lb1: { address: 10.66.0.1, interface: lo }
  lb2: { address: 10.66.0.2, interface: lo }
services:
  - name: web
    listen: tcp://10.66.0.100:80
    scheduler: wrr
    forward: nat
    persistence: { timeout: 6m }
    check:
      { type: http, path: /, port: 8081, interval: 200ms, timeout: 200ms, rise: 1, fall: 2 }
    servers:
      - { address: '${serverAddress}:8080', weight: 3 }
api: { socket: ${socketPath} }
`;
}

function weightOf(table: readonly string[]): string | undefined {
  const line = table.find((entry) => entry.startsWith('-a -t 10.66.0.100:80'));
  return /-w (\d+)/.exec(line ?? '')?.[1];
}
