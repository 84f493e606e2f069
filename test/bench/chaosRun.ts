/** Servers that die and return at random, and the weights that programs set meanwhile. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type IpvsTable, openIpvsTable } from '../../src/kernel/ipvsTable.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { seededRandom } from '../sim/support/random.js';
import {
  ChaosJudge,
  type ChaosResult,
  type ChaosSetting,
  chaosRules,
  deathKinds,
} from './chaosModel.js';
import { ChaosServer } from './chaosServers.js';
import { CheckedRun } from './healthPrograms.js';

const backendPort = 8080;
const listenPort = 80;
const lookMs = 100;
const startTimeoutMs = 60_000;
/** Lines of a log that are shown for a weight that is wrong. */
const evidenceLines = 6;
/** A server stays as it is for so long, at least and at most. */
const aliveMs = { min: 5_000, max: 20_000 };
const deadMs = { min: 4_500, max: 12_000 };
const virtualAddresses = { tandem: '10.69.0.1', keepalived: '10.69.0.2' } as const;

interface Watched {
  readonly run: CheckedRun;
  readonly judge: ChaosJudge;
  readonly virtualAddress: string;
}

/** Runs one course. Needs a kernel with IPVS whose table is free. */
export async function runChaos(setting: ChaosSetting): Promise<readonly ChaosResult[]> {
  for (const network of ['10.72.0.0/16', '10.69.0.0/24']) {
    execFileSync('ip', ['route', 'replace', 'local', network, 'dev', 'lo']);
  }
  const table = await openIpvsTable();
  const servers = Array.from(
    { length: setting.servers },
    (_, index) => new ChaosServer(`10.72.0.${index + 1}`, backendPort),
  );
  await Promise.all(servers.map((server) => server.start()));
  const service = { port: listenPort, servers: servers.map(({ address }) => address) };
  const watched = setting.programs.map((program): Watched => {
    const virtualAddress = virtualAddresses[program];
    const rules = { ...chaosRules, kind: 'http', virtualAddress, backendPort } as const;
    const run = new CheckedRun(program, [service], rules);
    return { run, judge: new ChaosJudge(), virtualAddress };
  });
  try {
    await untilReady(table, watched, servers);
    await course(setting, table, watched, servers);
    return watched.map(({ run, judge }) => ({
      program: run.program,
      followed: judge.deathMs.length + judge.returnMs.length,
      violations: judge.violations,
      deathMs: judge.deathMs,
      returnMs: judge.returnMs,
      seed: setting.seed,
    }));
  } finally {
    await Promise.all(watched.map(({ run }) => run.stop()));
    await Promise.all(servers.map((server) => server.stop()));
    table.close();
  }
}

/** Until both have all servers in the table, and have had the time to check each. */
async function untilReady(
  table: IpvsTable,
  watched: readonly Watched[],
  servers: readonly ChaosServer[],
): Promise<void> {
  const deadlineMs = performance.now() + startTimeoutMs;
  for (const { run, virtualAddress } of watched) {
    for (;;) {
      run.demandRunning();
      const weights = await readWeights(table, virtualAddress);
      if ([...weights.values()].filter((weight) => weight > 0).length === servers.length) break;
      if (performance.now() > deadlineMs) throw new Error(`${run.program}: ${run.logTail}`);
      await sleep(lookMs);
    }
  }
  await sleep(3 * chaosRules.intervalMs);
}

async function course(
  { seconds, seed }: ChaosSetting,
  table: IpvsTable,
  watched: readonly Watched[],
  servers: readonly ChaosServer[],
): Promise<void> {
  const random = seededRandom(seed);
  const span = ({ min, max }: typeof aliveMs): number => min + random() * (max - min);
  const startedMs = performance.now();
  const nextMs = new Map(
    servers.map((server) => [server, startedMs + random() * aliveMs.max] as const),
  );
  let lookedMs = startedMs;
  while (performance.now() - startedMs < seconds * 1000) {
    for (const [server, dueMs] of nextMs) {
      if (performance.now() < dueMs) continue;
      const dies = server.alive;
      const kind = deathKinds[Math.floor(random() * deathKinds.length)] ?? 'refuse';
      await (dies ? server.die(kind) : server.live());
      const nowMs = performance.now();
      for (const { judge } of watched) judge.changed(server.address, !dies, nowMs);
      nextMs.set(server, nowMs + span(dies ? deadMs : aliveMs));
    }
    for (const { judge, run, virtualAddress } of watched) {
      run.demandRunning();
      const weights = await readWeights(table, virtualAddress);
      const nowMs = performance.now();
      for (const { address, alive } of servers) {
        judge.look(address, alive, weights.get(address) ?? 0, nowMs, () =>
          evidenceIn(run, address),
        );
      }
    }
    await sleep(lookMs);
    const nowMs = performance.now();
    const lateMs = nowMs - lookedMs - 3 * lookMs;
    if (lateMs > 0) for (const { judge } of watched) judge.stalled(lateMs);
    lookedMs = nowMs;
  }
}

/** What the program has logged of a server of late, with the time of now to compare with. */
function evidenceIn(run: CheckedRun, address: string): string {
  const lines = run.log
    .split('\n')
    .filter((line) => line.includes(`${address}:`) || /stall|short/.test(line));
  return `; at ${Date.now()} its log has:\n${lines.slice(-evidenceLines).join('\n')}`;
}

async function readWeights(
  table: IpvsTable,
  virtualAddress: string,
): Promise<ReadonlyMap<string, number>> {
  const servers = await table.servers({
    kind: 'address',
    protocol: 'tcp',
    address: ipAddress(virtualAddress),
    port: listenPort,
  });
  return new Map(servers.map(({ address, weight }) => [address, weight]));
}
