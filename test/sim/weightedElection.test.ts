/** A weighted election that is lost, with its exact times: as quick as a polite stop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Demotion, Fault } from '../../src/vrrp/protocol.js';
import { ipAddress, parseIpPrefix } from '../../src/wire/ipAddress.js';
import { type LanConditions, perfectConditions, SimulatedLan } from './support/simulatedLan.js';
import { SimulatedNode } from './support/simulatedNode.js';

const router = 'eth0/51';
const second = 1_000_000;
const uplink: Demotion = { reason: 'tracked-interface-down', weight: 100, tracker: 'uplink' };
const fault: Fault = {
  reason: 'tracked-interface-down',
  tracker: 'uplink',
  routers: ['outside'],
};

/** A with 150 and B with 100, 5.3 s after both started: A is Active. */
function settledPair(conditions: LanConditions = perfectConditions) {
  const lan = new SimulatedLan(conditions);
  const prefix = parseIpPrefix('192.0.2.100/24');
  assert.ok(prefix !== undefined);
  const [a, b] = [150, 100].map((priority, index) => {
    const sources = new Map([['eth0', ipAddress(`192.0.2.${index + 1}`)]]);
    const spec = {
      name: 'outside',
      vrid: 51,
      interface: 'eth0',
      priority,
      advertIntervalCs: 100,
      preempt: { enabled: true, delayMs: 0 },
      addresses: [{ prefix, interface: 'eth0' }],
      checksum: 'pseudo-header',
      announcements: { repeat: 1, delayMs: 0, refreshMs: 0 },
      peerPriorities: [priority === 150 ? 100 : 150],
    } as const;
    const node = new SimulatedNode(index === 0 ? 'A' : 'B', sources, {
      routers: [spec],
      syncGroups: [],
    });
    lan.nodes.push(node);
    node.start();
    return node;
  });
  assert.ok(a !== undefined && b !== undefined);
  lan.run(5.3 * second);
  assert.equal(lan.activeOf(router), a);
  return { lan, a, b };
}

/** How long B takes to be the Active after something was said to A. */
function takeoverUs(
  command: { demotions?: readonly Demotion[]; faults?: readonly Fault[] },
  conditions?: LanConditions,
): number {
  const { lan, a, b } = settledPair(conditions);
  const startUs = lan.nowUs;
  a.command({ type: 'demotions', demotions: [], ...command });
  lan.run(6 * second);
  assert.equal(lan.activeOf(router), b);
  assert.equal(a.stateOf(router), command.faults === undefined ? 'backup' : 'initialize');
  return lan.lastPromotionUs(b) - startUs;
}

test('a weighted election that is lost is decided in the skew of the winner', () => {
  assert.equal(takeoverUs({ demotions: [uplink] }), 609_375);
});

test('a fault takes exactly as long', () => {
  assert.equal(takeoverUs({ faults: [fault] }), 609_375);
});

test('the addresses are never without a holder, and on both for no time', () => {
  const { lan, a, b } = settledPair();
  a.command({ type: 'demotions', demotions: [uplink] });
  for (let step = 0; step < 2000; step += 1) {
    lan.run(1000);
    assert.equal(a.addresses.size + b.addresses.size, 1);
  }
  assert.equal(b.addresses.size, 1);
});

test('when the first priority 0 is lost, the one on the next beat does it', () => {
  let lossesLeft = 0;
  const conditions = { ...perfectConditions, isLost: () => lossesLeft-- > 0 };
  const { lan, a, b } = settledPair(conditions);
  const startUs = lan.nowUs;
  // The lowered priority and the 0 that follows it.
  lossesLeft = 2;
  a.command({ type: 'demotions', demotions: [uplink] });
  lan.run(6 * second);
  assert.equal(lan.lastPromotionUs(b) - startUs, second + 609_375);
});

test('the preferred node takes over again when its tracker passes', () => {
  const { lan, a, b } = settledPair();
  a.command({ type: 'demotions', demotions: [uplink] });
  lan.run(3 * second);
  assert.equal(lan.activeOf(router), b);
  a.command({ type: 'demotions', demotions: [] });
  lan.run(6 * second);
  assert.equal(lan.activeOf(router), a);
});

test('a peer that is worse off than the configuration says gives the place back at once', () => {
  const { lan, a, b } = settledPair();
  b.command({ type: 'demotions', demotions: [{ ...uplink, weight: 90 }] });
  lan.run(second);
  a.command({ type: 'demotions', demotions: [uplink] });
  lan.run(10 * second);
  assert.equal(lan.activeOf(router), a);
  const promotions = lan.transitions.filter(({ node, to }) => node === 'B' && to === 'active');
  assert.equal(promotions.length, 1, 'it tries once');
  const [taken] = promotions;
  const left = lan.transitions.find(
    ({ node, to, atUs }) => node === 'B' && to === 'backup' && atUs >= (taken?.atUs ?? 0),
  );
  assert.equal(left?.atUs, taken?.atUs, 'and hears in the same instant that it is lower');
  assert.equal(lan.transitions.filter(({ node }) => node === 'A').length, 2);
});

test('an offer that is taken by a lower peer is taken back even right after a priority 0', () => {
  // Found by seed 7103 of the random courses: the answer was left out as one too many, because the
  // priority 0 of the offer had just been sent.
  const { lan, a, b } = settledPair();
  b.command({ type: 'demotions', demotions: [{ ...uplink, weight: 90 }] });
  lan.run(second);
  // B takes the place 961 ms after it hears the offer; A hears of it 0.9 ms after its next beat.
  lan.conditions = { ...perfectConditions, delayUs: () => 20_000 };
  a.command({ type: 'demotions', demotions: [uplink] });
  lan.run(1.5 * second);
  const offers = lan.sent.filter(({ node, priority }) => node === 'A' && priority === 0);
  const lastOfferUs = offers.at(-1)?.atUs ?? 0;
  assert.equal(offers.length, 2);
  const answer = lan.sent.find(
    ({ node, priority, atUs }) => node === 'A' && priority === 50 && atUs > lastOfferUs,
  );
  const heardUs = lan.lastPromotionUs(b) + 20_000;
  assert.ok(heardUs - lastOfferUs < 10_000);
  assert.equal(answer?.atUs, heardUs);
});

test('two nodes that lose the same tracker keep their order', () => {
  const { lan, a, b } = settledPair();
  for (const node of [a, b]) node.command({ type: 'demotions', demotions: [uplink] });
  lan.run(10 * second);
  assert.equal(lan.activeOf(router), a);
});
