/** How hard a lab is driven and how patient it is, by the kernel that it runs on. */
import type { KernelKind } from './kernelChoice.js';
import { labTimings } from './labConfig.js';
import type { Scenario } from './scenario.js';
import type { Topology } from './topology.js';

/** Settings that depend on what the kernel can carry. */
export interface DrillLimits {
  readonly probeIntervalMs: number;
  readonly requestTimeoutMs: number;
  readonly requestsInFlightMax: number;
  readonly persistentIntervalMs: number;
  /** What a bound adds to the protocols' own time for the machine's own delays. */
  readonly allowanceMs: number;
  /** How long any single step may take before the drill is given up. */
  readonly stepTimeoutMs: number;
  /** How long the load goes on after the last thing that is waited for. */
  readonly settleMs: number;
}

const limits: Readonly<Record<KernelKind, DrillLimits>> = {
  host: {
    probeIntervalMs: 1,
    requestTimeoutMs: 1_000,
    requestsInFlightMax: 1_500,
    persistentIntervalMs: 200,
    allowanceMs: 250,
    stepTimeoutMs: 30_000,
    settleMs: 1_000,
  },
  // One processor, and system calls that cost ten times as much: 50 requests a second leave the
  // two agents enough of it to keep their times.
  embedded: {
    probeIntervalMs: 20,
    requestTimeoutMs: 2_000,
    requestsInFlightMax: 200,
    persistentIntervalMs: 500,
    allowanceMs: 2_000,
    stepTimeoutMs: 60_000,
    settleMs: 1_500,
  },
};

/** The settings for a kernel. */
export function drillLimits(kernel: KernelKind): DrillLimits {
  return limits[kernel];
}

/** Skew_Time of a priority (RFC 9568, 6.1), in milliseconds. */
export function skewTimeMs(priority: number, advertIntervalMs: number): number {
  return ((256 - priority) * advertIntervalMs) / 256;
}

/** Active_Down_Interval of a priority (RFC 9568, 6.1), in milliseconds. */
export function activeDownMs(priority: number, advertIntervalMs: number): number {
  return 3 * advertIntervalMs + skewTimeMs(priority, advertIntervalMs);
}

/** The longest that a failed server may keep its weight. */
export function weightZeroBoundMs(allowanceMs: number): number {
  const { checkIntervalMs, checkFall, checkTimeoutMs } = labTimings;
  return checkIntervalMs * checkFall + checkTimeoutMs + allowanceMs;
}

/** A bound, and how it is made up. */
export interface Bound {
  readonly milliseconds: number;
  readonly is: string;
}

/** The longest time without an answer that a scenario's effect excuses. */
export function gapBound(
  scenario: Scenario,
  topology: Topology,
  standby: string,
  { allowanceMs, probeIntervalMs }: DrillLimits,
): Bound {
  const priority = topology.priorities[standby] ?? 1;
  const { advertIntervalMs } = labTimings;
  const bound = (protocolMs: number, name: string): Bound => ({
    milliseconds: Math.round(protocolMs + allowanceMs),
    is: `${name} ${Math.round(protocolMs)} + allowance ${allowanceMs}`,
  });
  switch (scenario.effect) {
    case 'active-lost':
      return bound(activeDownMs(priority, advertIntervalMs), 'Active_Down_Interval');
    case 'active-resigned':
      return bound(skewTimeMs(priority, advertIntervalMs), 'Skew_Time');
    case 'server-lost': {
      // The other server is chosen at the latest when every weight has had its turn.
      const turns = topology.servers.reduce((sum, { weight }) => sum + weight, 0);
      return bound(turns * probeIntervalMs, `${turns} turns of the scheduler`);
    }
  }
}
