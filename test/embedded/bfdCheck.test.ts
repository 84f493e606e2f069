/** The bfd check from end to end: keepalived's BFD on the server, and the weight in the kernel. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchStatus } from '../../src/api/client.js';
import type { ServerStatus } from '../../src/api/statusModel.js';
import { vethPair } from '../kernel/support/vethPair.js';
import { startKeepalivedBfd } from '../tools/keepalivedBfd.js';
import { startAgent } from './agentSupport.js';
import { eventually, ipvsTest } from './ipvsSupport.js';

ipvsTest('a server is out as soon as its BFD session is down, and back with it', async (_, t) => {
  const { left, right } = vethPair(t);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bfd-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'tandem.sock');
  const configPath = join(folder, 'tandem.yaml');
  writeFileSync(configPath, configText(folder, left.address, right.address));
  const keepalived = startKeepalivedBfd({
    namespace: right.namespace,
    folder,
    neighbour: left.address,
    source: right.address,
    multiplier: 5,
  });
  t.after(() => keepalived.end('SIGKILL'));
  // The file is a process of its own, which stays in here; the agent starts here too.
  left.namespace.enter();
  await startAgent(t, configPath, socketPath);
  const waitFor = async (what: string, holds: (server: ServerStatus) => boolean) => {
    let seen: ServerStatus | undefined;
    await eventually(async () => {
      [seen] = (await fetchStatus(socketPath)).services[0]?.servers ?? [];
      return seen !== undefined && holds(seen);
    }, what);
    assert.ok(seen !== undefined);
    return seen;
  };
  const isUp = ({ operational, weight }: ServerStatus) =>
    operational === 'up' && weight.kernel === 3;
  await waitFor('the session is up, and so is the server', isUp);
  const sessionProcess = Number(readFileSync(join(folder, 'keepalived-bfd.bfd.pid'), 'utf8'));
  for (let round = 0; round < 2; round += 1) {
    process.kill(sessionProcess, 'SIGSTOP');
    const down = await waitFor('the server is out', ({ weight }) => weight.kernel === 0);
    assert.deepEqual(
      [down.operational, down.weight.reason, down.check?.last?.reason],
      ['down', 'check-failed', 'session-down'],
    );
    assert.match(down.check?.last?.detail ?? '', /session with 192\.0\.2\.2 is down/);
    process.kill(sessionProcess, 'SIGCONT');
    await waitFor('the server is back', isUp);
  }
});

function configText(folder: string, own: string, server: string): string {
  return `
cluster: bfd
nodes:
  lb1: { address: ${own}, interface: eth0 }
  lb2: { address: 192.0.2.9, interface: eth0 }
bfd:
  - { name: web1, peer: ${server}, desiredMinTx: 50ms, requiredMinRx: 60ms }
services:
  - name: web
    listen: tcp://192.0.2.100:80
    forward: nat
    check: { type: bfd }
    health: { startDown: true }
    servers: [{ address: '${server}:80', weight: 3 }]
api: { socket: ${folder}/tandem.sock }
overrides: { stateFile: ${folder}/overrides.json, maintenanceFolder: ${folder}/maintenance }
`;
}
