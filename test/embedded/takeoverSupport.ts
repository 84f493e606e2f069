/**
 * A pair of directors between clients and servers, in network namespaces: the clients are in the
 * namespace of the test. A director that crashes loses its namespace, and with it the kernel's
 * table, as a machine does. Some servers are behind address translation, others answer directly.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { eventually } from './ipvsSupport.js';
import { clientAddress, clientAddressesMax } from './takeoverClients.js';
import {
  type Director,
  directServers,
  insideAddress,
  keepalivedConfig,
  ports,
  tandemConfig,
  translatedPort,
  translatedServers,
  virtualAddress,
} from './takeoverConfigs.js';

const mainScript = fileURLToPath(new URL('../../src/main.js', import.meta.url));

const hostNumbers = { lb1: 101, lb2: 102 } as const satisfies Record<Director, number>;

/** The program of the directors. */
export type DirectorProgram = 'tandem' | 'keepalived';

/** Its arguments are `NAME ADDRESS PORT` of each place where it listens. It answers every word
 * with the name; after `stream` it sends something each second as well. */
const serverProgram = `
const { createServer } = require('node:net');
const args = process.argv.slice(1);
let waiting = args.length / 3;
while (args.length > 0) {
  const [name, address, port] = args.splice(0, 3);
  createServer((socket) => {
    let timer;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clearInterval(timer));
    socket.on('data', (data) => {
      socket.write(name + '\\n');
      if (String(data) === 'stream') timer ??= setInterval(() => socket.write('.'), 1000);
    });
  }).listen(Number(port), address, 512, () => {
    waiting -= 1;
    if (waiting === 0) console.log('listening');
  });
}`;

interface Machine {
  readonly program: DirectorProgram;
  readonly namespace: NetworkNamespace;
  readonly agent: ChildProcess;
}

/** The lab, while a test runs. */
export class TakeoverLab {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-takeover-'));
  readonly #inside: NetworkNamespace;
  readonly #direct: NetworkNamespace[] = [];
  readonly #witnesses: { readonly name: string; readonly namespace: NetworkNamespace }[] = [];
  readonly #machines = new Map<Director, Machine>();
  readonly #servers: ChildProcess[] = [];

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
      for (const address of translatedServers) ip('address', 'add', `${address}/16`, 'dev', 'in');
      ip('route', 'add', 'default', 'via', insideAddress);
    });
    await lab.#serve(
      lab.#inside,
      translatedServers.map((address) => [address, address, translatedPort]),
    );
    for (const address of directServers) await lab.#addDirectServer(address);
    writeFileSync(join(lab.folder, 'key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    return lab;
  }

  /**
   * Starts a machine with nothing in its tables, and the program of a director on it. `change` is
   * for a configuration of Tandem that differs.
   */
  async start(
    director: Director,
    program: DirectorProgram = 'tandem',
    change: (config: string) => string = (config) => config,
  ): Promise<void> {
    const host = hostNumbers[director];
    const namespace = createNetworkNamespace(uniqueName(director));
    plug('out', director, namespace, 'eth0', `10.10.0.${host}/16`);
    this.#inside.run(() => plug('in', director, namespace, 'eth1', `10.20.0.${host}/16`));
    const agent =
      program === 'tandem'
        ? this.#startTandem(director, namespace, change)
        : this.#startKeepalived(director, namespace);
    this.#machines.set(director, { program, namespace, agent });
    if (program === 'tandem') await this.until(director, 'answers', () => true);
    else await this.#untilKernel(director, 'has its services', /:83 rr/, '-Ln');
  }

  /**
   * Ends a machine. Without power its cables are dead before its program is, so nobody is told;
   * where the program is killed first, the kernel closes its connections.
   */
  async crash(director: Director, what: 'power' | 'program' = 'power'): Promise<void> {
    const { namespace, agent } = this.#machine(director);
    if (what === 'program') await end(agent);
    ip('link', 'delete', `out-${director}`);
    this.#inside.run(() => ip('link', 'delete', `in-${director}`));
    await end(agent);
    namespace.remove();
    this.#machines.delete(director);
  }

  /** Waits until the status of a director is as wanted. */
  async until(
    director: Director,
    what: string,
    isWanted: (status: StatusDocument) => boolean,
  ): Promise<StatusDocument> {
    let last: StatusDocument | undefined;
    const { agent } = this.#machine(director);
    await eventually(async () => {
      assert.equal(agent.exitCode, null, `the agent of ${director} ended`);
      last = await fetchStatus(this.socketPath(director)).catch(() => undefined);
      return last !== undefined && isWanted(last);
    }, `${director} ${what}`).catch((error) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last)?.slice(0, 4_000)}`);
    });
    assert.ok(last);
    return last;
  }

  /** Waits until a director holds all addresses. */
  async active(director: Director): Promise<StatusDocument | undefined> {
    if (this.#machine(director).program === 'tandem') {
      return this.until(
        director,
        'is Active',
        ({ virtualRouters }) =>
          virtualRouters.length === 2 && virtualRouters.every(({ state }) => state === 'active'),
      );
    }
    await this.#untilKernel(
      director,
      'tells its connections',
      /master sync daemon/,
      '-L',
      '--daemon',
    );
    return undefined;
  }

  /** Waits until the kernel of a director listens to the other one's connections. */
  listens(director: Director, as = /backup sync daemon/): Promise<void> {
    return this.#untilKernel(director, 'listens', as, '-L', '--daemon');
  }

  /** Established connections in a director's kernel. */
  established(director: Director): number {
    const { namespace } = this.#machine(director);
    const text = namespace.run(() => execFileSync('ipvsadm', ['-Lnc'], { encoding: 'utf8' }));
    return text.split('\n').filter((line) => line.includes(' ESTABLISHED ')).length;
  }

  /** The connections of a director's kernel, as its own file has them. */
  connectionsOf(director: Director): string {
    return connectionsIn(this.#machine(director).namespace);
  }

  /** Plugs one more machine into the network of the clients; it goes with the lab. */
  addWitness(name: string, prefix: string): NetworkNamespace {
    const namespace = createNetworkNamespace(uniqueName(name));
    this.#witnesses.push({ name, namespace });
    plug('out', name, namespace, 'eth0', prefix);
    return namespace;
  }

  /** What a command of Tandem against an agent says, and how it ends. */
  command(
    director: Director,
    ...args: readonly string[]
  ): Promise<{ exitCode: unknown; output: string }> {
    const all = [mainScript, ...args, '--socket', this.socketPath(director)];
    return new Promise((resolve) => {
      execFile(process.execPath, all, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : error.code, output: `${stdout}${stderr}` });
      });
    });
  }

  configPath(director: Director): string {
    return join(this.folder, `${director}.yaml`);
  }

  socketPath(director: Director): string {
    return join(this.folder, `${director}.sock`);
  }

  #startTandem(
    director: Director,
    namespace: NetworkNamespace,
    change: (config: string) => string,
  ): ChildProcess {
    const config = tandemConfig({
      key: join(this.folder, 'key'),
      socket: this.socketPath(director),
      state: join(this.folder, `${director}-state.json`),
      maintenance: join(this.folder, `${director}-maintenance`),
    });
    const path = this.configPath(director);
    writeFileSync(path, change(config));
    const args = [mainScript, 'run', '-c', path, '--node', director];
    return namespace.spawn(process.execPath, args, quiet);
  }

  #startKeepalived(director: Director, namespace: NetworkNamespace): ChildProcess {
    const file = (ending: string): string => join(this.folder, `${director}.${ending}`);
    writeFileSync(file('conf'), keepalivedConfig(director));
    namespace.run(() => writeSysctl('net.ipv4.ip_forward', 1));
    // -n: no fork; -l: log to the terminal; the rest keeps out of /run.
    const pids = ['-p', file('pid'), '-r', file('vrrp.pid'), '-c', file('checkers.pid')];
    const args = ['-n', '-l', '-f', file('conf'), ...pids];
    return namespace.spawn('keepalived', args, { stdio: ['ignore', 'ignore', 'ignore'] });
  }

  async #addDirectServer(address: string): Promise<void> {
    const name = `rs${this.#direct.length}`;
    const namespace = createNetworkNamespace(uniqueName(name));
    this.#direct.push(namespace);
    plug('out', name, namespace, 'eth0', `${address}/16`);
    namespace.run(() => {
      // The virtual address is here too, and nobody may learn that by ARP.
      writeSysctl('net.ipv4.conf.all.arp_ignore', 1);
      writeSysctl('net.ipv4.conf.all.arp_announce', 2);
      ip('address', 'add', `${virtualAddress}/32`, 'dev', 'lo');
    });
    const places = Object.values(ports.dr).map((port) => [address, virtualAddress, port] as const);
    await this.#serve(namespace, places);
  }

  /** Runs servers, and waits until all of them listen. */
  async #serve(
    namespace: NetworkNamespace,
    places: readonly (readonly [name: string, address: string, port: number])[],
  ): Promise<void> {
    const args = ['-e', serverProgram, ...places.flat().map(String)];
    const server = namespace.spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#servers.push(server);
    assert.ok(server.stdout);
    await once(server.stdout, 'data');
  }

  #untilKernel(
    director: Director,
    what: string,
    wanted: RegExp,
    ...listing: readonly string[]
  ): Promise<void> {
    const { namespace, agent } = this.#machine(director);
    return eventually(async () => {
      assert.equal(agent.exitCode, null, `the program of ${director} ended`);
      const list = (): string => execFileSync('ipvsadm', [...listing], { encoding: 'utf8' });
      return wanted.test(namespace.run(list));
    }, `${director} ${what}`);
  }

  #machine(director: Director): Machine {
    const machine = this.#machines.get(director);
    assert.ok(machine, `${director} runs`);
    return machine;
  }

  async #remove(): Promise<void> {
    for (const director of [...this.#machines.keys()]) await this.crash(director);
    for (const server of this.#servers) await end(server);
    // A namespace ends some time after it is removed, and its cables with it.
    for (const index of this.#direct.keys()) ip('link', 'delete', `out-rs${index}`);
    for (const { name, namespace } of this.#witnesses) {
      ip('link', 'delete', `out-${name}`);
      namespace.remove();
    }
    ip('link', 'delete', 'out');
    for (const namespace of [this.#inside, ...this.#direct]) namespace.remove();
    rmSync(this.folder, { recursive: true });
  }
}

const quiet: SpawnOptions = { stdio: ['ignore', 'ignore', 'inherit'] };

/** A cable from a bridge of the calling thread's namespace to a new device of a machine. */
function plug(
  bridge: 'out' | 'in',
  machine: string,
  namespace: NetworkNamespace,
  device: string,
  prefix: string,
): void {
  const cable = `${bridge}-${machine}`;
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', device, 'netns', namespace.name);
  ip('link', 'set', cable, 'master', bridge, 'up');
  namespace.run(() => {
    ip('address', 'add', prefix, 'dev', device);
    ip('link', 'set', device, 'up');
  });
}

/** The connections of the kernel in a namespace. */
export function connectionsIn(namespace: NetworkNamespace): string {
  return namespace.run(() => readFileSync('/proc/thread-self/net/ip_vs_conn', 'latin1'));
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
