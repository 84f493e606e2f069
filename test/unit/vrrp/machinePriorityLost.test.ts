import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Demotion } from '../../../src/vrrp/protocol.js';
import { makeSpec, Walk } from './support.js';

const uplink: Demotion = { reason: 'tracked-interface-down', weight: 60, tracker: 'uplink' };
const small: Demotion = { reason: 'tracked-file-value', weight: 10, tracker: 'load' };
const demote = (walk: Walk, ...demotions: readonly Demotion[]) =>
  walk.event({ type: 'demotions', demotions });
const pair = { priority: 150, peerPriorities: [100] };

test('an Active that falls below its peer says its priority and 0, and keeps the addresses', () => {
  const walk = demote(Walk.active(pair).pass(300_000), uplink);
  assert.deepEqual(walk.did, ['advertise 90', 'advertise 0']);
  assert.equal(walk.state.current, 'active');
  assert.equal(walk.due('advertisement'), 1_000_000);
});

test('an Active that stays above its peer says its priority at once, and nothing else', () => {
  const walk = demote(Walk.active(pair).pass(300_000), small);
  assert.deepEqual(walk.did, ['advertise 140']);
  assert.equal(walk.due('advertisement'), 1_000_000);
});

test('a peer that was heard counts as one that the configuration names', () => {
  const heard = Walk.active({ priority: 150 }).hear({ priority: 120 });
  assert.deepEqual(demote(heard, uplink).did, ['advertise 90', 'advertise 0']);
  const alone = Walk.active({ priority: 150 });
  assert.deepEqual(demote(alone, uplink).did, ['advertise 90']);
});

test('a peer that was preempted is remembered', () => {
  const walk = Walk.started({ priority: 150 }).hear({ priority: 100 }).runNext('active-down');
  assert.deepEqual(demote(walk, uplink).did, ['advertise 90', 'advertise 0']);
});

test('an equal priority is not lost: the addresses decide as before', () => {
  const walk = demote(Walk.active(pair), { ...uplink, weight: 50 });
  assert.deepEqual(walk.did, ['advertise 100']);
});

test('it yields as soon as the higher one is heard, for that reason', () => {
  const walk = demote(Walk.active(pair), uplink).hear({ priority: 100 });
  assert.deepEqual(walk.did, [
    'remove-addresses 192.0.2.100',
    'active -> backup: higher-priority-heard',
  ]);
});

test('one that takes the place and is lower still is told to leave, and the offer ends', () => {
  const walk = demote(Walk.active(pair), uplink).pass(500_000).hear({ priority: 40 });
  assert.equal(walk.did[0], 'advertise 90');
  assert.equal(walk.state.current, 'active');
  walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 90']);
});

test('when nobody takes the place within an Active_Down_Interval it goes on, lowered', () => {
  const walk = demote(Walk.active(pair), uplink);
  const sent: string[] = [];
  for (let beat = 0; beat < 5; beat += 1) sent.push(...walk.runNext('advertisement').did);
  const expected = ['0', '0', '0', '90', '90'].map((priority) => `advertise ${priority}`);
  assert.deepEqual(sent, expected);
  assert.equal(walk.state.current, 'active');
});

test('a further demotion of one that is below already offers nothing again', () => {
  const walk = demote(Walk.active(pair), uplink);
  for (let beat = 0; beat < 4; beat += 1) walk.runNext('advertisement');
  assert.deepEqual(demote(walk, uplink, small).did, ['advertise 80']);
});

test('an offer is taken back when the priority wins again', () => {
  const walk = demote(Walk.active(pair), uplink).pass(200_000);
  assert.deepEqual(demote(walk).did, ['advertise 150']);
  walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 150']);
});

test('an offer stands while the priority that comes back still loses', () => {
  const walk = demote(Walk.active(pair), uplink, small).pass(200_000);
  assert.deepEqual(demote(walk, uplink).did, []);
  walk.runNext('advertisement');
  assert.deepEqual(walk.did, ['advertise 0']);
});

test('without preemption the place is not offered: the Active stays as long as it works', () => {
  const walk = Walk.active({ ...pair, preempt: { enabled: false, delayMs: 0 } });
  assert.deepEqual(demote(walk, uplink).did, ['advertise 90']);
});

test('an owner is not moved', () => {
  assert.deepEqual(demote(Walk.active({ ...pair, priority: 255 }), uplink).did, []);
});

test('a negative weight raises the priority, up to that below the owner', () => {
  const walk = demote(Walk.active(pair), { ...uplink, weight: -200 });
  assert.deepEqual(walk.runNext('advertisement').did, ['advertise 254']);
});

test('a reload that lowers the priority below the peer is as quick', () => {
  const walk = Walk.active(pair).pass(300_000);
  walk.event({ type: 'spec', spec: makeSpec({ ...pair, priority: 50 }) });
  assert.deepEqual(walk.did, ['advertise 50', 'advertise 0']);
});

test('a Backup that hears the two waits for its skew only', () => {
  const walk = Walk.started({ priority: 100 }).hear({ priority: 150 }).pass(400_000);
  walk.hear({ priority: 90 }).hear({ priority: 0 });
  assert.equal(walk.due('active-down'), 609_375);
  assert.equal(walk.runNext('active-down').state.reason, 'active-resigned');
});
