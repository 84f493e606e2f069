/**
 * A list of addresses is changed on one director after the other, so that for a while the two have
 * different lists (docs/design/rolling-change.md).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualRouterSpec } from '../../src/vrrp/protocol.js';
import { ipAddress, parseIpPrefix } from '../../src/wire/ipAddress.js';
import { SimulatedLan } from './support/simulatedLan.js';
import { SimulatedNode } from './support/simulatedNode.js';

const router = 'eth0/51';
const second = 1_000_000;
const old = ['192.0.2.100/24', '192.0.2.101/24'];
const wanted = ['192.0.2.101/24', '192.0.2.102/24'];

function specOf(priority: number, addresses: readonly string[]): VirtualRouterSpec {
  return {
    name: 'outside',
    vrid: 51,
    interface: 'eth0',
    priority,
    advertIntervalCs: 100,
    preempt: { enabled: true, delayMs: 0 },
    addresses: addresses.map((text) => {
      const prefix = parseIpPrefix(text);
      assert.ok(prefix !== undefined);
      return { prefix, interface: 'eth0' };
    }),
    checksum: 'pseudo-header',
    announcements: { repeat: 5, delayMs: 5000, refreshMs: 0 },
  };
}

/** Two nodes with these lists, both started, after so many seconds. */
function pair(listA: readonly string[], listB: readonly string[], seconds: number) {
  // Judged at every instant: from the first Active on there are never two of them.
  const lan = new SimulatedLan(undefined, ({ nodes }) => {
    const actives = nodes.filter((node) => node.stateOf(router) === 'active');
    assert.ok(actives.length <= 1, actives.map(({ name }) => name).join(' and '));
  });
  const make = (name: string, octet: number, priority: number, list: readonly string[]) => {
    const sources = new Map([['eth0', ipAddress(`192.0.2.${octet}`)]]);
    const routers = [specOf(priority, list)];
    const node = new SimulatedNode(name, sources, { routers, syncGroups: [] });
    lan.nodes.push(node);
    node.start();
    return node;
  };
  const a = make('A', 1, 200, listA);
  const b = make('B', 2, 150, listB);
  lan.run(seconds * second);
  return { lan, a, b };
}

function held(node: SimulatedNode): readonly string[] {
  return [...node.addresses].map((text) => text.replace('@eth0', '')).sort();
}

for (const [title, listA, listB] of [
  ['the Active has more', [...old, '192.0.2.102/24'], old],
  ['the Backup has more', old, [...old, '192.0.2.102/24']],
  ['they share some', old, wanted],
  ['they share none', ['192.0.2.100/24'], ['192.0.2.102/24']],
] as const) {
  test(`two routers whose addresses differ elect one Active: ${title}`, () => {
    const { lan, a, b } = pair(listA, listB, 10);
    assert.equal(lan.activeOf(router), a);
    assert.deepEqual(held(a), listA, 'it holds what its own list says');
    assert.deepEqual(held(b), []);
    a.command({ type: 'stop' });
    lan.run(5 * second);
    assert.equal(lan.activeOf(router), b);
    assert.deepEqual(held(b), listB);
    a.start();
    lan.run(10 * second);
    assert.equal(lan.activeOf(router), a);
    assert.deepEqual([held(a), held(b)], [listA, []]);
  });
}

test('a list changed on the Backup first, then on the Active, moves no router', () => {
  const { lan, a, b } = pair(old, old, 10);
  const before = lan.transitions.length;
  b.reload({ routers: [specOf(150, wanted)], syncGroups: [] });
  lan.run(10 * second);
  assert.deepEqual([held(a), held(b)], [old, []]);
  a.reload({ routers: [specOf(200, wanted)], syncGroups: [] });
  lan.run(10 * second);
  assert.deepEqual([held(a), held(b)], [wanted, []]);
  assert.equal(lan.transitions.length, before, 'nobody changed its state');
});
