/** Measures the promises of a scenario against what a run has seen. Pure. */
import { gapBound, weightZeroBoundMs } from './drillLimits.js';
import type { ProcService } from './ipvsProcTable.js';
import {
  answersPerServer,
  countAnswers,
  type FailedRequest,
  failuresOutside,
  lengthMs,
  longestGap,
  type Span,
  shareDeviation,
} from './measurements.js';
import {
  directorAddress,
  failedServer,
  holdersAtEnd,
  isDownloadSynced,
  isTemplateSynced,
  loadSpan,
  type Observation,
} from './observation.js';
import { downloadRows, persistentRows } from './outcomes.js';
import type { PromiseResult } from './report.js';
import type { PromiseName } from './scenario.js';
import type { TopologyService } from './topology.js';

/** How far the shares may be from the weights, in percentage points. */
const shareDeviationMax = 5;

type Measured = Omit<PromiseResult, 'name' | 'holds'>;

/** Measures every promise of the scenario. */
export function measurePromises(observation: Observation): readonly PromiseResult[] {
  return observation.scenario.promises.map((name) => {
    const promise = measures[name](observation);
    return { name, ...promise, holds: holds(promise) };
  });
}

/** Whether a measured value is within its bound; a value that is missing never is. */
export function holds({ measured, comparison, bound }: Measured): boolean {
  if (measured === null) return false;
  return comparison === 'at-most' ? measured <= bound : measured === bound;
}

const measures: Readonly<Record<PromiseName, (observation: Observation) => Measured>> = {
  'share-follows-weights': (observation) => {
    const { load, topology, loadFromUs, faultUs } = observation;
    // Requests under way at the fault are lost for whichever server had them.
    const before = { fromUs: loadFromUs, toUs: faultUs };
    const weights = Object.fromEntries(topology.servers.map(({ node, weight }) => [node, weight]));
    const deviation = shareDeviation(answersPerServer(load.requests, before), weights);
    return {
      says: 'requests are shared as the weights say',
      measured: deviation === undefined ? null : round(deviation),
      comparison: 'at-most',
      bound: shareDeviationMax,
      unit: 'percentage points',
    };
  },
  'turns-follow-weights': ({ turns, topology }) => {
    const counts = countAnswers(turns);
    const weights = topology.servers.map(({ weight }) => weight);
    const rounds = turns.length / weights.reduce((sum, weight) => sum + weight, 0);
    const right = topology.servers.map(({ node, weight }) =>
      Math.min(counts[node] ?? 0, weight * rounds),
    );
    return {
      says: 'requests one after the other that went to the server whose turn it was',
      measured: right.reduce((sum, count) => sum + count, 0),
      comparison: 'exactly',
      bound: turns.length,
      unit: 'requests',
    };
  },
  'servers-answer-clients': ({ turns, topology, serverAnswers }) => ({
    says:
      topology.forward === 'nat'
        ? 'answers that went past the director'
        : 'answers that came straight from the servers',
    measured: serverAnswers,
    comparison: 'exactly',
    bound: topology.forward === 'nat' ? 0 : turns.length,
    unit: 'answers',
  }),
  'persistent-clients-stick': ({ load, faultUs }) => {
    const one = load.persistent.filter(({ requests }) => {
      const before = requests.filter(({ endedUs }) => endedUs <= faultUs);
      return Object.keys(countAnswers(before)).length === 1;
    });
    return {
      says: 'persistent clients that had one server before the fault',
      measured: one.length,
      comparison: 'exactly',
      bound: load.persistent.length,
      unit: 'clients',
    };
  },
  'standby-in-sync': ({ load, standbyConnections }) => {
    const templates = load.persistent.filter(({ address }) =>
      isTemplateSynced(standbyConnections, address),
    );
    const downloads = load.downloads.filter((download) =>
      isDownloadSynced(standbyConnections, download),
    );
    return {
      says: 'the standby knows every persistent client and every download before the fault',
      measured: templates.length + downloads.length,
      comparison: 'exactly',
      bound: load.persistent.length + load.downloads.length,
      unit: 'entries',
    };
  },
  'one-holder': (observation) => {
    const holders = Object.values(holdersAtEnd(observation));
    const right = holders.filter(
      (directors) => directors.length === 1 && directors[0] === observation.activeAfter,
    );
    return {
      says: `every virtual address is on ${observation.activeAfter}, and on no other director`,
      measured: right.length,
      comparison: 'exactly',
      bound: holders.length,
      unit: 'addresses',
    };
  },
  'client-gap': (observation) => {
    const { scenario, topology, activeAfter, limits, load } = observation;
    const bound = gapBound(scenario, topology, activeAfter, limits);
    return {
      says: 'the longest time without an answer',
      measured: round(lengthMs(longestGap(load.requests, loadSpan(observation)))),
      comparison: 'at-most',
      bound: bound.milliseconds,
      unit: 'ms',
      boundIs: bound.is,
    };
  },
  announced: (observation) => {
    const delayUs = announcementDelayUs(observation);
    return {
      says: "from the new Active's first advert to its announcement of the address",
      measured: delayUs === undefined ? null : round(delayUs / 1_000),
      comparison: 'at-most',
      bound: observation.limits.allowanceMs,
      unit: 'ms',
    };
  },
  'failures-inside-gap': (observation) => ({
    says: 'requests that failed outside the takeover',
    measured: unexpectedFailures(observation)?.length ?? null,
    comparison: 'exactly',
    bound: 0,
    unit: 'requests',
  }),
  'weight-zero': ({ weightZeroUs, faultUs, limits }) => ({
    says: 'from the fault to weight 0 in the kernel of the Active',
    measured: weightZeroUs === undefined ? null : round((weightZeroUs - faultUs) / 1_000),
    comparison: 'at-most',
    bound: weightZeroBoundMs(limits.allowanceMs),
    unit: 'ms',
    boundIs: `interval x fall + timeout + allowance ${limits.allowanceMs}`,
  }),
  'failures-end-with-weight-zero': (observation) => ({
    says: 'requests that failed before the fault or after weight 0',
    measured: unexpectedFailures(observation)?.length ?? null,
    comparison: 'exactly',
    bound: 0,
    unit: 'requests',
  }),
  'all-servers-back': ({ topology, serversAtEnd }) => {
    const expected = topology.services.flatMap((service) =>
      topology.servers.map(({ address, weight }) => ({ address, weight, of: service })),
    );
    const right = expected.filter((server) =>
      serversAtEnd.some(
        ({ service, address, weight }) =>
          isSameService(service, server.of) &&
          address === server.address &&
          weight === server.weight,
      ),
    );
    return {
      says: 'servers with their configured weight at the end',
      measured: right.length,
      comparison: 'exactly',
      bound: expected.length,
      unit: 'servers',
    };
  },
  'all-servers-answer': (observation) => {
    const fromUs = observation.weightBackUs ?? takeoverSpan(observation).toUs;
    const span = { fromUs, toUs: observation.endUs };
    return {
      says: 'servers that answered after the recovery',
      measured: Object.keys(answersPerServer(observation.load.requests, span)).length,
      comparison: 'exactly',
      bound: observation.topology.servers.length,
      unit: 'servers',
    };
  },
  'persistent-clients-stay': (observation) => {
    const expected = persistentRows(observation).filter(({ expectedToStay }) => expectedToStay);
    const exception = failedServer(observation.scenario);
    return {
      says:
        exception === undefined
          ? 'persistent clients known to the standby that kept their server'
          : `persistent clients of servers other than ${exception} that kept their server`,
      measured: expected.filter(({ outcome }) => outcome === 'stayed').length,
      comparison: 'exactly',
      bound: expected.length,
      unit: 'clients',
    };
  },
  'persistent-clients-rescued': ({ load, weightZeroUs, endUs }) => {
    const requests = load.persistent.flatMap((client) => client.requests);
    return {
      says: 'requests of persistent clients that failed after weight 0',
      measured:
        weightZeroUs === undefined
          ? null
          : requests.filter(
              ({ result, sentUs }) =>
                'failure' in result && sentUs > weightZeroUs && sentUs < endUs,
            ).length,
      comparison: 'exactly',
      bound: 0,
      unit: 'requests',
    };
  },
  'downloads-survive': (observation) => {
    const expected = downloadRows(observation).filter((row) => row.expectedToSurvive);
    return {
      says: 'established downloads that went on, of those whose server and table entry remained',
      measured: expected.filter(({ outcome }) => outcome === 'survived').length,
      comparison: 'exactly',
      bound: expected.length,
      unit: 'downloads',
    };
  },
};

function isSameService(found: ProcService, { mark, listeners }: TopologyService): boolean {
  if ('mark' in found) return found.mark === mark;
  return (
    mark === undefined &&
    listeners.some(({ address, port }) => found.address === address && found.port === port)
  );
}

/**
 * The requests that failed although nothing was broken for them; `undefined` when it is not known
 * how long the fault could be felt.
 */
export function unexpectedFailures(observation: Observation): readonly FailedRequest[] | undefined {
  const { scenario, load, faultUs, weightZeroUs } = observation;
  if (scenario.effect !== 'server-lost') {
    return failuresOutside(load.requests, takeoverSpan(observation));
  }
  if (weightZeroUs === undefined) return undefined;
  return failuresOutside(load.requests, { fromUs: faultUs, toUs: weightZeroUs });
}

/** From the fault, or the last answer before it, to the end of the gap that contains it. */
export function takeoverSpan(observation: Observation): Span {
  const gap = longestGap(observation.load.requests, loadSpan(observation));
  return {
    fromUs: Math.min(gap.fromUs, observation.faultUs),
    toUs: Math.max(gap.toUs, observation.faultUs),
  };
}

function announcementDelayUs(observation: Observation): number | undefined {
  const { frames, faultUs, topology, activeAfter, activeAfterMacAddress } = observation;
  const source = directorAddress(topology, activeAfter);
  const advert = frames.find(
    (frame) => frame.kind === 'advert' && frame.atUs > faultUs && frame.source === source,
  );
  const announcement = frames.find(
    (frame) =>
      (frame.kind === 'gratuitous-arp' || frame.kind === 'neighbor-advertisement') &&
      frame.atUs > faultUs &&
      // The lost Active may have announced itself at the very last moment.
      frame.macAddress === activeAfterMacAddress &&
      frame.address === topology.serviceAddress,
  );
  if (advert === undefined || announcement === undefined) return undefined;
  return Math.abs(announcement.atUs - advert.atUs);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
