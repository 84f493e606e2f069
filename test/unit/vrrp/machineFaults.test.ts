import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../../src/vrrp/protocol.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { edgeGroup, edgeRouters, inside, NodeWalk, outside } from './electionSupport.js';
import { Walk } from './support.js';

const fault: Fault = { reason: 'tracked-script-failing', tracker: 'check', routers: ['outside'] };
const other: Fault = { ...fault, tracker: 'other' };
const address = ipAddress('192.0.2.2');
const set = (walk: Walk, ...faults: readonly Fault[]) =>
  walk.event({ type: 'faults', faults, held: false });

test('an Active with a fault says priority 0, gives up its addresses and leaves', () => {
  const walk = set(Walk.active(), fault);
  assert.deepEqual(walk.did, [
    'advertise 0',
    'remove-addresses 192.0.2.100',
    'active -> initialize: tracker-failed',
  ]);
  assert.deepEqual(walk.armed, []);
});

test('a Backup with a fault leaves without a word', () => {
  const walk = set(Walk.started(), fault);
  assert.deepEqual(walk.did, ['backup -> initialize: tracker-failed']);
  walk.hear({ priority: 0 });
  assert.deepEqual(walk.actions, []);
});

test('an owner with a fault leaves like any other router', () => {
  assert.equal(set(Walk.active({ priority: 255 }), fault).state.current, 'initialize');
});

test('with the last fault gone the router starts anew as a Backup', () => {
  const walk = set(set(Walk.active(), fault, other), other);
  assert.deepEqual(walk.did, []);
  set(walk);
  assert.equal(walk.did.at(-1), 'initialize -> backup: tracker-recovered');
  assert.equal(walk.due('active-down'), 3_609_375);
});

test('an owner is Active again at once', () => {
  const walk = set(set(Walk.active({ priority: 255 }), fault));
  assert.equal(walk.state.current, 'active');
  assert.equal(walk.state.reason, 'tracker-recovered');
});

test('an interface that comes back does not end a fault, nor the other way round', () => {
  const walk = set(Walk.active(), fault);
  walk.event({ type: 'interface', address: undefined, held: false });
  assert.equal(walk.state.reason, 'interface-down');
  walk.event({ type: 'interface', address, held: false });
  assert.equal(walk.state.reason, 'tracker-failed');
  walk.event({ type: 'interface', address: undefined, held: false });
  set(walk);
  assert.equal(walk.state.current, 'initialize');
  walk.event({ type: 'interface', address, held: false });
  assert.equal(walk.state.current, 'backup');
});

test('demotions and faults apply to the routers that they name', () => {
  const walk = NodeWalk.configured({ routers: edgeRouters(), syncGroups: [] }).runFor(4_000_000);
  walk.command({
    type: 'demotions',
    demotions: [
      { reason: 'service-below-quorum', weight: 30, tracker: 'web', routers: ['inside'] },
      { reason: 'health-thread-lost', weight: 5 },
    ],
    faults: [fault],
  });
  assert.deepEqual(walk.states, ['initialize', 'active']);
  assert.deepEqual(walk.advertised, ['outside 95', 'outside 0', 'inside 65']);
  assert.equal(walk.state.routers.get(outside)?.demotions.length, 1);
  assert.equal(walk.state.routers.get(inside)?.demotions.length, 2);
});

test('what is said again changes nothing', () => {
  const walk = NodeWalk.configured({ routers: edgeRouters(), syncGroups: [] }).runFor(4_000_000);
  const command = {
    type: 'demotions',
    demotions: [{ reason: 'service-below-quorum', weight: 30, routers: ['inside'] }],
  } as const;
  assert.deepEqual(walk.command(command).advertised, ['inside 70']);
  assert.deepEqual(walk.command(structuredClone(command)).advertised, []);
});

test('a router that starts with a fault does not take part at all', () => {
  const walk = new NodeWalk().command({ type: 'demotions', demotions: [], faults: [fault] });
  walk.configure({ routers: edgeRouters({ priority: 255 }), syncGroups: [] });
  assert.deepEqual(walk.states, ['initialize', 'active']);
  assert.deepEqual(walk.advertised, ['inside 255']);
  assert.equal(walk.state.routers.get(outside)?.reason, 'tracker-failed');
});

test('a router that is renamed has what its new name has', () => {
  const walk = NodeWalk.configured({ routers: edgeRouters(), syncGroups: [] }).runFor(4_000_000);
  walk.command({ type: 'demotions', demotions: [], faults: [{ ...fault, routers: ['uplink'] }] });
  assert.deepEqual(walk.states, ['active', 'active']);
  const [first, second] = edgeRouters();
  assert.ok(first !== undefined && second !== undefined);
  walk.configure({ routers: [{ ...first, name: 'uplink' }, second], syncGroups: [] });
  assert.deepEqual(walk.states, ['initialize', 'active']);
});

test('the fault of one member takes its whole group out of Active', () => {
  const walk = NodeWalk.configured(edgeGroup()).runFor(4_000_000);
  assert.deepEqual(walk.states, ['active', 'active']);
  walk.command({ type: 'demotions', demotions: [], faults: [fault] });
  assert.deepEqual(walk.states, ['initialize', 'backup']);
  assert.deepEqual(walk.advertised, ['outside 0', 'inside 0']);
  walk.runFor(20_000_000);
  assert.deepEqual(walk.states, ['initialize', 'backup']);
  walk.command({ type: 'demotions', demotions: [], faults: [] }).runFor(4_000_000);
  assert.deepEqual(walk.states, ['active', 'active']);
});

test('an owner of a group that another member holds back does not start alone', () => {
  const walk = new NodeWalk().command({ type: 'demotions', demotions: [], faults: [fault] });
  walk.configure(edgeGroup({ priority: 255 }));
  assert.deepEqual(walk.states, ['initialize', 'backup']);
});
