/** Our agent as a director: the real program, as a process in a director's namespace. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchStatus } from '../../src/api/client.js';
import type { StatusDocument } from '../../src/api/statusModel.js';
import { mainScriptPath } from '../../src/drill/packageFolders.js';
import { type DaemonEnd, DaemonProcess } from './daemonProcess.js';
import type { DirectorDaemon, RouterSettings } from './directorDaemon.js';
import {
  type DirectorName,
  directors,
  ipv6NodeAddresses,
  type Lan,
  nodeAddresses,
  peerOf,
} from './lan.js';
import { prefixTexts, routerLayout } from './routerLayout.js';

/** How long a command beside the agent may take, in milliseconds. */
const commandTimeoutMs = 30_000;

/** What a command printed and how it ended. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The files of an agent. */
export interface AgentFiles {
  readonly configPath: string;
  readonly socketPath: string;
  readonly logPath: string;
}

/** Where the files of a node's agent are. */
export function agentFiles(lan: Lan, node: DirectorName): AgentFiles {
  return {
    configPath: join(lan.folder, `${node}.yaml`),
    socketPath: join(lan.folder, `${node}.sock`),
    logPath: join(lan.folder, `${node}-tandem.log`),
  };
}

/** A configuration with the virtual routers of some settings. */
export function agentConfig(lan: Lan, node: DirectorName, settings: RouterSettings): string {
  const peer = peerOf(node);
  return [
    'cluster: lan',
    'nodes:',
    `  ${node}: { address: ${nodeAddresses[node]}, interface: eth0 }`,
    `  ${peer}: { address: ${nodeAddresses[peer]}, interface: eth0 }`,
    'virtualRouters:',
    ...routerLayout(settings).flatMap((router) => [
      `  - name: ${router.name}`,
      `    vrid: ${router.vrid}`,
      `    priority: ${priorityText(node, settings)}`,
      `    advertInterval: ${settings.advertIntervalMs}ms`,
      `    addresses: [${prefixTexts(router).map(plainOrQuoted).join(', ')}]`,
      ...modeLines(settings).map((line) => `    ${line}`),
    ]),
    ...(settings.isSyncGroup === true ? [`syncGroups: [${groupOf(settings)}]`] : []),
    ...extraLines(settings),
    `api: { socket: ${agentFiles(lan, node).socketPath} }`,
    'overrides:',
    `  stateFile: ${join(lan.folder, `${node}-overrides.json`)}`,
    `  maintenanceFolder: ${join(lan.folder, `${node}-maintenance`)}`,
    '',
  ].join('\n');
}

/** In a list between brackets YAML takes an IPv6 address for a mapping unless it is quoted. */
function plainOrQuoted(text: string): string {
  return text.includes(':') ? quoted(text) : text;
}

/** Ours hands over at once when it knows that the peer is higher now. */
function priorityText(node: DirectorName, { priority, load }: RouterSettings): string {
  if (load === undefined) return String(priority);
  return `{ ${node}: ${priority}, ${peerOf(node)}: ${load.peerPriority} }`;
}

function extraLines({ load, bfd }: RouterSettings): readonly string[] {
  return [
    ...(load === undefined ? [] : [`trackers: [{ name: load, type: file, path: "${load.path}" }]`]),
    ...(bfd === true ? ['bfd: [{ name: pair, desiredMinTx: 50ms, multiplier: 3 }]'] : []),
  ];
}

function modeLines(settings: RouterSettings): readonly string[] {
  const { version, password, family = 4, unicast, virtualMac, preempt } = settings;
  const peers = directors.map((name) => quoted(ipv6NodeAddresses[name].linkLocal)).join(', ');
  return [
    ...(version === undefined ? [] : [`version: ${version}`]),
    ...(password === undefined
      ? []
      : [`authentication: { type: simple, password: "${password}" }`]),
    ...(unicast === true ? [`unicast: {${family === 4 ? '' : ipv6Unicast(peers)}}`] : []),
    ...(virtualMac === true ? ['virtualMac: { enabled: true }'] : []),
    ...(preempt === false ? ['preempt: { enabled: false }'] : []),
    ...(settings.load === undefined ? [] : ['track: [load]']),
    ...(settings.bfd === true ? ['bfd: pair'] : []),
  ];
}

/** keepalived 2.2.7 leaves the hop limit of unicast adverts at the kernel's 64. */
function ipv6Unicast(peers: string): string {
  return ` peers: [${peers}], ttl: { min: 64 } `;
}

function groupOf(settings: RouterSettings): string {
  const members = routerLayout(settings).map(({ name }) => name);
  return `{ name: together, members: [${members.join(', ')}] }`;
}

/** A colon at the end of an address would make it a key. */
function quoted(text: string): string {
  return `"${text}"`;
}

/** Runs a command line of `tandem` in a director's namespace until it ends. */
export function runTandem(
  lan: Lan,
  node: DirectorName,
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<CommandResult> {
  const [command = '', ...rest] = [...wrapper, process.execPath, mainScriptPath(), ...args];
  return new Promise((resolve, reject) => {
    const options = {
      timeout: commandTimeoutMs,
      killSignal: 'SIGKILL' as const,
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8' },
    };
    // The fork happens before execFile returns, while this thread is inside.
    lan.namespace(node).run(() =>
      execFile(command, rest, options, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : error.code;
        if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr });
        else reject(new Error(`${args.join(' ')}: ${error?.message}\n${stdout}${stderr}`));
      }),
    );
  });
}

/** A running agent. */
export class TandemDirector implements DirectorDaemon {
  readonly program = 'tandem';
  readonly node: DirectorName;
  readonly files: AgentFiles;
  readonly #lan: Lan;
  readonly #process: DaemonProcess;

  /** Writes the configuration and starts the agent, by a command that becomes it when given. */
  constructor(
    lan: Lan,
    node: DirectorName,
    config: RouterSettings | string,
    environment: Readonly<Record<string, string>> = {},
    wrapper: readonly string[] = [],
  ) {
    this.#lan = lan;
    this.node = node;
    this.files = agentFiles(lan, node);
    this.writeConfig(typeof config === 'string' ? config : agentConfig(lan, node, config));
    const agent = [process.execPath, mainScriptPath(), 'run', ...this.#configArguments];
    const [command = '', ...args] = [...wrapper, ...agent];
    this.#process = new DaemonProcess({
      namespace: lan.namespace(node),
      command,
      args,
      logPath: this.files.logPath,
      environment,
    });
  }

  get #configArguments(): readonly string[] {
    return ['-c', this.files.configPath, '--node', this.node];
  }

  /** Replaces the configuration file. */
  writeConfig(text: string): void {
    writeFileSync(this.files.configPath, text);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  /** The processes that the agent's main thread has started, its guard among them. */
  get children(): readonly number[] {
    if (!this.isRunning) return [];
    const list = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return list
      .split(' ')
      .filter((text) => text !== '')
      .map(Number);
  }

  get logTail(): string {
    return this.#process.logTail;
  }

  get stateChanges(): number {
    return this.#process.log.match(/virtual router \S+ is now /g)?.length ?? 0;
  }

  /** The status that the agent answers with. */
  status(): Promise<StatusDocument> {
    return fetchStatus(this.files.socketPath);
  }

  /** Waits until the status is as wanted. */
  waitForStatus(what: string, isWanted: (status: StatusDocument) => boolean | undefined) {
    return this.#process.waitUntil(what, async () => {
      if (!existsSync(this.files.socketPath)) return undefined;
      const status = await this.status().catch(() => undefined);
      return status !== undefined && isWanted(status) === true ? status : undefined;
    });
  }

  async waitUntilReady(): Promise<void> {
    await this.waitForStatus('the agent takes part in the election', (status) =>
      status.virtualRouters.some((router) => router.state !== 'initialize'),
    );
  }

  /** Waits until the log has a text. */
  async waitForLog(text: string): Promise<void> {
    await this.#process.waitUntil(`${text} in the log`, () => this.#process.log.includes(text));
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  tellToStop(): void {
    this.signal('SIGTERM');
  }

  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.end();
  }

  freeze(): void {
    this.signal('SIGSTOP');
  }

  /**
   * The guard gives the address up, and then comes what systemd does when the agent is killed:
   * `tandem release` is its ExecStopPost.
   */
  async crash(): Promise<void> {
    await this.#process.end('SIGKILL');
    const { exitCode, stderr } = await this.command('release', ...this.#configArguments);
    if (exitCode !== 0) throw new Error(`tandem release: ${stderr}`);
  }

  /** Stops it politely; how that ended. */
  end(): Promise<DaemonEnd> {
    return this.#process.end();
  }

  /** The guard would act in place of the agent, so it must be killed first. */
  async kill(): Promise<void> {
    this.signal('SIGSTOP');
    for (const child of this.children) process.kill(child, 'SIGKILL');
    await this.#process.end('SIGKILL');
  }

  /** Runs a command beside it, in its namespace. */
  command(...args: readonly string[]): Promise<CommandResult> {
    return runTandem(this.#lan, this.node, args);
  }
}
