import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { knownSequence } from '../../../src/bfd/machine.js';
import { jitteredUs } from '../../../src/bfd/timing.js';
import { peerPacket, SessionWalk, startUs } from './support.js';

test('the example of the reference: each end sends and detects as both have agreed', () => {
  const one = SessionWalk.settled({ desiredMinTxUs: 50_000, requiredMinRxUs: 50_000 });
  one.hear(
    peerPacket('up', { desiredMinTxUs: 100_000, requiredMinRxUs: 200_000, detectMultiplier: 5 }),
  );
  assert.equal(one.runNext('transmit').due('transmit'), 200_000);
  assert.equal(
    one.hear(peerPacket('up', { desiredMinTxUs: 100_000, detectMultiplier: 5 })).due('detection'),
    500_000,
  );

  const other = SessionWalk.settled({
    desiredMinTxUs: 100_000,
    requiredMinRxUs: 200_000,
    detectMultiplier: 5,
  });
  assert.equal(other.runNext('transmit').due('transmit'), 100_000);
  assert.equal(other.hear(peerPacket('up')).due('detection'), 600_000);
});

test('a session that is not up sends once a second, however fast it is configured', () => {
  for (const walk of [new SessionWalk(), SessionWalk.in('init'), SessionWalk.in('admin-down')]) {
    assert.equal(walk.due('transmit'), 1_000_000);
    assert.equal(walk.sent.at(-1)?.desiredMinTxUs, 1_000_000);
  }
});

test('a session that is configured slower than a second stays so', () => {
  const walk = new SessionWalk({ desiredMinTxUs: 3_000_000 });
  assert.equal(walk.due('transmit'), 3_000_000);
  assert.equal(walk.sent[0]?.desiredMinTxUs, 3_000_000);
});

test('the jitter shortens a gap by a quarter at most, and at multiplier 1 by a tenth', () => {
  const gaps = fc.record({
    intervalUs: fc.integer({ min: 1_000, max: 10_000_000 }),
    multiplier: fc.integer({ min: 1, max: 255 }),
    jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(gaps, ({ intervalUs, multiplier, jitter }) => {
      const us = jitteredUs(intervalUs, multiplier, jitter);
      assert.ok(us >= Math.floor(intervalUs * 0.75));
      assert.ok(us <= intervalUs * (multiplier === 1 ? 0.9 : 1));
    }),
  );
  assert.equal(jitteredUs(100_000, 3, 0), 100_000);
  assert.equal(jitteredUs(100_000, 1, 0), 90_000);
});

test('the detection time counts from when the kernel received the packet', () => {
  const walk = SessionWalk.settled().pass(140_000).hear(peerPacket('up'), 30_000);
  assert.equal(walk.due('detection'), 120_000);
});

test('becoming Up starts a poll, which goes on in periodic packets until it is answered', () => {
  const walk = SessionWalk.in('up');
  assert.deepEqual(walk.did, ['init -> up: none', 'send up poll']);
  assert.equal(walk.due('transmit'), 50_000, 'a shorter interval does not wait for the answer');
  assert.deepEqual(walk.runNext('transmit').did, ['send up poll']);
  walk.hear(peerPacket('up', { final: true }));
  assert.deepEqual(walk.runNext('transmit').did, ['send up']);
});

test('a poll of the peer is answered at once, with F and without P', () => {
  const walk = SessionWalk.in('up')
    .pass(1_000)
    .hear(peerPacket('up', { poll: true }));
  assert.deepEqual(walk.did, ['send up final']);
  assert.equal(walk.due('transmit'), 49_000, 'the schedule is not moved by it');
});

test('a poll that comes with a change of state is answered, and the change is told', () => {
  const walk = SessionWalk.in('init').hear(peerPacket('up', { poll: true }));
  assert.deepEqual(walk.did, ['init -> up: none', 'send up final', 'send up poll']);
});

test('a longer transmit interval waits for the answer to its poll', () => {
  const walk = SessionWalk.settled().configure({ desiredMinTxUs: 200_000 });
  assert.deepEqual(walk.did, ['send up poll']);
  assert.equal(walk.sent[0]?.desiredMinTxUs, 200_000);
  assert.equal(walk.due('transmit'), 50_000);
  walk.hear(peerPacket('up', { final: true }));
  assert.equal(walk.due('transmit'), 200_000);
});

test('a shorter receive interval is detected by only after the answer to its poll', () => {
  const slow = { requiredMinRxUs: 200_000 };
  const walk = SessionWalk.settled(slow).configure({ requiredMinRxUs: 50_000 });
  assert.equal(walk.hear(peerPacket('up')).due('detection'), 600_000);
  assert.equal(walk.hear(peerPacket('up', { final: true })).due('detection'), 150_000);
});

test('a shorter transmit interval and a longer receive interval apply at once', () => {
  const walk = SessionWalk.settled({ desiredMinTxUs: 400_000 });
  walk.configure({ desiredMinTxUs: 100_000, requiredMinRxUs: 300_000 });
  assert.deepEqual(walk.did, ['send up poll']);
  assert.equal(walk.due('transmit'), 100_000);
  assert.equal(walk.due('detection'), 900_000);
});

test('an interval that changes again during a poll gets a poll of its own', () => {
  const walk = SessionWalk.settled().configure({ desiredMinTxUs: 200_000 });
  walk.configure({ desiredMinTxUs: 300_000 });
  walk.hear(peerPacket('up', { final: true }));
  assert.deepEqual(walk.runNext('transmit').did, ['send up poll']);
  assert.equal(walk.due('transmit'), 50_000, 'the first answer may be to the first change');
  walk.hear(peerPacket('up', { final: true }));
  assert.equal(walk.due('transmit'), 300_000);
});

test('settings that change nothing on the wire start no poll', () => {
  assert.deepEqual(SessionWalk.settled().configure({ detectMultiplier: 5 }).did, ['send up']);
});

test('a peer that can take packets faster gets them faster at once', () => {
  const walk = SessionWalk.settled().hear(peerPacket('up', { requiredMinRxUs: 400_000 }));
  walk.runNext('transmit').pass(100_000);
  assert.equal(walk.due('transmit'), 300_000);
  walk.hear(peerPacket('up', { requiredMinRxUs: 50_000 }));
  assert.equal(walk.due('transmit'), 0);
});

test('a peer that wants no periodic packets gets none, but hears of changes', () => {
  const walk = SessionWalk.settled().hear(peerPacket('up', { requiredMinRxUs: 0 }));
  assert.equal(walk.due('transmit'), undefined);
  assert.deepEqual(walk.runNext('detection').did, [
    'up -> down: detection-time-expired',
    'send down',
  ]);
  assert.equal(walk.hear(peerPacket('down')).due('transmit'), 1_000_000);
});

test('a peer in demand mode gets periodic packets only while a poll runs', () => {
  const walk = SessionWalk.settled().hear(peerPacket('up', { demand: true }));
  assert.equal(walk.due('transmit'), undefined);
  walk.configure({ desiredMinTxUs: 100_000 });
  assert.deepEqual(walk.did, ['send up poll']);
  assert.equal(walk.due('transmit'), 50_000);
  walk.hear(peerPacket('up', { demand: true, final: true }));
  assert.equal(walk.due('transmit'), undefined);
});

test('after a stall one packet is sent and a new rhythm begins, without a burst', () => {
  const walk = SessionWalk.settled().runNext('transmit', 700_000);
  assert.deepEqual(walk.did, ['send up']);
  assert.equal(walk.due('transmit'), 50_000);
});

test('a little lateness does not add up', () => {
  const walk = SessionWalk.settled().runNext('transmit', 2_000);
  assert.equal(walk.due('transmit'), 48_000);
});

test('the sequence number of a peer is forgotten after twice the detection time', () => {
  const walk = SessionWalk.settled();
  walk.event({ type: 'packet', packet: peerPacket('up'), sequence: 9, receivedUs: startUs });
  assert.equal(knownSequence(walk.state, startUs + 299_999), 9);
  assert.equal(knownSequence(walk.state, startUs + 300_000), undefined);
  assert.equal(knownSequence(new SessionWalk().state, startUs), undefined);
});
