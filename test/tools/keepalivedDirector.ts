/** Debian's keepalived as a director: VRRP version 3, multicast, all files in the LAN's folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess } from '../../src/drill/labRegistry.js';
import { formatIpPrefix } from '../../src/wire/ipAddress.js';
import { DaemonProcess } from './daemonProcess.js';
import { type DirectorDaemon, type RouterSettings, vrid } from './directorDaemon.js';
import { type DirectorName, type Lan, virtualPrefix } from './lan.js';
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
    writeFileSync(configPath, keepalivedConfig(settings));
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

  async waitUntilReady(): Promise<void> {
    await this.#process.waitUntil('keepalived takes part in the election', () =>
      /Entering (BACKUP|MASTER) STATE/.test(this.#process.log),
    );
  }

  tellToStop(): void {
    this.#process.signal('SIGTERM');
  }

  async stop(): Promise<void> {
    await this.#process.end();
  }

  /** The child stops politely when its parent dies, so it must be killed first. */
  async kill(): Promise<void> {
    const child = Number(readFileSync(this.#childPidPath, 'utf8'));
    const identity = identifyProcess(child);
    // A parent that runs would start another child.
    this.#process.signal('SIGSTOP');
    if (identity !== undefined) process.kill(child, 'SIGKILL');
    await this.#process.end('SIGKILL');
    await waitFor('the end of keepalived', () => identifyProcess(child) === undefined);
  }
}

function keepalivedConfig({ priority, advertIntervalMs }: RouterSettings): string {
  return [
    'global_defs {',
    '  vrrp_version 3',
    '}',
    'vrrp_instance vip {',
    '  interface eth0',
    `  virtual_router_id ${vrid}`,
    `  priority ${priority}`,
    `  advert_int ${advertIntervalMs / 1_000}`,
    '  virtual_ipaddress {',
    `    ${formatIpPrefix(virtualPrefix)}`,
    '  }',
    '}',
    '',
  ].join('\n');
}
