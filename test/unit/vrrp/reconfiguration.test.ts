import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualRouterSpec } from '../../../src/vrrp/protocol.js';
import { planReconfiguration } from '../../../src/vrrp/reconfiguration.js';
import { edgeRouters } from './electionSupport.js';
import { makeSpec, virtualAddress } from './support.js';

const running = edgeRouters();
const plan = (routers: readonly VirtualRouterSpec[]) =>
  planReconfiguration(running, { routers, syncGroups: [] });
const [first = makeSpec(), second = makeSpec()] = running;

test('the same configuration again is no work', () => {
  assert.deepEqual(plan(edgeRouters()), { stops: [], changes: [], starts: [], groups: [] });
});

for (const [what, changes] of [
  ['priority', { priority: 7 }],
  ['interval', { advertIntervalCs: 7 }],
  ['preemption', { preempt: { enabled: false, delayMs: 0 } }],
  ['addresses', { addresses: [virtualAddress('192.0.2.9/32')] }],
  ['checksum form', { checksum: 'plain' }],
  ['name', { name: 'other' }],
] as const) {
  test(`another ${what} is applied to the running router`, () => {
    const changed = makeSpec({ ...first, ...changes });
    assert.deepEqual(plan([changed, second]), {
      stops: [],
      changes: [changed],
      starts: [],
      groups: [],
    });
  });
}

for (const [what, changes] of [
  ['virtual router identifier', { vrid: 7 }],
  ['interface', { interface: 'eth7' }],
] as const) {
  test(`another ${what} is another router: the old stops, the new starts`, () => {
    const changed = makeSpec({ ...first, ...changes });
    const { stops, changes: live, starts } = plan([changed, second]);
    assert.deepEqual(stops, ['eth0/51']);
    assert.deepEqual(live, []);
    assert.deepEqual(starts, [changed]);
  });
}

test('the members of sync groups are resolved to what is on the wire', () => {
  const { groups } = planReconfiguration([], {
    routers: running,
    syncGroups: [{ name: 'edge', members: ['inside', 'outside'] }],
  });
  assert.deepEqual(groups, [{ name: 'edge', members: ['eth0/51', 'eth1/52'] }]);
});
