/** Measures the programs that load, list and keep an IPVS table, one after the other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { fetchStatus } from '../../src/api/client.js';
import { readConfigFile } from '../../src/config/read.js';
import { TandemError } from '../../src/errors.js';
import { desiredTable } from '../../src/ipvs/desired.js';
import { diffTables } from '../../src/ipvs/diff.js';
import type { ListedTableService } from '../../src/ipvs/table.js';
import type { IpvsTable } from '../../src/kernel/ipvsTable.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import type { ServiceIdentity } from '../../src/wire/ipvsModel.js';
import type { IpvsFigure, IpvsProgram, IpvsResult, IpvsTask } from './ipvsModel.js';
import { TableKeeper, tandemScript, timedRun } from './ipvsPrograms.js';
import {
  changedWeight,
  keepalivedText,
  type SetupService,
  savedRulesText,
  servicePort,
  setupServices,
  type TableSize,
  tandemText,
} from './ipvsSetup.js';

/** How often the table is looked at while a program fills it, in milliseconds. */
const lookIntervalMs = 10;
/** How long a program is left alone between its start and the change, in milliseconds. */
const restMs = 5_000;
/** Longest wait for any one step; only a failure takes that long. */
const stepTimeoutMs = 120_000;

const tandemIpvs = [process.execPath, tandemScript, 'ipvs'];

/**
 * Runs something on the table of a network namespace that has had none. The kernel keeps a server
 * that was deleted for two minutes and looks through all of those whenever one is added, so a
 * program that comes after another would have to pay for what that one left.
 */
export type InFreshTable = <T>(work: (table: IpvsTable) => Promise<T>) => Promise<T>;

/** What is measured. */
export interface IpvsPlan {
  readonly size: TableSize;
  /** How often everything is done. */
  readonly rounds: number;
}

/** Runs everything, each program on a fresh table. */
export async function measureIpvs(
  inFreshTable: InFreshTable,
  plan: IpvsPlan,
  onProgress: (text: string) => void,
): Promise<IpvsResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-ipvs-'));
  try {
    const figures: IpvsFigure[] = [];
    let result: IpvsResult | undefined;
    for (let round = 0; round < plan.rounds; round += 1) {
      const measurement = new IpvsMeasurement(plan.size, folder, onProgress);
      result = await measurement.run(inFreshTable);
      figures.push(...result.figures);
    }
    if (result === undefined) throw new RangeError('nothing was to be measured');
    return { ...result, figures };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class IpvsMeasurement {
  readonly #size: TableSize;
  readonly #services: readonly SetupService[];
  readonly #changed: number;
  readonly #folder: string;
  readonly #onProgress: (text: string) => void;
  readonly #figures: IpvsFigure[] = [];
  #reloadOperations = 0;

  constructor(size: TableSize, folder: string, onProgress: (text: string) => void) {
    this.#size = size;
    this.#services = setupServices(size);
    // In the middle, so that neither end of anything is favoured.
    this.#changed = Math.floor(size.servers / 2);
    this.#folder = folder;
    this.#onProgress = onProgress;
  }

  async run(inFreshTable: InFreshTable): Promise<IpvsResult> {
    const rules = this.#write('rules', savedRulesText(this.#services));
    for (const [program, command] of [
      ['tandem', tandemIpvs],
      ['ipvsadm', ['ipvsadm']],
    ] as const) {
      await inFreshTable((table) => this.#command(table, program, command, rules));
    }
    await inFreshTable((table) => this.#keepalived(table));
    const { dumpMs, diffMs } = await inFreshTable((table) => this.#tandem(table));
    return {
      size: this.#size,
      kernel: release(),
      figures: this.#figures,
      reloadOperations: this.#reloadOperations,
      dumpMs,
      diffMs,
    };
  }

  async #command(
    table: IpvsTable,
    program: 'tandem' | 'ipvsadm',
    command: readonly string[],
    rules: string,
  ): Promise<void> {
    // Once beforehand, so that no program pays for reading its files from the disk.
    timedRun([...command, '-L', '-n']);
    this.#add('restore', program, timedRun([...command, '-R'], rules));
    await this.#requireWhole(table);
    this.#add('save', program, timedRun([...command, '-S', '-n']));
    this.#add('list', program, timedRun([...command, '-L', '-n']));
  }

  async #keepalived(table: IpvsTable): Promise<void> {
    const config = this.#write('keepalived.conf', keepalivedText(this.#services));
    const file = (name: string): string => join(this.#folder, name);
    // -C: the checkers only, which keep the table; -n: no fork; -l: log to the terminal.
    const command = ['keepalived', '-C', '-n', '-l', '-f', config];
    const pidFiles = ['-p', file('keepalived.pid'), '-c', file('checkers.pid')];
    await this.#keeper(table, 'keepalived', [...command, ...pidFiles], () => {
      this.#write('keepalived.conf', keepalivedText(setupServices(this.#size, this.#changed)));
    });
  }

  async #tandem(table: IpvsTable): Promise<{ readonly dumpMs: number; readonly diffMs: number }> {
    const socket = join(this.#folder, 'tandem.sock');
    const config = this.#write('tandem.yaml', tandemText(this.#services, socket));
    const command = [process.execPath, tandemScript, 'run', '-c', config, '--node', 'lb1'];
    await this.#keeper(table, 'tandem', command, async () => {
      this.#write('tandem.yaml', tandemText(setupServices(this.#size, this.#changed), socket));
      await until('the agent answers', async () => (await agentAnswers(socket)) || undefined);
    });
    this.#reloadOperations = this.#lastOperations;
    return this.#compare(table, config);
  }

  #lastOperations = 0;

  /** Starts a program that keeps the table, and lets it take in a changed file. */
  async #keeper(
    table: IpvsTable,
    program: 'keepalived' | 'tandem',
    command: readonly string[],
    change: () => void | Promise<void>,
  ): Promise<void> {
    const startedMs = performance.now();
    const keeper = new TableKeeper(command, join(this.#folder, `${program}.log`));
    try {
      const last = this.#services.at(-1);
      await until(`the last service of ${program} is whole`, async () => {
        keeper.requireRunning();
        return (await serversOf(table, last)) === last?.servers.length || undefined;
      });
      this.#add('start', program, performance.now() - startedMs);
      await this.#requireWhole(table);
      await pause(restMs);
      await change();
      const before = keeper.memory();
      this.#add('memory', program, before.nowKib);
      const changedService = this.#changedService();
      const changedMs = performance.now();
      keeper.signal('SIGHUP');
      await until(`${program} has changed the weight`, async () => {
        keeper.requireRunning();
        return (await hasChanged(table, changedService)) || undefined;
      });
      this.#add('reload', program, performance.now() - changedMs);
      this.#add('memoryPeak', program, keeper.memory().peakKib);
      await this.#requireWhole(table);
      if (program === 'tandem') {
        const { ipvs } = await fetchStatus(join(this.#folder, 'tandem.sock'));
        this.#lastOperations = ipvs.lastOperations;
      }
    } finally {
      await keeper.end();
    }
  }

  /** How long our own reading and comparing of the whole table takes, with nothing to change. */
  async #compare(
    table: IpvsTable,
    config: string,
  ): Promise<{ readonly dumpMs: number; readonly diffMs: number }> {
    const choice = { node: 'lb1', environment: {}, hostname: '' };
    const { services } = readConfigFile(config, choice).config;
    const none = new Map<string, never>();
    const input = { services, health: none, adoptedWeights: none, previous: none, overrides: none };
    const startedMs = performance.now();
    const actual = await dumpOf(table);
    const dumpedMs = performance.now();
    const { operations } = diffTables(desiredTable(input).services, actual, new Set());
    const endedMs = performance.now();
    if (operations.length > 0) throw notWhole(`${operations.length} differences are left`);
    return { dumpMs: dumpedMs - startedMs, diffMs: endedMs - dumpedMs };
  }

  async #requireWhole(table: IpvsTable): Promise<void> {
    const dump = await dumpOf(table);
    const servers = dump.reduce((sum, entry) => sum + entry.servers.length, 0);
    if (dump.length === this.#size.services && servers === this.#size.servers) return;
    throw notWhole(`${dump.length} services with ${servers} servers`);
  }

  /** The service that the changed file changes; found once, since the looks share a processor. */
  #changedService(): SetupService | undefined {
    return setupServices(this.#size, this.#changed).find(({ servers }) =>
      servers.some(({ weight }) => weight === changedWeight),
    );
  }

  #add(task: IpvsTask, program: IpvsProgram, value: number): void {
    this.#figures.push({ task, program, value });
    this.#onProgress(`${program} ${task}: ${value.toFixed(0)}\n`);
  }

  #write(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }
}

async function dumpOf(table: IpvsTable): Promise<readonly ListedTableService[]> {
  const entries: ListedTableService[] = [];
  for (const service of await table.services()) {
    entries.push({ service, servers: await table.servers(service.identity) });
  }
  return entries;
}

async function serversOf(table: IpvsTable, service: SetupService | undefined): Promise<number> {
  return service === undefined ? 0 : (await table.servers(identityOf(service))).length;
}

async function hasChanged(table: IpvsTable, service: SetupService | undefined): Promise<boolean> {
  if (service === undefined) return false;
  const servers = await table.servers(identityOf(service));
  return servers.some(({ weight }) => weight === changedWeight);
}

function identityOf({ address }: SetupService): ServiceIdentity {
  return { kind: 'address', protocol: 'tcp', address: ipAddress(address), port: servicePort };
}

async function agentAnswers(socket: string): Promise<boolean> {
  return fetchStatus(socket).then(
    () => true,
    () => false,
  );
}

function notWhole(what: string): TandemError {
  return new TandemError('LAB_FAILED', `the table is not as it was meant: ${what}`);
}

async function until(what: string, look: () => Promise<true | undefined>): Promise<void> {
  const deadline = Date.now() + stepTimeoutMs;
  while ((await look()) === undefined) {
    if (Date.now() > deadline) throw new TandemError('LAB_FAILED', `${what}: not in time`);
    await pause(lookIntervalMs);
  }
}
