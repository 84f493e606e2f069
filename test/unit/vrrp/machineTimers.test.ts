import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineAction, TimerName } from '../../../src/vrrp/machineModel.js';
import { Walk } from './support.js';

function generationOf(actions: readonly MachineAction[], timer: TimerName): number {
  for (const action of actions) {
    if (action.type === 'arm-timer' && action.timer === timer) return action.generation;
  }
  throw new Error(`${timer} was not armed`);
}

test('a tick of a timer that was armed anew since is ignored', () => {
  const walk = Walk.started();
  const stale = generationOf(walk.actions, 'active-down');
  walk.pass(3_000_000).hear({ priority: 200 }).pass(3_000_000);
  walk.event({ type: 'timer', timer: 'active-down', generation: stale, dueUs: walk.nowUs });
  assert.deepEqual(walk.actions, []);
  assert.equal(walk.state.current, 'backup');
});

test('a tick of a timer that was cancelled since is ignored', () => {
  const walk = Walk.active();
  const stale = generationOf(walk.actions, 'advertisement');
  walk.hear({ priority: 200 });
  walk.event({ type: 'timer', timer: 'advertisement', generation: stale, dueUs: walk.nowUs });
  assert.deepEqual(walk.actions, []);
});

test('a tick from before a restart of the router is ignored after it', () => {
  const walk = Walk.started();
  const stale = generationOf(walk.actions, 'active-down');
  const address = walk.state.ownAddress;
  walk.event({ type: 'interface', address: undefined, held: false });
  walk.event({ type: 'interface', address, held: false });
  walk.event({ type: 'timer', timer: 'active-down', generation: stale, dueUs: walk.nowUs });
  assert.equal(walk.state.current, 'backup');
});

test('no generation is handed out twice', () => {
  const walk = Walk.started({ announcements: { repeat: 1, delayMs: 10, refreshMs: 10 } });
  const seen = new Set<number>();
  const note = () => {
    for (const action of walk.actions) {
      if (action.type !== 'arm-timer') continue;
      assert.ok(!seen.has(action.generation));
      seen.add(action.generation);
    }
  };
  note();
  for (let round = 0; round < 5; round += 1) {
    walk.runNext('active-down');
    note();
    walk.runNext('announcement-refresh');
    note();
    walk.hear({ priority: 200 });
    note();
  }
});
