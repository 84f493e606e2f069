import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  groupState,
  type HookChange,
  hookCommand,
  hookEnvironment,
  hookJobs,
} from '../../../src/agent/hookJobs.js';
import type { HookOccasion, HookSpec } from '../../../src/config/model.js';
import type { TransitionReason, VirtualRouterState } from '../../../src/vrrp/reasons.js';
import { makeSpec } from '../vrrp/support.js';

const hook = (changes: Partial<HookSpec> = {}): HookSpec => ({
  name: 'tell',
  on: ['active', 'backup', 'initialize'],
  command: ['/usr/local/bin/tell', 'now'],
  timeoutMs: 1000,
  style: 'environment',
  routers: ['outside'],
  groups: ['edge'],
  ...changes,
});
const { vrid, addresses, interface: interfaceName } = makeSpec();
const priority = { configured: 150, effective: 100, demotions: [] };
const report = { vrid, interface: interfaceName, priority, addresses };
const change = (changes: Partial<HookChange> = {}): HookChange => ({
  ...{ kind: 'router', name: 'outside', from: 'backup', to: 'active' },
  ...{ reason: 'active-down-timer', atUnixMs: 1234, report },
  ...changes,
});
const called = (spec: HookSpec, which: HookChange) => hookJobs([spec], which, 1).length === 1;

for (const [on, to, reason, expected] of [
  ['active', 'active', 'active-down-timer', true],
  ['active', 'backup', 'startup', false],
  ['backup', 'backup', 'higher-priority-heard', true],
  ['initialize', 'initialize', 'tracker-failed', true],
  ['initialize', 'initialize', 'shutdown', true],
  ['fault', 'initialize', 'tracker-failed', true],
  ['fault', 'initialize', 'interface-down', true],
  ['fault', 'initialize', 'shutdown', false],
  ['stop', 'initialize', 'shutdown', true],
  ['stop', 'initialize', 'reconfigured', true],
  ['stop', 'initialize', 'tracker-failed', false],
] as const satisfies readonly (readonly [
  HookOccasion,
  VirtualRouterState,
  TransitionReason,
  boolean,
])[]) {
  const verb = expected ? 'is called' : 'is not called';
  test(`a hook on ${on} ${verb} when a router is ${to} because of ${reason}`, () => {
    assert.equal(called(hook({ on: [on] }), change({ to, reason })), expected);
  });
}

test('a hook is called for the routers and groups that it names, in the order of the file', () => {
  assert.equal(called(hook(), change({ name: 'inside' })), false);
  assert.equal(called(hook(), change({ kind: 'group', name: 'edge' })), true);
  assert.equal(called(hook({ groups: [] }), change({ kind: 'group', name: 'outside' })), false);
  const jobs = hookJobs([hook({ name: 'a' }), hook({ name: 'b' })], change(), 7);
  assert.deepEqual(
    jobs.map((job) => [job.hook.name, job.target, job.sequence]),
    [
      ['a', 'router outside', 7],
      ['b', 'router outside', 7],
    ],
  );
});

for (const [changes, args] of [
  [{}, ['INSTANCE', 'outside', 'MASTER', '100']],
  [{ to: 'backup' }, ['INSTANCE', 'outside', 'BACKUP', '100']],
  [{ to: 'initialize' }, ['INSTANCE', 'outside', 'FAULT', '100']],
  [{ to: 'initialize', reason: 'shutdown' }, ['INSTANCE', 'outside', 'STOP', '100']],
] as const) {
  test(`the keepalived style says ${args.join(' ')}`, () => {
    const [job] = hookJobs([hook({ style: 'keepalived' })], change(changes), 1);
    assert.ok(job !== undefined);
    assert.deepEqual(hookCommand(job), ['/usr/local/bin/tell', 'now', ...args]);
  });
}

test('the keepalived style says priority 0 for a group', () => {
  const { report: _, ...rest } = change({ kind: 'group', name: 'edge' });
  const [job] = hookJobs([hook({ style: 'keepalived' })], rest, 1);
  assert.ok(job !== undefined);
  assert.deepEqual(hookCommand(job).slice(2), ['GROUP', 'edge', 'MASTER', '0']);
});

test('the environment has everything that there is to know, and no arguments are added', () => {
  const [job] = hookJobs([hook()], change(), 3);
  assert.ok(job !== undefined);
  assert.deepEqual(hookCommand(job), ['/usr/local/bin/tell', 'now']);
  assert.deepEqual(hookEnvironment(job, { cluster: 'web', node: 'lb1' }), {
    TANDEM_HOOK: 'tell',
    TANDEM_CLUSTER: 'web',
    TANDEM_NODE: 'lb1',
    TANDEM_KIND: 'router',
    TANDEM_NAME: 'outside',
    TANDEM_STATE: 'active',
    TANDEM_PREVIOUS_STATE: 'backup',
    TANDEM_REASON: 'active-down-timer',
    TANDEM_AT_UNIX_MS: '1234',
    TANDEM_SEQUENCE: '3',
    TANDEM_VRID: '51',
    TANDEM_INTERFACE: 'eth0',
    TANDEM_PRIORITY: '100',
    TANDEM_ADDRESSES: '192.0.2.100/24',
  });
});

for (const [states, expected] of [
  [['active', 'active'], 'active'],
  [['active', 'backup'], 'backup'],
  [['active', 'initialize'], 'initialize'],
  [['backup', 'initialize'], 'initialize'],
  [[], undefined],
] as const) {
  test(`a group whose members are ${states.join(' and ') || 'unknown'} is ${expected}`, () => {
    const members = ['outside', 'inside'];
    const known = new Map(states.map((state, index) => [members[index] ?? '', state]));
    assert.equal(groupState({ name: 'edge', members }, known), expected);
  });
}
