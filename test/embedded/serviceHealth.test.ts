import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fetchStatus, requestOverride } from '../../src/api/client.js';
import type { ServerStatus, ServiceStatus } from '../../src/api/statusModel.js';
import type { IpvsTable } from '../../src/kernel/ipvsTable.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { startAgent } from './agentSupport.js';
import { addLocalAddress, eventually, ipvsTest, openConnection } from './ipvsSupport.js';

const addresses = ['10.66.0.10', '10.66.0.20', '10.66.0.30'] as const;
const sorryAddress = '10.66.0.99';
const listener = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.66.0.100'),
  port: 80,
} as const;

ipvsTest(
  'agents drain, limit and maintain their servers; a lost quorum calls a hook and says sorry',
  async (table, context) => {
    const scene = await prepare(context);
    await scene.waitFor('up', ({ state, quorum }) => state === 'up' && quorum?.count === 3);
    scene.say(0, 'maxconn:7 50%');
    await scene.waitFor('half of the weight', ({ servers: [first] }) => isOf(first, 5));
    const [limited] = await kernelServers(table, 0);
    assert.deepEqual([limited?.weight, limited?.upperThreshold], [5, 7]);

    scene.say(0, 'maint');
    const maintained = await scene.waitFor('out', ({ servers: [first] }) => isOf(first, 0));
    assert.equal(maintained.servers[0]?.operational, 'down');
    assert.equal(maintained.servers[0]?.check?.last?.reason, 'reported-maintenance');
    assert.deepEqual([maintained.quorum?.state, maintained.quorum?.count], ['met', 2]);

    await requestOverride(scene.socketPath, {
      action: 'drain',
      server: `web/${addresses[1]}:8080`,
      all: false,
      user: 'test',
      reason: 'a trial',
    });
    const lost = await scene.waitFor(
      'below quorum',
      ({ sorryServer }) => sorryServer?.inUse === true,
    );
    assert.equal(lost.quorum?.state, 'lost');
    const shown = lost.servers.map(({ admin, operational, weight }) => [
      admin,
      operational,
      weight.desired,
      weight.reason,
    ]);
    assert.deepEqual(shown, [
      ['enabled', 'down', 0, 'asked-by-server'],
      ['drained', 'up', 0, 'drained'],
      ['enabled', 'up', 0, 'below-quorum'],
    ]);
    await eventually(async () => scene.hookSaid().includes('web quorum-lost 1'), 'the hook ran');

    scene.say(0, 'ready up 100%');
    const met = await scene.waitFor('met again', ({ quorum }) => quorum?.state === 'met');
    assert.equal(met.sorryServer?.inUse, false);
    await eventually(async () => scene.hookSaid().includes('web quorum-met 2'), 'it ran again');
    assert.ok(scene.hookSaid().indexOf('lost') < scene.hookSaid().indexOf('met'));
  },
);

ipvsTest('connections without an answer have a server checked at once', async (_, context) => {
  const scene = await prepare(context, 'interval: 60s');
  await scene.waitFor('up', ({ state }) => state === 'up');
  await scene.silence();
  // The next check is a minute away; clients get no answer from a server that went meanwhile.
  await eventually(async () => {
    for (let each = 0; each < 6; each += 1) void openConnection(context, listener).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { threads } = await fetchStatus(scene.socketPath);
    return threads.health.hints > 0;
  }, 'a hint');
  await scene.waitFor('down long before its next check', ({ state }) => state === 'down');
});

interface Scene {
  readonly socketPath: string;
  /** What the agent of a server says from now on. */
  say(server: number, line: string): void;
  hookSaid(): string;
  /** All agents and servers stop to listen. */
  silence(): Promise<void>;
  waitFor(what: string, holds: (service: ServiceStatus) => boolean): Promise<ServiceStatus>;
}

async function prepare(context: TestContext, timing = 'interval: 200ms'): Promise<Scene> {
  for (const address of ['10.66.0.1', '10.66.0.100', sorryAddress]) addLocalAddress(address);
  const lines: string[] = addresses.map(() => 'up ready 100%');
  const servers: Server[] = [];
  for (const [index, address] of addresses.entries()) {
    addLocalAddress(address);
    const agent = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`${lines[index]}\n`);
    });
    agent.listen(9000, address);
    await once(agent, 'listening');
    servers.push(agent);
    context.after(() => agent.close());
  }
  const folder = mkdtempSync(join(tmpdir(), 'tandem-health-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'tandem.sock');
  const hookFile = join(folder, 'hook.log');
  const hook = join(folder, 'hook.sh');
  const words = '$TANDEM_NAME $TANDEM_STATE $TANDEM_QUORUM_COUNT';
  writeFileSync(hook, `#!/bin/sh\necho "${words}" >> ${hookFile}\n`, { mode: 0o700 });
  const configPath = join(folder, 'tandem.yaml');
  writeFileSync(configPath, configText(folder, hook, timing));
  await startAgent(context, configPath, socketPath);
  return {
    socketPath,
    say: (server, line) => {
      lines[server] = line;
    },
    hookSaid: () => (existsSync(hookFile) ? readFileSync(hookFile, 'utf8') : ''),
    silence: async () => {
      for (const server of servers) server.close();
    },
    waitFor: async (what, holds) => {
      let seen: ServiceStatus | undefined;
      await eventually(async () => {
        [seen] = (await fetchStatus(socketPath)).services;
        return seen !== undefined && holds(seen);
      }, what);
      assert.ok(seen !== undefined);
      return seen;
    },
  };
}

function isOf(server: ServerStatus | undefined, weight: number): boolean {
  return server?.weight.kernel === weight && server.weight.reason === 'asked-by-server';
}

async function kernelServers(table: IpvsTable, index: number) {
  const servers = await table.servers(listener);
  return servers.filter(({ address }) => address === addresses[index]);
}

function configText(folder: string, hook: string, timing: string): string {
  const servers = addresses.map((address) => `{ address: '${address}:8080', weight: 10 }`);
  return `
cluster: health
nodes:
  lb1: { address: 10.66.0.1, interface: lo }
  lb2: { address: 10.66.0.2, interface: lo }
hooks:
  - { name: tell, services: [web], on: [quorum-met, quorum-lost], command: [${hook}] }
services:
  - name: web
    listen: tcp://10.66.0.100:80
    forward: nat
    check: { type: agent, port: 9000, ${timing}, timeout: 200ms, whenSilent: fail }
    health:
      quorum: { min: 2, whenLost: sorry-server }
      passiveHints: { interval: 300ms, connections: 2 }
    sorryServer: { address: '${sorryAddress}:80' }
    servers: [${servers.join(', ')}]
api: { socket: ${socketPathOf(folder)} }
overrides: { stateFile: ${folder}/overrides.json, maintenanceFolder: ${folder}/maintenance }
`;
}

function socketPathOf(folder: string): string {
  return join(folder, 'tandem.sock');
}
