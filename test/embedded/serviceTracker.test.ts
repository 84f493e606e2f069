import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fetchStatus } from '../../src/api/client.js';
import type { StatusDocument } from '../../src/api/statusModel.js';
import { startAgent } from './agentSupport.js';
import { addLocalAddress, eventually, ipvsTest } from './ipvsSupport.js';

const serverAddresses = ['10.66.0.10', '10.66.0.20'] as const;

ipvsTest('a service below its quorum takes priority off its director', async (_, context) => {
  const scene = await prepare(context, 60);
  await scene.waitFor('Active with both servers', ({ virtualRouters: [router], trackers }) => {
    return router?.state === 'active' && trackers[0]?.state === 'passing';
  });
  scene.setHealth(0, 500);
  const failed = await scene.waitFor('one server is too few', ({ trackers }) => {
    return trackers[0]?.state === 'failing';
  });
  assert.equal(failed.trackers[0]?.last?.detail, '1 of 2 servers up, 2 wanted');
  const demoted = await scene.waitFor('the priority is lower', ({ virtualRouters: [router] }) => {
    return router?.priority.effective === 90;
  });
  assert.deepEqual(demoted.virtualRouters[0]?.priority.demotions, [
    { reason: 'service-below-quorum', weight: 60, routers: ['outside'], tracker: 'web' },
  ]);
  scene.setHealth(0, 200);
  await scene.waitFor('the priority is back', ({ virtualRouters: [router] }) => {
    return router?.priority.effective === 150;
  });
});

ipvsTest('without a weight it stops the router until it has servers again', async (_, context) => {
  const scene = await prepare(context, 0);
  await scene.waitFor('Active', ({ virtualRouters: [router] }) => router?.state === 'active');
  for (const index of [0, 1]) scene.setHealth(index, 500);
  const stopped = await scene.waitFor('stopped', ({ virtualRouters: [router] }) => {
    return router?.state === 'initialize';
  });
  assert.equal(stopped.virtualRouters[0]?.reason, 'tracker-failed');
  assert.equal(stopped.virtualRouters[0].faults[0]?.tracker, 'web');
  for (const index of [0, 1]) scene.setHealth(index, 200);
  await scene.waitFor('Active again', ({ virtualRouters: [router] }) => {
    return router?.state === 'active';
  });
});

ipvsTest(
  'a director that reaches no server holds the weights and demotes itself',
  async (_, context) => {
    const scene = await prepare(context, 60);
    await scene.waitFor('Active with both servers', ({ virtualRouters: [router], trackers }) => {
      return router?.state === 'active' && trackers[0]?.state === 'passing';
    });
    const drop = ['INPUT', '-p', 'tcp', '--dport', '8081', '-j', 'DROP'];
    execFileSync('iptables-legacy', ['-A', ...drop]);
    try {
      const lost = await scene.waitFor(
        'the network is lost',
        ({ virtualRouters: [router], threads }) => {
          const reasons = router?.priority.demotions.map(({ reason }) => reason) ?? [];
          const { networkLostUnixMs } = threads.health;
          return networkLostUnixMs !== null && reasons.includes('checks-network-lost');
        },
      );
      const weights = lost.services[0]?.servers.map(({ weight }) => [weight.kernel, weight.reason]);
      assert.deepEqual(
        weights?.map(([kernel]) => kernel),
        [1, 1],
        JSON.stringify(weights),
      );
    } finally {
      execFileSync('iptables-legacy', ['-D', ...drop]);
    }
    await scene.waitFor('all is well again', ({ virtualRouters: [router], threads }) => {
      return router?.priority.effective === 150 && threads.health.networkLostUnixMs === null;
    });
  },
);

interface Scene {
  setHealth(server: number, status: number): void;
  waitFor(what: string, holds: (status: StatusDocument) => boolean): Promise<StatusDocument>;
}

/** A running agent with one router and one service of two servers. */
async function prepare(context: TestContext, weight: number): Promise<Scene> {
  const statuses = await Promise.all(
    serverAddresses.map(async (address) => {
      addLocalAddress(address);
      const health = { status: 200 };
      const server = createServer((_request, response) => response.writeHead(health.status).end());
      server.listen(8081, address);
      await once(server, 'listening');
      context.after(() => server.close());
      return health;
    }),
  );
  ip('link', 'add', 'vr0', 'type', 'veth', 'peer', 'name', 'vr1');
  context.after(() => ip('link', 'delete', 'vr0'));
  for (const name of ['vr0', 'vr1']) ip('link', 'set', name, 'up');
  ip('address', 'add', '10.66.1.1/24', 'dev', 'vr0');
  const folder = mkdtempSync(join(tmpdir(), 'tandem-service-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const configPath = join(folder, 'tandem.yaml');
  const socketPath = join(folder, 'tandem.sock');
  writeFileSync(configPath, configText(socketPath, weight));
  await startAgent(context, configPath, socketPath);
  return {
    setHealth: (server, status) => {
      const health = statuses[server];
      assert.ok(health !== undefined);
      health.status = status;
    },
    waitFor: async (what, holds) => {
      let seen = await fetchStatus(socketPath);
      await eventually(async () => {
        seen = await fetchStatus(socketPath);
        return holds(seen);
      }, what);
      return seen;
    },
  };
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args);
}

function configText(socketPath: string, weight: number): string {
  const servers = serverAddresses.map((address) => `{ address: '${address}:8080' }`).join(', ');
  return `
cluster: quorum
nodes:
  lb1: { address: 10.66.1.1, interface: vr0 }
  lb2: { address: 10.66.1.2, interface: vr0 }
virtualRouters:
  - name: outside
    vrid: 51
    priority: { lb1: 150, lb2: 100 }
    advertInterval: 200ms
    track: [{ tracker: web, weight: ${weight} }]
    addresses: [10.66.1.100/24]
trackers:
  - { name: web, type: service, service: web, minServersUp: 2, weight: 10 }
services:
  - name: web
    listen: tcp://10.66.1.100:80
    forward: nat
    check:
      { type: http, path: /, port: 8081, interval: 200ms, timeout: 200ms, rise: 1, fall: 2 }
    servers: [${servers}]
api: { socket: ${socketPath} }
`;
}
