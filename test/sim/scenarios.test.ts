/** The scenarios that every implementation of VRRPv3 must get right, with their exact times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualRouterSpec } from '../../src/vrrp/protocol.js';
import { internetChecksum } from '../../src/wire/checksum.js';
import { ipAddress, ipToBytes, parseIpPrefix } from '../../src/wire/ipAddress.js';
import { ipv4Layout } from '../../src/wire/ipv4Header.js';
import { vrrpGroupIpv4 } from '../../src/wire/vrrp.js';
import { receiveAdvertisement } from '../../src/wire/vrrpReceive.js';
import { SimulatedLan } from './support/simulatedLan.js';
import { SimulatedNode } from './support/simulatedNode.js';

const router = 'eth0/51';
const second = 1_000_000;

function makeNode(
  lan: SimulatedLan,
  name: string,
  lastOctet: number,
  changes: Partial<VirtualRouterSpec>,
): SimulatedNode {
  const prefix = parseIpPrefix('192.0.2.100/24');
  assert.ok(prefix !== undefined);
  const spec: VirtualRouterSpec = {
    name: 'outside',
    vrid: 51,
    interface: 'eth0',
    priority: 100,
    advertIntervalCs: 100,
    preempt: { enabled: true, delayMs: 0 },
    addresses: [{ prefix, interface: 'eth0' }],
    checksum: 'pseudo-header',
    announcements: { repeat: 5, delayMs: 5000, refreshMs: 0 },
    ...changes,
  };
  const sources = new Map([['eth0', ipAddress(`192.0.2.${lastOctet}`)]]);
  const node = new SimulatedNode(name, sources, { routers: [spec], syncGroups: [] });
  lan.nodes.push(node);
  return node;
}

/** Three routers, A 200, B 150, C 100, all started at time 0. */
function threeRouters(
  changes: { a?: Partial<VirtualRouterSpec>; b?: Partial<VirtualRouterSpec> } = {},
) {
  const lan = new SimulatedLan();
  const a = makeNode(lan, 'A', 1, { priority: 200, ...changes.a });
  const b = makeNode(lan, 'B', 2, { priority: 150, ...changes.b });
  const c = makeNode(lan, 'C', 3, { priority: 100 });
  for (const node of [a, b, c]) node.start();
  return { lan, a, b, c };
}

/** The same, five seconds later: A is Active and advertises at 3.21875 s + n. */
function settledRouters(changes: Parameters<typeof threeRouters>[0] = {}) {
  const all = threeRouters(changes);
  all.lan.run(5 * second);
  assert.equal(all.lan.activeOf(router), all.a);
  return all;
}

/** Lets time pass to just after the next advertisement of a node; returns its time. */
function runToAdvertOf(lan: SimulatedLan, node: SimulatedNode): number {
  const before = lan.sent.length;
  for (let step = 0; step < 5000; step += 1) {
    lan.run(1000);
    const advert = lan.sent.slice(before).find((each) => each.node === node.name);
    if (advert !== undefined) return advert.atUs;
  }
  throw new Error(`${node.name} is silent`);
}

test('1: all start, and A is Active after 3.219 s', () => {
  const { lan, a, b, c } = threeRouters();
  lan.run(10 * second);
  assert.equal(lan.lastPromotionUs(a), 3_218_750);
  assert.equal(lan.activeOf(router), a);
  assert.equal(b.stateOf(router), 'backup');
  assert.equal(c.stateOf(router), 'backup');
  assert.deepEqual([...a.addresses], ['192.0.2.100/24@eth0']);
});

for (const [present, expectedUs] of [
  ['B', 3_414_062],
  ['C', 3_609_375],
] as const) {
  test(`1: without those above it, ${present} is Active after ${expectedUs} us`, () => {
    const lan = new SimulatedLan();
    const node = makeNode(lan, present, 2, { priority: present === 'B' ? 150 : 100 });
    node.start();
    lan.run(10 * second);
    assert.equal(lan.lastPromotionUs(node), expectedUs);
  });
}

test('2: A stops politely, and B is Active 0.414 s later while C stays', () => {
  const { lan, a, b, c } = settledRouters();
  const stoppedUs = lan.nowUs;
  a.command({ type: 'stop' });
  lan.run(10 * second);
  assert.equal(lan.lastPromotionUs(b) - stoppedUs, 414_062);
  assert.equal(c.stateOf(router), 'backup');
  assert.equal(a.addresses.size, 0);
  assert.equal(lan.transitions.find(({ node }) => node === 'C')?.to, 'backup');
  assert.ok(lan.transitions.every(({ node, to }) => node !== 'C' || to === 'backup'));
});

test('2: A leaves, and holds the addresses until B is Active', () => {
  const { lan, a, b } = settledRouters();
  const toldUs = lan.nowUs;
  a.command({ type: 'leave' });
  lan.run(413_000);
  assert.equal(a.addresses.size, 1);
  lan.run(10 * second);
  const promotedUs = lan.lastPromotionUs(b);
  assert.equal(promotedUs - toldUs, 414_062);
  const left = lan.transitions.findLast(({ node }) => node === 'A');
  assert.deepEqual([left?.to, left?.reason], ['initialize', 'shutdown']);
  assert.ok((left?.atUs ?? 0) >= promotedUs, 'not before B is Active');
  assert.equal(a.addresses.size, 0);
  assert.equal(a.running, false);
});

test('3: A freezes just after an advert, and B is Active 3.414 s after that advert', () => {
  const { lan, a, b, c } = settledRouters();
  const lastAdvertUs = runToAdvertOf(lan, a);
  a.stalledUntilUs = Number.POSITIVE_INFINITY;
  lan.run(10 * second);
  assert.equal(lan.lastPromotionUs(b) - lastAdvertUs, 3_414_062);
  assert.equal(c.stateOf(router), 'backup');
});

test('4: A thaws, hears the lower advert of B, answers at once, and B yields', () => {
  const { lan, a, b } = settledRouters();
  runToAdvertOf(lan, a);
  a.stalledUntilUs = lan.nowUs + 8 * second;
  lan.run(8 * second - 1);
  assert.equal(b.stateOf(router), 'active');
  const sentBefore = lan.sent.length;
  lan.run(1);
  assert.equal(lan.activeOf(router), a);
  assert.equal(b.stateOf(router), 'backup');
  assert.equal(b.addresses.size, 0);
  const answers = lan.sent.slice(sentBefore).filter(({ node }) => node === 'A');
  assert.ok(answers.length >= 1 && answers.length <= 2, 'one answer for a queue, and its own beat');
  const { length } = lan.transitions;
  lan.run(20 * second);
  assert.equal(lan.transitions.length, length, 'and it stays so');
});

test('5: without preemption A restarts as Backup, stays so, and adopts the interval of B', () => {
  const lan = new SimulatedLan();
  const a = makeNode(lan, 'A', 1, { priority: 200, preempt: { enabled: false, delayMs: 0 } });
  const b = makeNode(lan, 'B', 2, { priority: 150, advertIntervalCs: 30 });
  a.start();
  lan.run(4 * second);
  b.start();
  lan.run(4 * second);
  assert.equal(lan.activeOf(router), a);
  a.crash();
  lan.run(5 * second);
  assert.equal(lan.activeOf(router), b);
  a.start();
  lan.run(60 * second);
  assert.equal(a.stateOf(router), 'backup');
  assert.equal(lan.activeOf(router), b);
  assert.equal(a.routers.get(router)?.activeAdvertIntervalUs, 300_000);
});

test('5: with preemption the restarted A takes over again', () => {
  const { lan, a } = settledRouters();
  a.crash();
  lan.run(5 * second);
  a.start();
  const restartedUs = lan.nowUs;
  lan.run(60 * second);
  assert.equal(lan.activeOf(router), a);
  assert.equal(lan.lastPromotionUs(a) - restartedUs, 3_218_750);
});

test('6: of two Actives of equal priority at .1 and .2, .1 yields', () => {
  const lan = new SimulatedLan();
  const one = makeNode(lan, 'one', 1, { priority: 150 });
  const two = makeNode(lan, 'two', 2, { priority: 150 });
  lan.cut(one, two, 'eth0');
  one.start();
  two.start();
  lan.run(10 * second);
  assert.equal(one.stateOf(router), 'active');
  assert.equal(two.stateOf(router), 'active');
  lan.healAll();
  lan.run(1 * second);
  assert.equal(lan.activeOf(router), two);
  assert.equal(lan.transitions.at(-1)?.reason, 'higher-address-heard');
});

test('7: C, set to 1 s, takes over 0.902 s after the last advert of B at 25 cs', () => {
  const lan = new SimulatedLan();
  const b = makeNode(lan, 'B', 2, { priority: 150, advertIntervalCs: 25 });
  const c = makeNode(lan, 'C', 3, { priority: 100 });
  b.start();
  c.start();
  lan.run(5 * second);
  assert.equal(lan.activeOf(router), b);
  const lastAdvertUs = runToAdvertOf(lan, b);
  b.stalledUntilUs = Number.POSITIVE_INFINITY;
  lan.run(5 * second);
  assert.equal(lan.lastPromotionUs(c) - lastAdvertUs, 902_343);
});

test('8: an owner that restarts is Active at once, even without preemption', () => {
  const { lan, a, b } = settledRouters({
    a: { priority: 255, preempt: { enabled: false, delayMs: 0 } },
  });
  a.crash();
  lan.run(10 * second);
  assert.equal(lan.activeOf(router), b);
  a.start();
  const restartedUs = lan.nowUs;
  lan.run(1);
  assert.equal(lan.lastPromotionUs(a), restartedUs);
  assert.equal(lan.activeOf(router), a);
});

test('9: an advert that arrived 10 ms before the deadline counts after a stall of 500 ms', () => {
  const lan = new SimulatedLan();
  const b = makeNode(lan, 'B', 2, { priority: 150 });
  b.start();
  const deadlineUs = 3_414_062;
  lan.run(deadlineUs - 20_000);
  b.stalledUntilUs = deadlineUs + 480_000;
  lan.run(10_000);
  injectBytes(lan, plainMessage(200, 1));
  lan.run(3 * second);
  assert.equal(b.stateOf(router), 'backup');
  lan.run(1 * second);
  assert.equal(lan.lastPromotionUs(b), deadlineUs - 10_000 + 3_414_062);
});

test('9: without that advert the stalled router takes over as soon as it runs', () => {
  const lan = new SimulatedLan();
  const b = makeNode(lan, 'B', 2, { priority: 150 });
  b.start();
  b.stalledUntilUs = 0;
  lan.run(3 * second);
  b.stalledUntilUs = 4 * second;
  lan.run(3 * second);
  assert.equal(lan.lastPromotionUs(b), 4 * second);
});

test('10: an advert that counts no addresses does not refresh the timer of a Backup', () => {
  const lan = new SimulatedLan();
  const b = makeNode(lan, 'B', 2, { priority: 150 });
  b.start();
  lan.run(1 * second);
  injectBytes(lan, plainMessage(200, 0));
  lan.run(5 * second);
  assert.equal(lan.lastPromotionUs(b), 3_414_062);
});

/** An advertisement of VRID 51 at 100 cs, with one address or with none. */
function plainMessage(priority: number, count: 0 | 1): Uint8Array {
  const head = [0x31, 51, priority, count, 0, 100, 0, 0];
  const message = Buffer.from(count === 0 ? head : [...head, 192, 0, 2, 100]);
  message.writeUInt16BE(internetChecksum([message]), 6);
  return message;
}

/** Puts a message of 192.0.2.1 onto the LAN, if a router would take it at all. */
function injectBytes(lan: SimulatedLan, message: Uint8Array): void {
  const source = ipAddress('192.0.2.1');
  const header = ipv4Layout.encode({
    version: 4,
    headerWords: 5,
    typeOfService: 0xc0,
    totalLength: ipv4Layout.byteLength + message.length,
    identification: 0,
    flags: 0,
    fragmentOffset: 0,
    timeToLive: 255,
    protocol: 112,
    headerChecksum: 0,
    source: ipToBytes(source),
    destination: ipToBytes(vrrpGroupIpv4),
  });
  const ownAddress = ipAddress('192.0.2.2');
  const received = receiveAdvertisement(Buffer.concat([header, message]), {
    routerOf: () => ({ version: 3, ownAddress, isOwner: false, advertIntervalCs: 100 }),
    clock: { monotonicUs: 0, unixMs: 0 },
  });
  if (!received.accepted) return;
  lan.inject({ segment: 'eth0', router, source, advertisement: received.advertisement });
}
