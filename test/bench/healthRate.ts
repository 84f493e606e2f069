/** How many checks per second one health thread sustains on this machine, IPVS or not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startHealthThread } from '../../src/health/client.js';
import { completeIntervalMs } from '../../src/health/engine.js';
import type { CheckSpec, HealthLoad } from '../../src/health/protocol.js';
import { ipAddress } from '../../src/wire/ipAddress.js';

/** What kind of check is measured. */
export type RateKind = 'tcp' | 'http';

/** One measurement at one rate. */
export interface RateMeasure {
  readonly kind: RateKind;
  /** Checks per second that were asked for. */
  readonly wanted: number;
  readonly done: number;
  readonly lateMs: HealthLoad['lateMs'];
  /** CPU time of this process per 1,000 checks, the thread's and main's. */
  readonly cpuSecondsPerThousand: number;
  readonly failed: number;
}

/** Servers on loopback; `port` is where they listen. */
export interface RateServers {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts the servers in a process of their own. */
export async function startRateServers(): Promise<RateServers> {
  const script = fileURLToPath(new URL('./healthServers.js', import.meta.url));
  const child = spawn(process.execPath, [script, '0'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(child.stdout), 'line');
  return {
    port: Number(line),
    stop: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

/**
 * Asks for a number of checks per second, one for each server and second, lets the start pass, and
 * measures the next report of the thread's load.
 */
export async function measureRate(
  kind: RateKind,
  wanted: number,
  port: number,
): Promise<RateMeasure> {
  const loads: HealthLoad[] = [];
  const failed = new Map<string, number>();
  let onLoad: (() => void) | undefined;
  const thread = startHealthThread({
    onMessage: (message) => {
      if (message.type === 'reports') {
        for (const { id, probes } of message.reports) failed.set(id, probes.failed);
      }
      if (message.type !== 'load') return;
      loads.push(message.load);
      onLoad?.();
    },
  });
  const nextLoad = (): Promise<void> =>
    new Promise((resolve) => {
      onLoad = resolve;
    });
  try {
    thread.post({ type: 'configure', checks: checksAt(kind, wanted, port) });
    await nextLoad();
    const before = process.cpuUsage();
    await nextLoad();
    const { user, system } = process.cpuUsage(before);
    const load = loads.at(-1);
    if (load === undefined) throw new Error('the health thread reported no load');
    const probes = (load.probesPerSecond * completeIntervalMs) / 1000;
    return {
      kind,
      wanted,
      done: load.probesPerSecond,
      lateMs: load.lateMs,
      cpuSecondsPerThousand: (user + system) / 1_000 / probes,
      failed: [...failed.values()].reduce((sum, count) => sum + count, 0),
    };
  } finally {
    await thread.stop();
  }
}

function checksAt(kind: RateKind, count: number, port: number): readonly CheckSpec[] {
  const timing = { intervalMs: 1_000, timeoutMs: 900, rise: 2, fall: 3 };
  return Array.from({ length: count }, (_, index) => ({
    id: `s${index}`,
    address: ipAddress(`127.1.${index >> 8}.${index & 255}`),
    port,
    probe:
      kind === 'tcp'
        ? { type: 'tcp' }
        : { type: 'http', method: 'GET', path: '/', expectStatus: [{ from: 200, to: 299 }] },
    timing,
  }));
}
