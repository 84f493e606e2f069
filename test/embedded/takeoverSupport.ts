/**
 * A pair of directors between clients and servers, in network namespaces: the clients are in the
 * namespace of the test. A director that crashes loses its namespace, and with it the kernel's
 * table, as a machine does.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fetchStatus } from '../../src/api/client.js';
import type { StatusDocument } from '../../src/api/statusModel.js';
import {
  createNetworkNamespace,
  type NetworkNamespace,
} from '../../src/kernel/networkNamespace.js';
import { eventually } from './ipvsSupport.js';

const mainScript = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export const virtualAddress = '10.10.0.100';
const insideAddress = '10.20.0.100';
const serverAddresses = ['10.20.0.10', '10.20.0.20'] as const;
const hostNumbers = { lb1: 101, lb2: 102 } as const;

/** The directors; lb1 has the higher priority. */
export type Director = keyof typeof hostNumbers;

/** The address of a client with one of its own. */
export function clientAddress(index: number): string {
  return `10.10.1.${index + 1}`;
}

/** Most clients with an address of their own. */
export const clientAddressesMax = 200;

/** Answers every line with its address; after `stream` it sends something each second as well. */
const serverProgram = `
const { createServer } = require('node:net');
let listening = 0;
for (const address of process.argv.slice(1)) {
  createServer((socket) => {
    let timer;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clearInterval(timer));
    socket.on('data', (data) => {
      socket.write(address + '\\n');
      if (String(data) === 'stream') timer ??= setInterval(() => socket.write('.'), 1000);
    });
  }).listen(8080, address, 512, () => {
    listening += 1;
    if (listening === process.argv.length - 1) console.log('listening');
  });
}`;

/** The lab, while a test runs. */
export class TakeoverLab {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-takeover-'));
  readonly #inside: NetworkNamespace;
  readonly #directors = new Map<Director, { namespace: NetworkNamespace; agent: ChildProcess }>();
  #server: ChildProcess | undefined;

  private constructor(inside: NetworkNamespace) {
    this.#inside = inside;
  }

  static async prepare(context: TestContext): Promise<TakeoverLab> {
    const lab = new TakeoverLab(createNetworkNamespace(uniqueName('inside')));
    context.after(() => lab.#remove());
    ip('link', 'add', 'out', 'type', 'bridge');
    ip('link', 'set', 'out', 'up');
    const own = Array.from({ length: clientAddressesMax }, (_, index) => clientAddress(index));
    const lines = ['10.10.0.1', ...own].map((address) => `address add ${address}/16 dev out`);
    execFileSync('ip', ['-batch', '-'], { input: lines.join('\n') });
    lab.#inside.run(() => {
      ip('link', 'add', 'in', 'type', 'bridge');
      ip('link', 'set', 'in', 'up');
      for (const address of serverAddresses) ip('address', 'add', `${address}/16`, 'dev', 'in');
      ip('route', 'add', 'default', 'via', insideAddress);
    });
    const args = ['-e', serverProgram, ...serverAddresses];
    const server = lab.#inside.spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    lab.#server = server;
    assert.ok(server.stdout);
    // It says so when it listens on both.
    await once(server.stdout, 'data');
    writeFileSync(join(lab.folder, 'key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    return lab;
  }

  /** Starts a machine with nothing in its tables, and its agent. */
  async start(director: Director): Promise<void> {
    const host = hostNumbers[director];
    const namespace = createNetworkNamespace(uniqueName(director));
    const plug = (bridge: 'out' | 'in', device: string, address: string): void => {
      const cable = `${bridge}-${director}`;
      ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', device, 'netns', namespace.name);
      ip('link', 'set', cable, 'master', bridge, 'up');
      namespace.run(() => {
        ip('address', 'add', `${address}/16`, 'dev', device);
        ip('link', 'set', device, 'up');
      });
    };
    plug('out', 'eth0', `10.10.0.${host}`);
    this.#inside.run(() => plug('in', 'eth1', `10.20.0.${host}`));
    const configPath = join(this.folder, `${director}.yaml`);
    writeFileSync(configPath, this.#config(director));
    const args = [mainScript, 'run', '-c', configPath, '--node', director];
    const options: SpawnOptions = { stdio: ['ignore', 'ignore', 'inherit'] };
    const agent = namespace.spawn(process.execPath, args, options);
    this.#directors.set(director, { namespace, agent });
    await this.until(director, 'answers', () => true);
  }

  /** Pulls the cables, ends the agent without a word, and forgets the machine. */
  async crash(director: Director): Promise<void> {
    const found = this.#directors.get(director);
    assert.ok(found);
    ip('link', 'delete', `out-${director}`);
    this.#inside.run(() => ip('link', 'delete', `in-${director}`));
    await end(found.agent);
    found.namespace.remove();
    this.#directors.delete(director);
  }

  /** Waits until the status of a director is as wanted. */
  async until(
    director: Director,
    what: string,
    isWanted: (status: StatusDocument) => boolean,
  ): Promise<StatusDocument> {
    let last: StatusDocument | undefined;
    const agent = this.#directors.get(director)?.agent;
    await eventually(async () => {
      assert.equal(agent?.exitCode, null, `the agent of ${director} ended`);
      last = await fetchStatus(this.#socketPath(director)).catch(() => undefined);
      return last !== undefined && isWanted(last);
    }, `${director} ${what}`).catch((error) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last)?.slice(0, 4_000)}`);
    });
    assert.ok(last);
    return last;
  }

  /** Waits until a director holds all addresses. */
  active(director: Director): Promise<StatusDocument> {
    return this.until(
      director,
      'is Active',
      ({ virtualRouters }) =>
        virtualRouters.length === 2 && virtualRouters.every(({ state }) => state === 'active'),
    );
  }

  #socketPath(director: Director): string {
    return join(this.folder, `${director}.sock`);
  }

  #config(director: Director): string {
    const servers = serverAddresses.map((address) => `{ address: '${address}:8080' }`).join(', ');
    const router = (name: string, vrid: number, device: string, address: string): string =>
      `  - { name: ${name}, vrid: ${vrid}, interface: ${device}, advertInterval: 1s,` +
      ` priority: { lb1: 150, lb2: 100 }, addresses: [${address}/16] }\n`;
    const service = (name: string, port: number, more: string): string =>
      `  - { name: ${name}, listen: 'tcp://${virtualAddress}:${port}', scheduler: rr,` +
      ` forward: nat,${more} servers: [${servers}] }\n`;
    return `cluster: takeover
nodes:
  lb1: { address: 10.10.0.101, interface: eth0 }
  lb2: { address: 10.10.0.102, interface: eth0 }
virtualRouters:
${router('outside', 51, 'eth0', virtualAddress)}${router('inside', 52, 'eth1', insideAddress)}
syncGroups: [{ name: edge, members: [outside, inside] }]
services:
${service('web', 80, '')}${service('shop', 81, ' persistence: { timeout: 5m },')}
system: { manage: true }
peering: { key: { file: ${join(this.folder, 'key')} } }
connectionSync: { mode: relay }
overrides:
  stateFile: ${join(this.folder, `${director}-state.json`)}
  maintenanceFolder: ${join(this.folder, `${director}-maintenance`)}
api: { socket: ${this.#socketPath(director)} }
`;
  }

  async #remove(): Promise<void> {
    for (const director of [...this.#directors.keys()]) await this.crash(director);
    if (this.#server !== undefined) await end(this.#server);
    ip('link', 'delete', 'out');
    this.#inside.remove();
    rmSync(this.folder, { recursive: true });
  }
}

/** A client that holds one connection. */
export class Client {
  /** Pieces that came. */
  pieces = 0;
  ended = false;
  readonly #socket: Socket;
  #text = '';

  constructor(context: TestContext, port: number, localAddress?: string) {
    const from = localAddress === undefined ? {} : { localAddress };
    this.#socket = connect({ host: virtualAddress, port, ...from });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.ended = true;
    });
    this.#socket.on('data', (data) => {
      this.pieces += 1;
      this.#text += String(data);
    });
    context.after(() => void this.#socket.destroy());
  }

  get isConnected(): boolean {
    return !this.#socket.connecting && !this.ended;
  }

  /** The server that answered first. */
  get server(): string | undefined {
    return /^(10\S+)\n/.exec(this.#text)?.[1];
  }

  say(word: string): void {
    this.#socket.write(word);
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const exited = once(process, 'exit');
  process.kill('SIGKILL');
  await exited;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', [...args]);
}

function uniqueName(of: string): string {
  return `tandem-${process.pid}-${of}-${randomBytes(2).toString('hex')}`;
}
