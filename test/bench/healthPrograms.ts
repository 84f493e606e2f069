/** Tandem and keepalived as programs that check the servers of the same services. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchService, CheckingProgram, HealthKind } from './healthModel.js';

/** How the programs check. */
export interface CheckRules {
  readonly kind: HealthKind;
  readonly virtualAddress: string;
  readonly backendPort: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that take a server out. */
  readonly fall: number;
  /** Passes in a row that let it in; keepalived has no such number. */
  readonly rise: number;
}

const logTailMax = 2_000;
const endTimeoutMs = 15_000;
const mainScript = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** A program that runs, with its files in a folder of its own. */
export class CheckedRun {
  readonly program: CheckingProgram;
  /** The API socket of ours. */
  readonly socketPath: string;
  readonly #folder: string;
  readonly #logPath: string;
  readonly #child: ChildProcess;

  constructor(
    program: CheckingProgram,
    services: readonly BenchService[],
    rules: CheckRules,
    lines = '',
  ) {
    this.program = program;
    this.#folder = mkdtempSync(join(tmpdir(), `tandem-bench-${program}-`));
    this.#logPath = join(this.#folder, 'log');
    this.socketPath = join(this.#folder, 'api.sock');
    const config = join(this.#folder, 'config');
    const log = openSync(this.#logPath, 'a');
    const stdio: ['ignore', number, number] = ['ignore', log, log];
    if (program === 'tandem') {
      writeFileSync(config, tandemConfig(this.#folder, services, rules) + lines);
      const args = [mainScript, 'run', '-c', config, '--node', 'lb1'];
      this.#child = spawn(process.execPath, args, { stdio });
    } else {
      writeFileSync(config, keepalivedConfig(services, rules));
      const pid = (name: string): string => join(this.#folder, `${name}.pid`);
      const pids = ['-p', pid('parent'), '-c', pid('checkers')];
      this.#child = spawn('keepalived', ['-C', '-n', '-l', '-f', config, ...pids], { stdio });
    }
    closeSync(log);
  }

  /** Throws, with the end of its log, when it has ended. */
  demandRunning(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) return;
    throw new Error(`${this.program} ended:\n${this.logTail}`);
  }

  /** All that it has logged. */
  get log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  get logTail(): string {
    return this.log.slice(-logTailMax);
  }

  /** The process and its children: keepalived checks in one. */
  get pids(): readonly number[] {
    const { pid } = this.#child;
    if (pid === undefined) return [];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
  }

  /** Ends it politely, after a while by force. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      const insist = setTimeout(() => this.#child.kill('SIGKILL'), endTimeoutMs);
      await ended;
      clearTimeout(insist);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** CPU seconds that processes have used, with their threads. */
export function cpuSecondsOf(pids: readonly number[]): number {
  const ticksPerSecond = 100;
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces; the fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }, 0);
}

/** Resident memory of processes, in MiB. */
export function memoryMegabytesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return sum + Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  }, 0);
}

function tandemConfig(
  folder: string,
  services: readonly BenchService[],
  rules: CheckRules,
): string {
  const { kind, virtualAddress, backendPort, intervalMs, timeoutMs, rise, fall } = rules;
  const probe = kind === 'tcp' ? 'type: tcp' : 'type: http, path: /, expect: { status: 200 }';
  const times = `interval: ${intervalMs}ms, timeout: ${timeoutMs}ms, rise: ${rise}, fall: ${fall}`;
  const check = `{ ${probe}, ${times} }`;
  const texts = services.map(({ port, servers }) => {
    const list = servers.map((address) => `      - { address: '${address}:${backendPort}' }\n`);
    return (
      `  - name: s${port}\n    listen: tcp://${virtualAddress}:${port}\n    scheduler: rr\n` +
      `    forward: nat\n    check: ${check}\n    servers:\n${list.join('')}`
    );
  });
  return (
    'cluster: bench\nnodes:\n  lb1: { address: 127.0.0.1, interface: lo }\n' +
    `  lb2: { address: 127.0.0.2, interface: lo }\nservices:\n${texts.join('')}` +
    `api: { socket: ${folder}/api.sock }\n` +
    `overrides: { stateFile: ${folder}/overrides, maintenanceFolder: ${folder}/maintenance }\n`
  );
}

const httpUrl = 'url {\n        path /\n        status_code 200\n      }';

function keepalivedConfig(services: readonly BenchService[], rules: CheckRules): string {
  const { kind, virtualAddress, backendPort, intervalMs, timeoutMs, fall } = rules;
  const seconds = (ms: number): string => String(ms / 1000);
  const common =
    `connect_timeout ${seconds(timeoutMs)}\n      retry ${fall - 1}\n` +
    `      delay_before_retry ${seconds(intervalMs)}`;
  const check =
    kind === 'tcp'
      ? `TCP_CHECK {\n      ${common}\n    }`
      : `HTTP_GET {\n      ${httpUrl}\n      ${common}\n    }`;
  const texts = services.map(({ port, servers }) => {
    const list = servers.map(
      (address) =>
        `  real_server ${address} ${backendPort} {\n    weight 1\n` +
        `    inhibit_on_failure\n    ${check}\n  }\n`,
    );
    return (
      `virtual_server ${virtualAddress} ${port} {\n  delay_loop ${seconds(intervalMs)}\n` +
      `  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n${list.join('')}}\n`
    );
  });
  return `global_defs {\n  router_id bench\n}\n${texts.join('')}`;
}
