/** Debian's keepalived as a director, with all its files in the LAN's folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess } from '../../src/drill/labRegistry.js';
import { DaemonProcess } from './daemonProcess.js';
import type { DirectorDaemon, RouterSettings } from './directorDaemon.js';
import { type DirectorName, ipv6NodeAddresses, type Lan, nodeAddresses, peerOf } from './lan.js';
import { prefixTexts, routerLayout } from './routerLayout.js';
import { waitFor } from './waiting.js';

/** Distinguishes the files of one daemon after the other on a node. */
let started = 0;

/** A running keepalived: its parent process and the child that elects. */
export class KeepalivedDirector implements DirectorDaemon {
  readonly program = 'keepalived';
  readonly node: DirectorName;
  readonly #process: DaemonProcess;
  readonly #childPidPath: string;

  /** Writes the configuration and starts it. */
  constructor(lan: Lan, node: DirectorName, settings: RouterSettings) {
    this.node = node;
    started += 1;
    const file = (end: string): string => join(lan.folder, `${node}-keepalived-${started}.${end}`);
    const configPath = file('conf');
    this.#childPidPath = file('vrrp.pid');
    writeFileSync(configPath, keepalivedConfig(node, settings));
    // -P: the election only; -n: no fork; -l: log to the terminal; the rest keeps out of /run.
    const pidFiles = ['-p', file('pid'), '-r', this.#childPidPath];
    this.#process = new DaemonProcess({
      namespace: lan.namespace(node),
      command: 'keepalived',
      args: ['-P', '-n', '-l', '-f', configPath, ...pidFiles],
      logPath: file('log'),
    });
  }

  get logTail(): string {
    return this.#process.logTail;
  }

  get stateChanges(): number {
    return this.#process.log.match(/Entering (BACKUP|MASTER|FAULT) STATE/g)?.length ?? 0;
  }

  async waitUntilReady(): Promise<void> {
    await this.#process.waitUntil('keepalived takes part in the election', () =>
      /Entering (BACKUP|MASTER) STATE/.test(this.#process.log),
    );
  }

  tellToStop(): void {
    this.#process.signal('SIGTERM');
  }

  async stop(): Promise<void> {
    this.#signalBoth('SIGCONT');
    await this.#process.end();
  }

  freeze(): void {
    this.#signalBoth('SIGSTOP');
  }

  /** The kernel tells the child that its parent has died (PDEATHSIG), and the child cleans up. */
  async crash(): Promise<void> {
    const child = this.#childPid;
    await this.#process.end('SIGKILL');
    await waitFor('the end of keepalived', () => identifyProcess(child) === undefined);
  }

  get #childPid(): number {
    return Number(readFileSync(this.#childPidPath, 'utf8'));
  }

  #signalBoth(signal: NodeJS.Signals): void {
    const child = this.#process.isRunning ? this.#childPid : 0;
    if (child > 0 && identifyProcess(child) !== undefined) process.kill(child, signal);
    this.#process.signal(signal);
  }

  /** The child stops politely when its parent dies, so it must be killed first. */
  async kill(): Promise<void> {
    const child = this.#childPid;
    const identity = identifyProcess(child);
    // A parent that runs would start another child.
    this.#process.signal('SIGSTOP');
    if (identity !== undefined) process.kill(child, 'SIGKILL');
    await this.#process.end('SIGKILL');
    await waitFor('the end of keepalived', () => identifyProcess(child) === undefined);
  }
}

function keepalivedConfig(node: DirectorName, settings: RouterSettings): string {
  const routers = routerLayout(settings);
  return [
    'global_defs {',
    `  vrrp_version ${settings.version ?? 3}`,
    // The priority that ours has. Left at 10 ms, its limit has the kernel kill it when it adds 250
    // addresses.
    ...(settings.realtime === true
      ? ['  vrrp_rt_priority 10', '  vrrp_rlimit_rttime 5000000']
      : []),
    '}',
    ...(settings.load === undefined
      ? []
      : ['vrrp_track_file load {', `  file ${settings.load.path}`, '}']),
    ...routers.flatMap((router) => [
      `vrrp_instance ${router.name} {`,
      '  interface eth0',
      '  state BACKUP',
      `  virtual_router_id ${router.vrid}`,
      `  priority ${settings.priority}`,
      `  advert_int ${settings.advertIntervalMs / 1_000}`,
      ...modeLines(node, settings).map((line) => `  ${line}`),
      '  virtual_ipaddress {',
      ...prefixTexts(router).map((text) => `    ${text}`),
      '  }',
      '}',
    ]),
    ...(settings.isSyncGroup === true
      ? ['vrrp_sync_group together {', '  group {', ...routers.map(({ name }) => name), '  }', '}']
      : []),
    '',
  ].join('\n');
}

function modeLines(node: DirectorName, settings: RouterSettings): readonly string[] {
  const { password, family = 4, unicast = false, virtualMac = false, preempt = true } = settings;
  const addressOf = (name: DirectorName) =>
    family === 4 ? nodeAddresses[name] : ipv6NodeAddresses[name].linkLocal;
  return [
    ...(password === undefined
      ? []
      : ['authentication {', 'auth_type PASS', `auth_pass ${password}`, '}']),
    ...(settings.authenticationHeader === true
      ? ['authentication {', 'auth_type AH', 'auth_pass s3cret', '}']
      : []),
    ...(unicast
      ? [`unicast_src_ip ${addressOf(node)}`, 'unicast_peer {', addressOf(peerOf(node)), '}']
      : []),
    ...(virtualMac ? ['use_vmac'] : []),
    ...(preempt ? [] : ['nopreempt']),
    ...(settings.load === undefined ? [] : ['track_file {', 'load weight -1', '}']),
  ];
}
