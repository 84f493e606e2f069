/** Makes the report of a run out of what it has seen. Pure. */
import type { CapturedFrame } from './capture.js';
import { activeDownMs, skewTimeMs } from './drillLimits.js';
import { labTimings } from './labConfig.js';
import {
  answersPerServer,
  failuresByReason,
  lengthMs,
  longestGap,
  totals,
} from './measurements.js';
import { directorAddress, holdersAtEnd, loadSpan, type Observation } from './observation.js';
import { downloadRows, persistentRows } from './outcomes.js';
import { measurePromises, unexpectedFailures } from './promises.js';
import type {
  AdvertCount,
  AnnouncementCount,
  DrillConditions,
  DrillMeasured,
  DrillReport,
} from './report.js';

/** One line each at the terminal: enough to see what they have in common. */
const unexpectedFailuresMax = 10;

/** The report of one run. */
export function makeReport(observation: Observation): DrillReport {
  const { scenario, topology, faultUs } = observation;
  const promises = measurePromises(observation);
  return {
    scenario: scenario.name,
    title: scenario.title,
    topology: topology.name,
    startedUnixMs: observation.startedUnixMs,
    durationMs: observation.durationMs,
    activeBefore: observation.activeBefore,
    activeAfter: observation.activeAfter,
    conditions: conditions(observation),
    timeline: [...observation.events]
      .sort((left, right) => left.atUs - right.atUs)
      .map(({ atUs, what }) => ({ atMs: sinceMs(atUs, faultUs), what })),
    measured: measured(observation),
    promises,
    held: promises.every(({ holds }) => holds),
  };
}

function conditions(observation: Observation): DrillConditions {
  const { limits, topology, activeAfter, load } = observation;
  const priority = topology.priorities[activeAfter] ?? 1;
  return {
    probeIntervalMs: limits.probeIntervalMs,
    requestTimeoutMs: limits.requestTimeoutMs,
    advertIntervalMs: labTimings.advertIntervalMs,
    skewTimeMs: Math.round(skewTimeMs(priority, labTimings.advertIntervalMs)),
    activeDownMs: Math.round(activeDownMs(priority, labTimings.advertIntervalMs)),
    checkIntervalMs: labTimings.checkIntervalMs,
    checkTimeoutMs: labTimings.checkTimeoutMs,
    checkFall: labTimings.checkFall,
    allowanceMs: limits.allowanceMs,
    proberLatenessMaxMs: tenths(load.latenessMaxUs / 1_000),
    clientStalledMs: tenths(load.stalledUs / 1_000),
    requestsSkipped: load.skipped,
    recordsDropped: load.recordsDropped,
    framesDropped: observation.framesDropped,
  };
}

function measured(observation: Observation): DrillMeasured {
  const { load, faultUs, endUs, loadFromUs, weightZeroUs, weightBackUs, healedUs } = observation;
  const gap = longestGap(load.requests, loadSpan(observation));
  return {
    clientGapMs: tenths(lengthMs(gap)),
    clientGapFromMs: sinceMs(gap.fromUs, faultUs),
    clientGapToMs: sinceMs(gap.toUs, faultUs),
    requests: { ...totals(load), failedFor: failuresByReason(load.requests) },
    unexpectedFailures: (unexpectedFailures(observation) ?? [])
      .slice(0, unexpectedFailuresMax)
      .map(({ sentUs, endedUs, failure }) => ({
        sentAtMs: sinceMs(sentUs, faultUs),
        endedAtMs: sinceMs(endedUs, faultUs),
        failure,
      })),
    answersBefore: answersPerServer(load.requests, { fromUs: loadFromUs, toUs: faultUs }),
    answersAfter: answersPerServer(load.requests, { fromUs: faultUs, toUs: endUs }),
    persistentClients: persistentRows(observation),
    downloads: downloadRows(observation),
    weightZeroMs: weightZeroUs === undefined ? null : sinceMs(weightZeroUs, faultUs),
    weightBackMs:
      weightBackUs === undefined || healedUs === undefined ? null : sinceMs(weightBackUs, healedUs),
    takeoverAfterLastAdvertMs: takeoverAfterLastAdvertMs(observation),
    holders: holdersAtEnd(observation),
    adverts: advertCounts(observation.frames, faultUs),
    announcements: announcementCounts(observation.frames, faultUs),
  };
}

/** What the backup waited for: Active_Down_Interval, or next to nothing after a resignation. */
function takeoverAfterLastAdvertMs(observation: Observation): number | null {
  const { frames, topology, activeBefore, activeAfter, faultUs } = observation;
  if (activeBefore === activeAfter) return null;
  const before = directorAddress(topology, activeBefore);
  const after = directorAddress(topology, activeAfter);
  const adverts = frames.filter((frame) => frame.kind === 'advert');
  const last = adverts.findLast(({ source }) => source === before);
  const first = adverts.find(({ source, atUs }) => source === after && atUs > faultUs);
  return last === undefined || first === undefined ? null : sinceMs(first.atUs, last.atUs);
}

/** Counts adverts by sender and virtual router, in the order of first appearance. */
export function advertCounts(
  frames: readonly CapturedFrame[],
  faultUs: number,
): readonly AdvertCount[] {
  const adverts = frames.flatMap((frame) => (frame.kind === 'advert' ? [frame] : []));
  return groupBy(adverts, ({ source, vrid }) => `${source} ${vrid}`).map((group) => ({
    source: group[0].source,
    vrid: group[0].vrid,
    ...occurrences(group, faultUs),
  }));
}

/** Counts gratuitous ARPs and unsolicited neighbor advertisements by address and sender. */
export function announcementCounts(
  frames: readonly CapturedFrame[],
  faultUs: number,
): readonly AnnouncementCount[] {
  const announcements = frames.filter((frame) => frame.kind !== 'advert');
  return groupBy(announcements, ({ address, macAddress }) => `${address} ${macAddress}`).map(
    (group) => ({
      address: group[0].address,
      macAddress: group[0].macAddress,
      ...occurrences(group, faultUs),
    }),
  );
}

function occurrences(
  group: readonly { readonly atUs: number }[],
  faultUs: number,
): { count: number; firstAtMs: number; lastAtMs: number } {
  const times = group.map(({ atUs }) => atUs);
  return {
    count: group.length,
    firstAtMs: sinceMs(Math.min(...times), faultUs),
    lastAtMs: sinceMs(Math.max(...times), faultUs),
  };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function sinceMs(atUs: number, fromUs: number): number {
  return tenths((atUs - fromUs) / 1_000);
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
