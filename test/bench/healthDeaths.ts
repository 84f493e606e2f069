/** Deaths of single servers for `npm run bench -- health`: each at a moment of its own. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IpvsTable } from '../../src/kernel/ipvsTable.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import type { ServiceIdentity } from '../../src/wire/ipvsModel.js';
import { seededRandom } from '../sim/support/random.js';
import type { HealthFarm } from './healthFarmProcess.js';
import {
  type BenchService,
  backendPort,
  type DeathResult,
  healthIntervalMs,
  virtualAddress,
} from './healthModel.js';

/** How long a death may take to show; a program that takes longer has missed it. */
export const deathTimeoutMs = 20_000;

/** So many die in a second, each for itself. */
const deathsPerSecond = 3;

/** How often the weights are read, in milliseconds. */
export const lookMs = 5;

/** Servers in this list of the kernel's module refuse connections. */
const listName = 'tandem_dead';
const listFile = `/proc/net/xt_recent/${listName}`;

/** One death to come. */
export interface PlannedDeath {
  readonly atMs: number;
  readonly service: BenchService;
  readonly address: string;
}

/**
 * Chooses who dies when: different servers, at independent moments. The same for the same numbers,
 * so that each program has the same to notice.
 */
export function planDeaths(
  services: readonly BenchService[],
  count: number,
  mayDie: (address: string) => boolean,
): readonly PlannedDeath[] {
  const random = seededRandom(count);
  const mortal = services.flatMap((service) =>
    service.servers.filter(mayDie).map((address) => ({ service, address, order: random() })),
  );
  const chosen = mortal.toSorted((left, right) => left.order - right.order).slice(0, count);
  const periodMs = (chosen.length * 1_000) / deathsPerSecond;
  return chosen
    .map(({ service, address }) => ({ service, address, atMs: random() * periodMs }))
    .toSorted((left, right) => left.atMs - right.atMs);
}

interface Dying extends PlannedDeath {
  readonly diedMs: number;
}

/** Lets the servers die, each until its weight is 0, and gives how long that took. */
export async function measureDeaths(
  table: IpvsTable,
  farm: HealthFarm,
  plan: readonly PlannedDeath[],
): Promise<readonly DeathResult[]> {
  if (plan.length === 0) return [];
  const rule = refusalRule();
  execFileSync('iptables-legacy', ['-A', ...rule]);
  const results: DeathResult[] = [];
  const dying = new Set<Dying>();
  // The process of the servers may be busy: who waits for its answer does not look at the others.
  const asked = new Set<Promise<void>>();
  const left = [...plan];
  const startMs = performance.now();
  const revive = ({ address }: Dying): void => writeFileSync(listFile, `-${address}\n`);
  const take = async (server: Dying, isOut: boolean, nowMs: number): Promise<void> => {
    const lastMs = await farm.lastConnection(server.address);
    const dueMs = Math.max(server.diedMs, lastMs + healthIntervalMs);
    const noticed = { afterMs: nowMs - server.diedMs, afterCheckMs: nowMs - dueMs };
    results.push(isOut ? noticed : { afterMs: null, afterCheckMs: null });
    // Not before it is known when it was asked last.
    revive(server);
  };
  try {
    while (left.length > 0 || dying.size > 0) {
      while ((left[0]?.atMs ?? Number.POSITIVE_INFINITY) <= performance.now() - startMs) {
        const next = left.shift();
        if (next === undefined) break;
        writeFileSync(listFile, `+${next.address}\n`);
        dying.add({ ...next, diedMs: performance.now() });
      }
      for (const service of new Set([...dying].map((server) => server.service))) {
        const weights = await weightsOf(table, service);
        const nowMs = performance.now();
        for (const server of dying) {
          if (server.service !== service) continue;
          const isOut = (weights.get(server.address) ?? 0) === 0;
          if (!isOut && nowMs - server.diedMs < deathTimeoutMs) continue;
          dying.delete(server);
          asked.add(take(server, isOut, nowMs));
        }
      }
      await sleep(lookMs);
    }
    await Promise.all(asked);
  } finally {
    for (const server of [...dying]) revive(server);
    execFileSync('iptables-legacy', ['-D', ...rule]);
  }
  return results;
}

async function weightsOf(
  table: IpvsTable,
  service: BenchService,
): Promise<ReadonlyMap<string, number>> {
  const servers = await table.servers(identityOf(service));
  return new Map(servers.map(({ address, weight }) => [address, weight]));
}

/** The service as the kernel knows it. */
export function identityOf({ port }: BenchService): ServiceIdentity {
  return { kind: 'address', protocol: 'tcp', address: ipAddress(virtualAddress), port };
}

function refusalRule(): readonly string[] {
  const match = ['-p', 'tcp', '--dport', String(backendPort)];
  const listed = ['-m', 'recent', '--name', listName, '--rdest', '--rcheck'];
  return ['INPUT', ...match, ...listed, '-j', 'REJECT', '--reject-with', 'tcp-reset'];
}
