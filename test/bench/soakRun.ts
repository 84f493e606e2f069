/** A pair of directors that is kept busy for long: reloads, drains, failing checks, failovers. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  fetchStatus,
  requestFailover,
  requestOverride,
  requestReload,
} from '../../src/api/client.js';
import type { OverrideAction } from '../../src/api/overrideModel.js';
import type { DrillLimits } from '../../src/drill/drillLimits.js';
import type { Lab } from '../../src/drill/lab.js';
import type { LabAgent } from '../../src/drill/labAgent.js';
import { labConfig, labTimings } from '../../src/drill/labConfig.js';
import { LoadSession } from '../../src/drill/loadSession.js';
import { failuresByReason } from '../../src/drill/measurements.js';
import { isActive, startPair } from '../../src/drill/pairReadiness.js';
import { openIpvsTable } from '../../src/kernel/ipvsTable.js';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import type { ProcessSample, SoakPart, SoakResult } from './soakModel.js';

/** How long each part lasts. */
export interface SoakLength {
  readonly steadySeconds: number;
  readonly changingSeconds: number;
}

/** How long the pair runs before the load, in seconds; nothing but reloads happens by then. */
const settleSeconds = 2;

/** When things happen, in seconds of a round. */
const schedule = { drain: 2, undrain: 5, unwell: 6, well: 9, failover: 1, round: 12 } as const;

/** A server that is slow because the machine is must not count as one that fails. */
const timings = { ...labTimings, checkTimeoutMs: 5_000 };

/** How long a request may take, in milliseconds: lost is what is not answered at all. */
const requestTimeoutMs = 15_000;

/** For how long a director steps down, in milliseconds. */
const stepDownMs = 3_000;

const drained = 'web/192.168.0.20:80';
const flapping = 'rs1';

/** Keeps a lab busy; it must have just been made, with the topology `nat`. */
export async function runSoak(
  lab: Lab,
  limits: DrillLimits,
  length: SoakLength,
  onProgress: (text: string) => void,
): Promise<SoakResult> {
  const clients = { persistentClients: 4, downloads: 2 };
  const load = new LoadSession(lab, clients, { ...limits, requestTimeoutMs });
  try {
    await lab.startServers();
    await startPair(lab, limits.stepTimeoutMs);
    const soak = new Soak(lab, onProgress);
    // The lab begins with checks of other timings, which may still be under way.
    await soak.run(settleSeconds, false);
    await load.start();
    const steadyFromUs = nowUs();
    await soak.run(length.steadySeconds, false);
    const changingFromUs = nowUs();
    await soak.run(length.changingSeconds, true);
    const { requests, persistent } = await load.finish();
    const all = [...requests, ...persistent.flatMap((client) => client.requests)];
    const part = (seconds: number, fromUs: number, toUs: number): SoakPart => {
      const sent = all.filter(({ sentUs }) => sentUs >= fromUs && sentUs < toUs);
      const failed = sent.filter(({ result }) => 'failure' in result).length;
      return { seconds, requests: sent.length, failed, failedFor: failuresByReason(sent) };
    };
    return {
      ...soak.counts,
      steady: part(length.steadySeconds, steadyFromUs, changingFromUs),
      changing: part(length.changingSeconds, changingFromUs, nowUs()),
      agents: Object.fromEntries(soak.samples),
    };
  } finally {
    await load.stop();
  }
}

class Soak {
  readonly counts = { reloads: 0, drains: 0, flaps: 0, failovers: 0, counterResets: 0 };
  readonly samples = new Map<string, ProcessSample[]>();
  readonly #lab: Lab;
  readonly #onProgress: (text: string) => void;
  readonly #connections = new Map<string, bigint>();
  #second = 0;

  constructor(lab: Lab, onProgress: (text: string) => void) {
    this.#lab = lab;
    this.#onProgress = onProgress;
    for (const node of lab.agents.keys()) this.samples.set(node, []);
  }

  async run(seconds: number, withFailovers: boolean): Promise<void> {
    const startedMs = performance.now();
    for (let passed = 0; passed < seconds; passed += 1) {
      await this.#reloadAll();
      await this.#happen(passed % schedule.round, withFailovers);
      this.#sample();
      await this.#compareCounters();
      this.#second += 1;
      const { reloads, drains, flaps, failovers } = this.counts;
      this.#onProgress(
        `${this.#second} s: ${reloads} reloads, ${drains} drains, ${flaps} failing servers, ` +
          `${failovers} failovers`,
      );
      // A machine that is too slow for one round a second does fewer.
      await sleep(Math.max(0, startedMs + (passed + 1) * 1_000 - performance.now()));
    }
  }

  /** Every reload changes the weight of the last server. */
  async #reloadAll(): Promise<void> {
    const { topology } = this.#lab;
    const servers = topology.servers.map((server, index) =>
      index === topology.servers.length - 1
        ? { ...server, weight: 1 + (this.#second % 2) }
        : server,
    );
    for (const { configPath, socketPath } of this.#lab.agents.values()) {
      writeFileSync(configPath, labConfig({ ...topology, servers }, socketPath, timings));
      await requestReload(socketPath);
      this.counts.reloads += 1;
    }
  }

  async #happen(second: number, withFailovers: boolean): Promise<void> {
    switch (second) {
      case schedule.drain:
        await this.#override('drain');
        this.counts.drains += 1;
        return;
      case schedule.undrain:
        return this.#override('undrain');
      case schedule.unwell:
        await this.#lab.setServer(flapping, 'unwell');
        this.counts.flaps += 1;
        return;
      case schedule.well:
        await this.#lab.setServer(flapping, 'healthy');
        return;
      case schedule.failover:
        if (withFailovers) await this.#failOver();
        return;
    }
  }

  async #override(action: OverrideAction): Promise<void> {
    for (const { socketPath } of this.#lab.agents.values()) {
      const request = { action, server: drained, all: false, reason: 'soak', user: 'root' };
      await requestOverride(socketPath, request);
    }
  }

  async #failOver(): Promise<void> {
    const active = await this.#active();
    if (active === undefined) return;
    await requestFailover(active.socketPath, { forMs: stepDownMs, force: false });
    this.counts.failovers += 1;
  }

  async #active(): Promise<LabAgent | undefined> {
    for (const agent of this.#lab.agents.values()) {
      if (isActive(await fetchStatus(agent.socketPath))) return agent;
    }
    return undefined;
  }

  #sample(): void {
    for (const [node, agent] of this.#lab.agents) {
      const pid = agent.identity?.pid;
      if (pid !== undefined) this.samples.get(node)?.push(sampleProcess(pid));
    }
  }

  async #compareCounters(): Promise<void> {
    for (const node of this.#lab.agents.keys()) {
      const opening = this.#lab.network.namespace(node).run(() => openIpvsTable());
      const table = await opening;
      try {
        for (const service of await table.services()) {
          const name = JSON.stringify([node, service.identity]);
          this.#compare(name, service.statistics.connections);
          for (const server of await table.servers(service.identity)) {
            this.#compare(`${name} ${server.address}`, server.statistics.connections);
          }
        }
      } finally {
        table.close();
      }
    }
  }

  #compare(name: string, connections: bigint): void {
    if (connections < (this.#connections.get(name) ?? 0n)) this.counts.counterResets += 1;
    this.#connections.set(name, connections);
  }
}

function sampleProcess(pid: number): ProcessSample {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
  return {
    residentKiB: field('VmRSS'),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
  };
}
