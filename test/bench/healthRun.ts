/** What `npm run bench -- health` measures of one program, on a kernel with IPVS. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IpvsTable } from '../../src/kernel/ipvsTable.js';
import { deathTimeoutMs, identityOf, lookMs, measureDeaths, planDeaths } from './healthDeaths.js';
import { HealthFarm } from './healthFarmProcess.js';
import {
  type BenchService,
  backendPort,
  benchServices,
  type CheckingProgram,
  type HealthResult,
  type HealthSetting,
  healthIntervalMs,
  virtualAddress,
} from './healthModel.js';
import { CheckedRun, cpuSecondsOf, memoryMegabytesOf } from './healthPrograms.js';
import { quantile } from './spread.js';

/**
 * How long a program has for its first round of checks, in milliseconds. One that needs longer, on
 * a machine that is too slow for so many servers, is measured all the same.
 */
const startTimeoutMs = 45_000;
const doomedNetwork = '10.71.0.0/16';

/** Told when the measured time begins and ends. */
export type OnMeasure = (mark: 'begin' | 'end') => void;

/** Makes every address of the servers one of this machine. */
export function routeServersHere(): void {
  for (const network of ['10.70.0.0/16', doomedNetwork, `${virtualAddress}/32`]) {
    execFileSync('ip', ['route', 'replace', 'local', network, 'dev', 'lo']);
  }
}

/** Runs a program against the servers of a setting. Empties the table first. */
export async function measureHealth(
  table: IpvsTable,
  setting: HealthSetting,
  program: CheckingProgram,
  onMeasure: OnMeasure = () => undefined,
): Promise<HealthResult> {
  await table.flush();
  const farm = new HealthFarm(setting);
  await farm.ready();
  const services = benchServices(setting);
  const run = new CheckedRun(program, services, {
    kind: setting.kind,
    virtualAddress,
    backendPort,
    intervalMs: healthIntervalMs,
    timeoutMs: healthIntervalMs,
    rise: 1,
    fall: 1,
  });
  try {
    await untilChecked(run, farm, setting);
    // What only the start costs is not what is measured.
    await sleep(setting.settleMs);
    await farm.tell('reset');
    onMeasure('begin');
    const cpuBefore = cpuSecondsOf(run.pids);
    const startedMs = performance.now();
    await sleep(setting.measureMs);
    const cpuSeconds = cpuSecondsOf(run.pids) - cpuBefore;
    onMeasure('end');
    const measuredSeconds = (performance.now() - startedMs) / 1000;
    const seen = await farm.report();
    const memoryMegabytes = memoryMegabytesOf(run.pids);
    const late = seen.gapsMs.map((gap) => gap - healthIntervalMs / setting.servicesOfBackend);
    const isLasting = (address: string): boolean => address.startsWith('10.70.');
    const plan = planDeaths(services, setting.deaths, isLasting);
    const deaths = await measureDeaths(table, farm, plan);
    return {
      setting,
      program,
      checksPerSecond: (seen.connections * 1000) / seen.elapsedMs,
      cpuSeconds,
      measuredSeconds,
      memoryMegabytes,
      lateMs: { p50: quantile(late, 0.5), p99: quantile(late, 0.99) },
      deaths,
      massDeathMs: setting.deaths === 0 ? null : await massDeath(table, services),
    };
  } catch (error) {
    process.stderr.write(`${program}: ${run.logTail}\n`);
    throw error;
  } finally {
    await run.stop();
    await farm.stop();
  }
}

/** Until every backend has been connected to, twice on average, or for {@link startTimeoutMs}. */
async function untilChecked(
  run: CheckedRun,
  farm: HealthFarm,
  setting: HealthSetting,
): Promise<void> {
  const deadlineMs = performance.now() + startTimeoutMs;
  for (;;) {
    run.demandRunning();
    const { addresses, connections } = await farm.report();
    if (addresses === setting.backends && connections >= 2 * setting.backends) return;
    if (performance.now() > deadlineMs) {
      if (connections === 0) throw new Error('no server was checked');
      return;
    }
    await sleep(200);
  }
}

/** All doomed servers refuse at once: the time until the last of them has weight 0. */
async function massDeath(
  table: IpvsTable,
  services: readonly BenchService[],
): Promise<number | null> {
  const waiting = new Set(services);
  const rule = rejectRule(doomedNetwork);
  iptables('-A', rule);
  try {
    return await until(async () => {
      for (const service of waiting) {
        const servers = await table.servers(identityOf(service));
        const left = servers.some(
          ({ address, weight }) => address.startsWith('10.71.') && weight > 0,
        );
        if (left) return false;
        waiting.delete(service);
      }
      return true;
    });
  } finally {
    iptables('-D', rule);
  }
}

/** How long it took until something held; `null` when it did not within the time. */
async function until(holds: () => Promise<boolean>): Promise<number | null> {
  const startedMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedMs > deathTimeoutMs) return null;
    await sleep(lookMs);
  }
  return performance.now() - startedMs;
}

function rejectRule(network: string): readonly string[] {
  const match = ['-d', network, '-p', 'tcp', '--dport', String(backendPort)];
  return ['INPUT', ...match, '-j', 'REJECT', '--reject-with', 'tcp-reset'];
}

function iptables(command: '-A' | '-D', rule: readonly string[]): void {
  execFileSync('iptables-legacy', [command, ...rule]);
}
