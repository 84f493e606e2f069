import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hookCommand, hookEnvironment, hookJobs } from '../../../src/agent/hookJobs.js';
import { type ServiceChange, serviceChanges } from '../../../src/agent/serviceHooks.js';
import type { HookOccasion, HookSpec } from '../../../src/config/model.js';
import type { ServerHealth } from '../../../src/health/healthBoard.js';
import type { HealthState, ProbeReason } from '../../../src/health/reasons.js';

const hook = (on: readonly HookOccasion[], services = ['web']): HookSpec => ({
  name: 'tell',
  on,
  command: ['/usr/local/bin/tell', 'now'],
  timeoutMs: 1000,
  style: 'keepalived',
  routers: [],
  groups: [],
  services,
});
const id = 'web/[2001:db8::1]:80';
const lost = { service: 'web', state: 'lost', count: 1 } as const;
const node = { cluster: 'c', node: 'lb1' };

test('a lost quorum and servers that change are told, and a good start is not', () => {
  const changes = serviceChanges(
    {
      quorums: [lost],
      servers: [
        { before: health('up'), after: health('down', 'connection-refused') },
        { before: health('unknown'), after: health('up', 'passed') },
        { before: health('down'), after: health('down', 'timeout') },
        { before: health('down'), after: health('up', 'passed') },
      ],
    },
    5,
  );
  assert.deepEqual(
    changes.map(({ kind, name, from, to, atUnixMs }) => [kind, name, from, to, atUnixMs]),
    [
      ['server', id, 'up', 'down', 5],
      ['server', id, 'down', 'up', 5],
      ['service', 'web', 'quorum-met', 'quorum-lost', 5],
    ],
  );
});

test('servers that are held while the network is lost are told when they are out for good', () => {
  const held = { ...health('down', 'timeout'), excused: true } as const;
  const told = (before: ServerHealth, after: ServerHealth) =>
    serviceChanges({ quorums: [], servers: [{ before, after }] }, 1).map(({ to }) => to);
  assert.deepEqual(told(health('up'), held), []);
  assert.deepEqual(told(held, health('up', 'passed')), []);
  assert.deepEqual(told(held, health('down', 'timeout')), ['down']);
});

test('a hook is called for the occasions and services that it names', () => {
  const [quorum] = serviceChanges({ quorums: [lost], servers: [] }, 1);
  const [server] = serviceChanges(
    { quorums: [], servers: [{ before: health('up'), after: health('down', 'timeout') }] },
    1,
  );
  assert.ok(quorum !== undefined && server !== undefined);
  const called = (spec: HookSpec, change: ServiceChange) => hookJobs([spec], change, 1).length;
  assert.equal(called(hook(['quorum-lost']), quorum), 1);
  assert.equal(called(hook(['quorum-met']), quorum), 0);
  assert.equal(called(hook(['quorum-lost'], ['api']), quorum), 0);
  assert.equal(called(hook(['active', 'server-down']), server), 1);
  assert.equal(called(hook(['server-up']), server), 0);
  const { services: _, ...ofRouters } = hook(['quorum-lost', 'server-down']);
  assert.equal(called(ofRouters, quorum) + called(ofRouters, server), 0);
});

test('a hook of a service finds what happened in its environment, and has no arguments', () => {
  const [change] = serviceChanges({ quorums: [lost], servers: [] }, 9);
  assert.ok(change !== undefined);
  const [job] = hookJobs([hook(['quorum-lost'])], change, 3);
  assert.ok(job !== undefined);
  assert.equal(job.target, 'service web');
  assert.deepEqual(hookCommand(job), ['/usr/local/bin/tell', 'now']);
  assert.deepEqual(hookEnvironment(job, node), {
    TANDEM_HOOK: 'tell',
    TANDEM_CLUSTER: 'c',
    TANDEM_NODE: 'lb1',
    TANDEM_KIND: 'service',
    TANDEM_NAME: 'web',
    TANDEM_STATE: 'quorum-lost',
    TANDEM_PREVIOUS_STATE: 'quorum-met',
    TANDEM_AT_UNIX_MS: '9',
    TANDEM_SEQUENCE: '3',
    TANDEM_QUORUM_COUNT: '1',
  });
});

test('a hook of a server is told which one it was, and why', () => {
  const servers = [{ before: health('up'), after: health('down', 'timeout') }];
  const [change] = serviceChanges({ quorums: [], servers }, 9);
  assert.ok(change !== undefined);
  const [job] = hookJobs([hook(['server-down'])], change, 3);
  assert.ok(job !== undefined);
  assert.equal(job.target, `server ${id}`);
  const environment = hookEnvironment(job, node);
  assert.equal(environment.TANDEM_SERVICE, 'web');
  assert.equal(environment.TANDEM_STATE, 'down');
  assert.equal(environment.TANDEM_REASON, 'timeout');
});

function health(state: HealthState, reason?: ProbeReason): ServerHealth {
  const last = reason === undefined ? null : { reason, detail: '', atUnixMs: 0, durationMs: 1 };
  const probes = { passed: 0, failed: 0, unknown: 0 };
  return { id, state, sinceUnixMs: 0, streak: 0, last, probes };
}
