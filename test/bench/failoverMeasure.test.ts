import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CapturedFrame } from '../../src/drill/capture.js';
import { vrrpGroup } from '../../src/wire/vrrp.js';
import { type DirectorName, nodeAddresses, virtualAddress } from '../tools/lan.js';
import { DisturbedRoundError, measureRound, type PairSetting } from './failoverMeasure.js';
import type { Answer } from './failoverModel.js';
import { spreadOf } from './spread.js';

const macAddresses = { lb1: '02:00:00:00:00:01', lb2: '02:00:00:00:00:02' };
const pair = {
  advertIntervalMs: 1_000,
  addressCount: 1,
  before: 'lb1',
  after: 'lb2',
  backupPriority: 100,
  backupMacAddress: macAddresses.lb2,
} as const satisfies Omit<PairSetting, 'fault'>;
// For priority 100 and adverts of one second (RFC 9568, 6.1).
const skewTimeUs = 609_375;
const activeDownIntervalUs = 3_609_375;

function answers(from: DirectorName, ...timesUs: readonly number[]): readonly Answer[] {
  return timesUs.map((atUs) => ({ atUs, from }));
}

function advert(node: DirectorName, atUs: number, priority: number): CapturedFrame {
  const [source, destination] = [nodeAddresses[node], vrrpGroup(4)];
  const macAddress = '02:00:00:00:00:01';
  return {
    kind: 'advert',
    atUs,
    source,
    destination,
    macAddress,
    version: 3,
    vrid: 51,
    priority,
  };
}

function announcement(node: DirectorName, atUs: number): CapturedFrame {
  const macAddress = macAddresses[node];
  return { kind: 'gratuitous-arp', atUs, address: virtualAddress, macAddress };
}

test('a cut link is measured from the last advert that was heard', () => {
  const lastUs = 10_000_000;
  const boundUs = lastUs + activeDownIntervalUs;
  const record = {
    answers: [
      ...answers('lb1', lastUs - 1_000, lastUs, lastUs + 400_000),
      ...answers('lb2', boundUs + 4_000, boundUs + 5_000),
    ],
    frames: [
      advert('lb1', lastUs - 1_000_000, 150),
      advert('lb1', lastUs, 150),
      announcement('lb1', lastUs + 1_000),
      advert('lb2', boundUs + 1_000, 100),
      announcement('lb2', boundUs + 2_500),
      advert('lb2', boundUs + 1_001_000, 100),
    ],
  };
  assert.deepEqual(measureRound(record, { ...pair, fault: 'link-cut' }), {
    gapUs: activeDownIntervalUs + 4_000 - 400_000,
    beyondBoundUs: 4_000,
    advertAfterBoundUs: 1_000,
    announcementAfterAdvertUs: 1_500,
    answerAfterAnnouncementUs: 1_500,
  });
});

/** lb1 resigns, and lb2 takes over a little after its Skew_Time. */
function handoverFrames(resignedUs: number): readonly CapturedFrame[] {
  const boundUs = resignedUs + skewTimeUs;
  return [
    advert('lb1', resignedUs - 300_000, 150),
    advert('lb1', resignedUs, 0),
    advert('lb2', boundUs + 200, 100),
    announcement('lb2', boundUs + 900),
  ];
}

test('a polite stop is measured from priority 0', () => {
  const resignedUs = 10_000_000;
  const boundUs = resignedUs + skewTimeUs;
  const record = {
    answers: [
      ...answers('lb1', resignedUs - 1_000, resignedUs + 500),
      ...answers('lb2', boundUs + 2_000),
    ],
    frames: handoverFrames(resignedUs),
  };
  const measured = measureRound(record, { ...pair, fault: 'polite-stop' });
  assert.equal(measured.gapUs, skewTimeUs + 1_500);
  assert.equal(measured.beyondBoundUs, 2_000);
  assert.throws(
    () => measureRound(record, { ...pair, fault: 'polite-stop', before: 'lb2' }),
    DisturbedRoundError,
  );
});

test('one that answers until its successor does has the gap between the two', () => {
  const resignedUs = 10_000_000;
  const boundUs = resignedUs + skewTimeUs;
  const record = {
    // The client was held up for longer than the failover took, which is no part of it.
    answers: [
      ...answers('lb1', resignedUs - 9_000, resignedUs, boundUs + 1_000),
      ...answers('lb2', boundUs + 2_000),
    ],
    frames: handoverFrames(resignedUs),
  };
  const measured = measureRound(record, { ...pair, fault: 'polite-stop' });
  assert.equal(measured.gapUs, 1_000);
  assert.equal(measured.advertAfterBoundUs, 200);
  assert.equal(measured.announcementAfterAdvertUs, 700);
});

test('a longer gap beside the failover makes the round worthless, and that is said', () => {
  const record = {
    answers: [...answers('lb1', 0, 9_000_000), ...answers('lb2', 10_000_000)],
    frames: [],
  };
  const measure = () => measureRound(record, { ...pair, fault: 'link-cut' });
  assert.throws(measure, DisturbedRoundError);
  assert.throws(measure, /answers of lb1 before it, lb1 after it/);
});

test('what the port has not seen is named', () => {
  const record = { answers: [...answers('lb1', 0), ...answers('lb2', 700_000)], frames: [] };
  const measure = () => measureRound(record, { ...pair, fault: 'polite-stop' });
  assert.throws(measure, /has not seen a priority 0 of lb1/);
  assert.throws(
    () => measureRound({ answers: [], frames: [] }, { ...pair, fault: 'link-cut' }),
    /has not seen two answers/,
  );
});

test('the median of an even number of values is the mean of the two in the middle', () => {
  assert.deepEqual(spreadOf([5]), { min: 5, median: 5, max: 5 });
  assert.deepEqual(spreadOf([9, 1, 4]), { min: 1, median: 4, max: 9 });
  assert.deepEqual(spreadOf([10, 2, 4, 1]), { min: 1, median: 3, max: 10 });
  assert.equal(spreadOf([]), undefined);
});

test('a round in which the Active had lowered its priority itself says nothing', () => {
  const lastUs = 10_000_000;
  const record = {
    answers: [...answers('lb1', lastUs), ...answers('lb2', lastUs + 4_000_000)],
    frames: [advert('lb1', lastUs, 100), advert('lb2', lastUs + 3_900_000, 100)],
  };
  assert.throws(() => measureRound(record, { ...pair, fault: 'link-cut' }), DisturbedRoundError);
});
