import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  followSplitBrain,
  type Instant,
  noSplitBrain,
  type SplitBrainState,
  splitBrainBoundMs,
  splitBrains,
  stateAgeMaxMs,
} from '../../../src/peer/comparison.js';
import type { PeerRouters } from '../../../src/peer/protocol.js';
import { makeRouter } from './support.js';

const boundMs = 3_000;
const active = makeRouter({ state: 'active', sinceUnixMs: 50_000 });
const backup = makeRouter();

function at(ms: number): Instant {
  return { monotonicMs: ms, unixMs: 100_000 + ms };
}

function follow(before: SplitBrainState, own: PeerRouters, peer: PeerRouters, ms: number) {
  return followSplitBrain(before, own, { routers: peer, stateAgeMs: 0 }, at(ms));
}

test('two Actives are a split brain only when they last longer than the bound', () => {
  const state = follow(noSplitBrain, [active], [{ ...active, sinceUnixMs: 60_000 }], 0);
  assert.deepEqual(splitBrains(state, boundMs, at(boundMs)), []);
  assert.deepEqual(splitBrains(state, boundMs, at(boundMs + 1)), [
    { router: 'outside', vrid: 51, reason: 'split-brain', sinceUnixMs: 60_000 },
  ]);
});

test('it is not forgotten when it was seen before, and ends when one yields', () => {
  let state = follow(noSplitBrain, [active], [active], 0);
  state = follow(state, [active], [active], 2_000);
  assert.equal(splitBrains(state, boundMs, at(3_001)).length, 1);
  state = follow(state, [active], [backup], 4_000);
  assert.equal(splitBrains(state, boundMs, at(9_000)).length, 0);
});

test('two that come and go are counted anew each time', () => {
  let state = follow(noSplitBrain, [active], [active], 0);
  state = follow(state, [active], [backup], 2_000);
  state = follow(state, [active], [active], 2_500);
  assert.equal(splitBrains(state, boundMs, at(4_000)).length, 0);
});

for (const [own, peer] of [
  ['active', 'backup'],
  ['backup', 'active'],
  ['backup', 'backup'],
  ['active', 'initialize'],
  ['active', 'a-state-of-a-newer-version'],
] as const) {
  test(`${own} here and ${peer} there is no split brain`, () => {
    const state = follow(
      noSplitBrain,
      [makeRouter({ state: own })],
      [makeRouter({ state: peer })],
      0,
    );
    assert.equal(splitBrains(state, boundMs, at(60_000)).length, 0);
  });
}

test('routers of different names and different VRIDs are not one router', () => {
  const other = { ...active, name: 'inside', vrid: 52 };
  const state = follow(noSplitBrain, [active], [other], 0);
  assert.equal(state.size, 0);
});

test('a router that was renamed on one side is still the same router', () => {
  const state = follow(noSplitBrain, [active], [{ ...active, name: 'public' }], 0);
  assert.equal(splitBrains(state, boundMs, at(60_000))[0]?.router, 'outside');
});

test('a VRID that is there twice does not tell which router is meant', () => {
  const peers = [
    { ...active, name: 'one' },
    { ...active, name: 'two' },
  ];
  assert.equal(follow(noSplitBrain, [active], peers, 0).size, 0);
});

test('a state that is too old begins and ends nothing', () => {
  const old = { routers: [backup], stateAgeMs: stateAgeMaxMs + 1 };
  const seen = follow(noSplitBrain, [active], [active], 0);
  assert.equal(followSplitBrain(seen, [active], old, at(5_000)), seen);
  const older = { ...old, routers: [active] };
  assert.equal(followSplitBrain(noSplitBrain, [active], older, at(5_000)).size, 0);
});

test('without a connection nothing is suspected', () => {
  const seen = follow(noSplitBrain, [active], [active], 0);
  assert.equal(followSplitBrain(seen, [active], null, at(5_000)).size, 0);
});

test('a jump of the wall clock neither makes nor hides a split brain', () => {
  const state = follow(noSplitBrain, [active], [active], 0);
  const jumped = { monotonicMs: 1_000, unixMs: 10_000_000 };
  assert.equal(splitBrains(state, boundMs, jumped).length, 0);
  const turnedBack = { monotonicMs: 10_000, unixMs: 0 };
  assert.equal(splitBrains(state, boundMs, turnedBack).length, 1);
});

test('the bound is three of the longest interval, and at least three seconds', () => {
  assert.equal(splitBrainBoundMs([]), 3_000);
  assert.equal(splitBrainBoundMs([1, 10]), 3_000);
  assert.equal(splitBrainBoundMs([100, 4095]), 122_850);
});
