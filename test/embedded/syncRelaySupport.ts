/**
 * Two directors, each in a network namespace of its own, joined by a cable for the peer channel.
 * The first is in the namespace of the test, where its clients and real servers are too.
 */
import assert from 'node:assert/strict';
import {
  type ChildProcess,
  execFile,
  execFileSync,
  type SpawnOptions,
  spawn,
} from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fetchStatus } from '../../src/api/client.js';
import type { RelayStatus, StatusDocument } from '../../src/api/statusModel.js';
import {
  createNetworkNamespace,
  type NetworkNamespace,
} from '../../src/kernel/networkNamespace.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import type { ServiceIdentity } from '../../src/wire/ipvsModel.js';
import { addLocalAddress, echoServer, eventually } from './ipvsSupport.js';

const mainScript = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export type NodeName = 'lb1' | 'lb2';

/** Where the peer channel listens. */
export const peerPort = 8850;

const cableAddresses = { lb1: '10.88.0.1', lb2: '10.88.0.2' } as const;
/** The same cable in IPv6. */
export const cableAddresses6 = { lb1: 'fd00:88::1', lb2: 'fd00:88::2' } as const;
export const servers = ['10.77.0.10', '10.77.0.20'] as const;

/** The service with and the one without persistence. */
export const plainService: ServiceIdentity = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.77.0.100'),
  port: 80,
};
export const persistentService: ServiceIdentity = { ...plainService, port: 81 };

/** Both directors and the cable between them. */
export class RelayScene {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-sync-'));
  readonly #other: NetworkNamespace;
  readonly #agents = new Map<NodeName, ChildProcess>();

  private constructor(other: NetworkNamespace) {
    this.#other = other;
  }

  /** Makes the second namespace, the cable, the addresses and the real servers. */
  static async prepare(context: Pick<TestContext, 'after'>): Promise<RelayScene> {
    const name = `tandem-sync-${process.pid}-${randomBytes(2).toString('hex')}`;
    const scene = new RelayScene(createNetworkNamespace(name));
    context.after(() => scene.#remove());
    const ip = (...args: readonly string[]): void => void execFileSync('ip', [...args]);
    ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', name);
    ip('address', 'add', `${cableAddresses.lb1}/24`, 'dev', 'cable');
    ip('address', 'add', `${cableAddresses6.lb1}/64`, 'dev', 'cable', 'nodad');
    ip('link', 'set', 'cable', 'up');
    scene.#other.run(() => {
      ip('link', 'set', 'lo', 'up');
      ip('address', 'add', `${cableAddresses.lb2}/24`, 'dev', 'cable');
      ip('address', 'add', `${cableAddresses6.lb2}/64`, 'dev', 'cable', 'nodad');
      ip('link', 'set', 'cable', 'up');
      for (const address of ['10.77.0.100', ...servers]) addLocalAddress(address);
    });
    for (const address of ['10.77.0.100', '10.77.0.200', ...servers]) addLocalAddress(address);
    for (const address of servers) await echoServer(context, address, 8080);
    const key = `${randomBytes(32).toString('hex')}\n`;
    for (const node of ['lb1', 'lb2'] as const) {
      scene.writeKey(node, key);
      scene.writeConfig(node);
    }
    return scene;
  }

  configPath(node: NodeName): string {
    return join(this.folder, `${node}.yaml`);
  }

  socketPath(node: NodeName): string {
    return join(this.folder, `${node}.sock`);
  }

  writeKey(node: NodeName, key: string): void {
    writeFileSync(join(this.folder, `${node}.key`), key, { mode: 0o600 });
  }

  writeConfig(node: NodeName, change: (text: string) => string = (text) => text): void {
    const list = servers.map((address) => `{ address: '${address}:8080' }`).join(', ');
    const service = (name: string, port: number, more: string): string =>
      `  - { name: ${name}, listen: 'tcp://10.77.0.100:${port}', scheduler: rr, forward: nat,` +
      `${more} servers: [${list}] }\n`;
    const text = `cluster: relay
nodes:
  lb1: { address: ${cableAddresses.lb1}, interface: cable }
  lb2: { address: ${cableAddresses.lb2}, interface: cable }
services:
${service('web', 80, '')}${service('shop', 81, ' persistence: { timeout: 5m },')}
peering: { key: { file: ${join(this.folder, `${node}.key`)} } }
connectionSync: { mode: relay }
overrides:
  stateFile: ${join(this.folder, `${node}-state.json`)}
  maintenanceFolder: ${join(this.folder, `${node}-maintenance`)}
api: { socket: ${this.socketPath(node)} }
`;
    writeFileSync(this.configPath(node), change(text));
  }

  /** Where the namespace of the second director is. */
  get otherPath(): string {
    return this.#other.path;
  }

  /** Starts an agent and waits until it answers. */
  async start(node: NodeName): Promise<void> {
    const args = [mainScript, 'run', '-c', this.configPath(node), '--node', node];
    const options: SpawnOptions = { stdio: ['ignore', 'ignore', 'inherit'] };
    const agent =
      node === 'lb1'
        ? spawn(process.execPath, args, options)
        : this.#other.spawn(process.execPath, args, options);
    this.#agents.set(node, agent);
    await eventually(async () => {
      assert.equal(agent.exitCode, null, `the agent of ${node} ended`);
      return fetchStatus(this.socketPath(node)).then(
        () => true,
        () => false,
      );
    }, `the agent of ${node} answers`);
  }

  /** Ends an agent with a signal. */
  async end(node: NodeName, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const agent = this.#agents.get(node);
    if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
    const ended = once(agent, 'exit');
    agent.kill(signal);
    await ended;
  }

  /** The process of a running agent. */
  processId(node: NodeName): number {
    return this.#agents.get(node)?.pid ?? 0;
  }

  status(node: NodeName): Promise<StatusDocument> {
    return fetchStatus(this.socketPath(node));
  }

  /** Waits until the relay of a director is as wanted. */
  async relayOf(
    node: NodeName,
    what: string,
    isWanted: (relay: RelayStatus) => boolean = () => true,
    intervalMs?: number,
  ): Promise<RelayStatus> {
    let last: RelayStatus | undefined;
    try {
      await eventually(
        async () => {
          last = (await this.status(node)).connectionSync.relay;
          return last !== undefined && isWanted(last);
        },
        `${node}: ${what}`,
        intervalMs,
      );
    } catch (error) {
      throw new Error(`${String(error)}; last: ${JSON.stringify(last)}`);
    }
    if (last === undefined) throw new Error('no relay');
    return last;
  }

  /** Waits until both agree. */
  async inSync(): Promise<void> {
    for (const node of ['lb1', 'lb2'] as const) {
      await this.relayOf(node, 'in sync', ({ inSync }) => inSync);
    }
  }

  /** The kernel's connections of a director, without heading and without what is left of them. */
  connections(node: NodeName): readonly string[] {
    const read = (): string => readFileSync('/proc/thread-self/net/ip_vs_conn', 'latin1');
    const text = node === 'lb1' ? read() : this.#other.run(read);
    return text
      .split('\n')
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => line.trim().split(/\s+/).slice(0, 8).join(' '))
      .toSorted();
  }

  /** Runs something in the namespace of the second director. */
  onOther<Result>(work: () => Result): Result {
    return this.#other.run(work);
  }

  /** Runs a command of Tandem against an agent. */
  command(node: NodeName, ...args: readonly string[]) {
    const all = [mainScript, ...args, '--socket', this.socketPath(node)];
    return new Promise<{ exitCode: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, all, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr });
      });
    });
  }

  async #remove(): Promise<void> {
    for (const node of ['lb1', 'lb2'] as const) await this.end(node);
    execFileSync('ip', ['link', 'delete', 'cable']);
    this.#other.remove();
    rmSync(this.folder, { recursive: true });
  }
}
