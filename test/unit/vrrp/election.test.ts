import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyElection, nextDeadlineUs, noInputs, runTurn } from '../../../src/vrrp/election.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { edgeGroup, edgeRouters, inside, NodeWalk, outside } from './electionSupport.js';

const single = { routers: edgeRouters().slice(0, 1), syncGroups: [] };

test('an advert that waited during a stall is heard before its sender is declared dead', () => {
  const node = NodeWalk.configured(single);
  const deadlineUs = nextDeadlineUs(node.state) ?? 0;
  const heard = {
    router: outside,
    source: ipAddress('192.0.2.1'),
    advertisement: { vrid: 51, priority: 200, advertIntervalCs: 100, addresses: [] },
    receivedUs: deadlineUs - 10_000,
  };
  const { state, effects } = runTurn(
    node.state,
    { ...noInputs, advertisements: [heard] },
    deadlineUs + 490_000,
  );
  assert.equal(state.routers.get(outside)?.current, 'backup');
  assert.deepEqual(effects.transitions, []);
  assert.equal(nextDeadlineUs(state), deadlineUs - 10_000 + 3_609_375);
});

test('a Backup that was stalled past the death of its Active takes over at once', () => {
  const node = NodeWalk.configured(single).hear(outside, 200).pass(9_000_000).runNext();
  assert.equal(node.stateOf(outside), 'active');
});

test('a reload is taken before what is due, so a removed router does not take over first', () => {
  const node = NodeWalk.configured(single).pass(60_000_000);
  node.configure({ routers: [], syncGroups: [] });
  assert.deepEqual(node.transitions, ['outside initialize: reconfigured']);
  assert.equal(nextDeadlineUs(node.state), undefined);
});

test('a stop resigns every Active, releases its addresses and leaves no timer', () => {
  const node = NodeWalk.configured(edgeGroup()).runNext().command({ type: 'stop' });
  assert.deepEqual(node.advertised, ['outside 0', 'inside 0']);
  assert.deepEqual(node.transitions, [
    'outside initialize: shutdown',
    'inside initialize: shutdown',
  ]);
  assert.equal(node.state.routers.size, 0);
  assert.equal(node.state.timers.size, 0);
});

test('a node that leaves has gone as soon as one router of a group hears its successor', () => {
  const node = NodeWalk.configured(edgeGroup()).runNext().command({ type: 'leave' });
  assert.deepEqual(node.advertised, ['outside 0', 'inside 0']);
  assert.deepEqual(node.transitions, []);
  assert.equal(node.state.routers.size, 2);
  node.hear(outside, 50);
  assert.deepEqual(node.transitions, [
    'outside initialize: shutdown',
    'inside initialize: shutdown',
  ]);
  assert.equal(node.state.routers.size, 0);
  assert.equal(node.state.timers.size, 0);
});

test('a reload leaves unchanged routers alone: no advert, no transition, same timers', () => {
  const node = NodeWalk.configured(edgeGroup()).runNext().pass(100_000);
  const { timers } = node.state;
  node.configure(edgeGroup());
  assert.deepEqual(node.advertised, []);
  assert.deepEqual(node.transitions, []);
  assert.deepEqual(node.state.timers, timers);
});

test('a renamed router goes on, because the name is not on the wire', () => {
  const node = NodeWalk.configured(single).runNext();
  const routers = single.routers.map((spec) => ({ ...spec, name: 'renamed' }));
  node.configure({ routers, syncGroups: [] });
  assert.equal(node.stateOf(outside), 'active');
  assert.deepEqual(node.transitions, []);
});

test('a router with another identifier resigns under the old one and starts anew', () => {
  const node = NodeWalk.configured(single).runNext();
  const routers = single.routers.map((spec) => ({ ...spec, vrid: 77 }));
  node.configure({ routers, syncGroups: [] });
  assert.deepEqual(node.advertised, ['outside 0']);
  assert.deepEqual(node.transitions, [
    'outside initialize: reconfigured',
    'outside backup: startup',
  ]);
  assert.equal(node.stateOf('eth0/77'), 'backup');
});

test('demotions apply to the routers that are there and to those that come later', () => {
  const node = NodeWalk.configured(single);
  node.command({ type: 'demotions', demotions: [{ reason: 'main-thread-late', weight: 40 }] });
  node.configure({ routers: edgeRouters(), syncGroups: [] }).runFor(5_000_000);
  assert.deepEqual(node.states, ['active', 'active']);
  node.hear(outside, 80).hear(inside, 80);
  assert.deepEqual(node.states, ['backup', 'backup']);
});

test('an advertisement for a router that is not there is ignored', () => {
  const node = NodeWalk.configured(single).hear(inside, 200);
  assert.deepEqual(node.transitions, []);
});

test('timers that are due together run in the order of their deadlines', () => {
  const node = NodeWalk.configured({
    routers: edgeRouters().map((spec, index) => ({ ...spec, priority: 100 + index })),
    syncGroups: [],
  });
  node.pass(60_000_000).runNext();
  assert.deepEqual(
    node.transitions.map((text) => text.split(' ')[0]),
    ['inside'],
    'the higher priority is due first',
  );
  const atOnce = NodeWalk.configured(edgeGroup());
  const late = runTurn(atOnce.state, noInputs, atOnce.nowUs + 4_000_000);
  assert.equal(late.effects.transitions.length, 2);
});

test('a node without routers has nothing to wait for', () => {
  assert.equal(nextDeadlineUs(emptyElection), undefined);
  assert.deepEqual(runTurn(emptyElection, noInputs, 0).state, emptyElection);
});
