import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeDownMs, drillLimits, gapBound, skewTimeMs } from '../../../src/drill/drillLimits.js';
import { kernelKinds } from '../../../src/drill/kernelChoice.js';
import { natTopology } from '../../../src/drill/natTopologies.js';
import { type Observation, virtualAddresses } from '../../../src/drill/observation.js';
import { holds, measurePromises } from '../../../src/drill/promises.js';
import type { PromiseResult } from '../../../src/drill/report.js';
import { drTopology } from '../../../src/drill/routedTopologies.js';
import { type PromiseName, scenarios } from '../../../src/drill/scenario.js';
import {
  advert,
  answer,
  answersBetween,
  fullTable,
  goodCrash,
  gratuitousArp,
  scenarioNamed,
  template,
  timeout,
} from './support.js';

const viPs = virtualAddresses(natTopology);

function measure(observation: Observation, name: PromiseName): PromiseResult {
  const found = measurePromises(observation).find((promise) => promise.name === name);
  assert.ok(found, `${observation.scenario.name} does not promise ${name}`);
  return found;
}

/** A server that failed at 10 s, had weight 0 at 11 s, and was back at 15 s. */
function serverDown(changes: Partial<Observation> = {}): Observation {
  const good = goodCrash();
  return goodCrash({
    scenario: scenarioNamed('server-down'),
    activeAfter: 'lb1',
    weightZeroUs: 11_000_000,
    healedUs: 14_000_000,
    weightBackUs: 15_000_000,
    addressesAtEnd: new Map([['lb1', viPs]]),
    load: {
      ...good.load,
      requests: [
        ...answersBetween(0, 10_000),
        timeout(10_100, 10_200),
        ...answersBetween(10_200, 20_000),
      ],
    },
    ...changes,
  });
}

test('a takeover that went well holds every promise', () => {
  const broken = measurePromises(goodCrash()).filter((promise) => !promise.holds);
  assert.deepEqual(broken, []);
});

test('a server failure that went well holds every promise', () => {
  const broken = measurePromises(serverDown()).filter((promise) => !promise.holds);
  assert.deepEqual(broken, []);
});

test('every promise of every scenario is measured, and each only once', () => {
  for (const scenario of scenarios) {
    const names = measurePromises(goodCrash({ scenario })).map(({ name }) => name);
    assert.deepEqual(names, scenario.promises);
    assert.equal(new Set(names).size, names.length);
  }
});

const lost = goodCrash().load;

const turns = goodCrash().turns;

const broken: readonly {
  title: string;
  promise: PromiseName;
  observation: Observation;
  measured: number | null;
}[] = [
  {
    title: 'an address on both directors breaks the promise of one holder',
    promise: 'one-holder',
    observation: goodCrash({
      addressesAtEnd: new Map([
        ['lb1', viPs.slice(0, 1)],
        ['lb2', viPs],
      ]),
    }),
    measured: 1,
  },
  {
    title: 'addresses that nobody holds break the promise of one holder',
    promise: 'one-holder',
    observation: goodCrash({ addressesAtEnd: new Map([['lb2', []]]) }),
    measured: 0,
  },
  {
    title: 'a gap beyond Active_Down_Interval and the allowance is too long',
    promise: 'client-gap',
    observation: goodCrash({
      load: {
        ...lost,
        requests: [...answersBetween(0, 10_000), ...answersBetween(14_000, 20_000)],
      },
    }),
    measured: 4_010,
  },
  {
    title: 'a request that fails after the takeover is one too many',
    promise: 'failures-inside-gap',
    observation: goodCrash({
      load: { ...lost, requests: [...lost.requests, timeout(15_000, 16_000)] },
    }),
    measured: 1,
  },
  {
    title: 'a client that the standby did not know breaks the promise of sync',
    promise: 'standby-in-sync',
    observation: goodCrash({ standbyConnections: [template(0)] }),
    measured: 1,
  },
  {
    title: 'a new Active that is never announced breaks the promise of announcement',
    promise: 'announced',
    observation: goodCrash({ frames: [] }),
    measured: null,
  },
  {
    title: 'what the lost Active announced at the last moment does not announce the new one',
    promise: 'announced',
    observation: goodCrash({
      frames: [gratuitousArp(10_001, '02:00:00:00:00:01'), advert(13_000, '172.25.254.102')],
    }),
    measured: null,
  },
  {
    title: 'two turns that one server took from another break the promise of turns',
    promise: 'turns-follow-weights',
    observation: goodCrash({
      turns: [...turns.slice(0, -2), answer(4, 5, 'rs3'), answer(5, 6, 'rs3')],
    }),
    measured: turns.length - 1,
  },
  {
    title: 'an answer that goes past the director is none of address translation',
    promise: 'servers-answer-clients',
    observation: goodCrash({ serverAnswers: 1 }),
    measured: 1,
  },
  {
    title: 'an answer that does not come from the server is none of direct routing',
    promise: 'servers-answer-clients',
    observation: goodCrash({ topology: drTopology, serverAnswers: turns.length - 1 }),
    measured: turns.length - 1,
  },
  {
    title: 'a persistent client with two servers before the fault does not stick',
    promise: 'persistent-clients-stick',
    observation: goodCrash({
      load: {
        ...lost,
        persistent: lost.persistent.map((client, index) => ({
          ...client,
          requests: [answer(1, 2, 'rs1'), answer(3, 4, index === 0 ? 'rs2' : 'rs1')],
        })),
      },
    }),
    measured: 1,
  },
  {
    title: 'one server that gets everything breaks the promise of shares',
    promise: 'share-follows-weights',
    observation: goodCrash({ load: { ...lost, requests: [answer(1, 2), answer(2, 3)] } }),
    measured: 50,
  },
  {
    title: 'a server whose weight stays 0 in one service is not back',
    promise: 'all-servers-back',
    observation: goodCrash({
      serversAtEnd: fullTable().map((server, index) =>
        index === 0 ? { ...server, weight: 0 } : server,
      ),
    }),
    measured: 5,
  },
  {
    title: 'a server that does not answer again is missed',
    promise: 'all-servers-answer',
    observation: serverDown({
      load: { ...lost, requests: [...answersBetween(0, 15_000), answer(16_000, 16_001)] },
    }),
    measured: 1,
  },
  {
    title: 'a persistent client that moved although the standby knew it breaks its promise',
    promise: 'persistent-clients-stay',
    observation: goodCrash({
      load: {
        ...lost,
        persistent: lost.persistent.map((client) => ({
          ...client,
          requests: [answer(1, 2, 'rs1'), answer(15_000, 15_001, 'rs2')],
        })),
      },
    }),
    measured: 0,
  },
  {
    title: 'a download that the standby knew and that ends breaks its promise',
    promise: 'downloads-survive',
    observation: goodCrash({
      load: {
        ...lost,
        downloads: lost.downloads.map((download) => ({
          ...download,
          ended: { atUs: 13_000_000, reason: 'reset' as const },
        })),
      },
    }),
    measured: 0,
  },
  {
    title: 'a weight that never becomes 0 breaks its promise',
    promise: 'weight-zero',
    observation: serverDown({ weightZeroUs: undefined }),
    measured: null,
  },
  {
    title: 'a weight that becomes 0 too late breaks its promise',
    promise: 'weight-zero',
    observation: serverDown({ weightZeroUs: 11_651_000 }),
    measured: 1_651,
  },
  {
    title: 'a request that fails after weight 0 breaks its promise',
    promise: 'failures-end-with-weight-zero',
    observation: serverDown({ load: { ...lost, requests: [timeout(11_100, 11_200)] } }),
    measured: 1,
  },
  {
    title: 'a persistent client that is still sent to a server with weight 0 is stranded',
    promise: 'persistent-clients-rescued',
    observation: serverDown({
      load: {
        ...lost,
        persistent: lost.persistent.map((client) => ({
          ...client,
          requests: [answer(1, 2), timeout(11_500, 12_500)],
        })),
      },
    }),
    measured: 2,
  },
];

for (const { title, promise, observation, measured } of broken) {
  test(title, () => {
    const result = measure(observation, promise);
    assert.deepEqual([result.measured, result.holds], [measured, false]);
  });
}

test('a client that the standby did not know is not expected to stay', () => {
  const moved = goodCrash({
    standbyConnections: [],
    load: {
      ...lost,
      persistent: lost.persistent.map((client) => ({
        ...client,
        requests: [answer(1, 2, 'rs1'), answer(15_000, 15_001, 'rs2')],
      })),
    },
  });
  assert.equal(measure(moved, 'persistent-clients-stay').bound, 0);
  assert.equal(measure(moved, 'standby-in-sync').holds, false);
});

test('a bound is met by a value that equals it, and never by one that is missing', () => {
  const promise = { says: '', unit: '', bound: 5, comparison: 'at-most' as const };
  assert.equal(holds({ ...promise, measured: 5 }), true);
  assert.equal(holds({ ...promise, measured: 5.1 }), false);
  assert.equal(holds({ ...promise, measured: null }), false);
  assert.equal(holds({ ...promise, comparison: 'exactly', measured: 4 }), false);
});

test('the times of the protocol are those of RFC 9568', () => {
  assert.equal(skewTimeMs(100, 1_000), 609.375);
  assert.equal(activeDownMs(100, 1_000), 3_609.375);
  assert.equal(activeDownMs(254, 10), 30.078125);
});

test('the bound of the gap follows from what the fault does to the pair', () => {
  const limits = { ...drillLimits('host'), allowanceMs: 100 };
  const bound = (name: string): number =>
    gapBound(scenarioNamed(name), natTopology, 'lb2', limits).milliseconds;
  assert.equal(bound('director-crash'), 3_709);
  assert.equal(bound('director-stop'), 709);
  assert.equal(bound('server-down'), 106);
});

test('a polite stop is bounded below Active_Down_Interval on every kernel', () => {
  for (const kernel of kernelKinds) {
    const limits = drillLimits(kernel);
    const { milliseconds } = gapBound(scenarioNamed('director-stop'), natTopology, 'lb2', limits);
    assert.ok(milliseconds < activeDownMs(100, 1_000), `${kernel}: ${milliseconds} ms`);
  }
});
