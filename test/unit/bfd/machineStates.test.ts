import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BfdState, encodeBfdHeader } from '../../../src/wire/bfd.js';
import { encodeAuthenticatedBfd } from '../../../src/wire/bfdAuthentication.js';
import { bfdVector, vectorKey } from '../wire/bfdVectors.js';
import { peerPacket, SessionWalk } from './support.js';

const received = ['admin-down', 'down', 'init', 'up'] as const;

/** RFC 5880, 6.2 and 6.8.6: what becomes of our state for each state received, with diagnostic. */
const table: Readonly<Record<BfdState, readonly string[]>> = {
  'admin-down': ['admin-down', 'admin-down', 'admin-down', 'admin-down'],
  down: ['down', 'init none', 'up none', 'down'],
  init: ['down neighbour-signalled-down', 'init', 'up none', 'up none'],
  up: ['down neighbour-signalled-down', 'down neighbour-signalled-down', 'up', 'up'],
};

for (const [ours, row] of Object.entries(table) as [BfdState, readonly string[]][]) {
  for (const [index, theirs] of received.entries()) {
    const expected = row[index] ?? '';
    test(`in ${ours}, a packet of state ${theirs} leads to ${expected}`, () => {
      const walk = SessionWalk.in(ours).hear(peerPacket(theirs));
      const [to, diagnostic] = expected.split(' ');
      assert.equal(walk.state.current, to);
      if (diagnostic === undefined) {
        assert.deepEqual(walk.did, [], 'nothing changed, nothing is said out of turn');
      } else {
        assert.equal(walk.did[0], `${ours} -> ${to}: ${diagnostic}`);
        assert.ok(walk.did[1]?.startsWith(`send ${to}`), 'the peer hears of it at once');
        assert.equal(walk.sent[0]?.diagnostic, diagnostic);
      }
    });
  }
}

test('a session that is down asks for one with the vector of the reference', () => {
  const [packet] = new SessionWalk().sent;
  assert.ok(packet !== undefined);
  assert.deepEqual(Buffer.from(encodeBfdHeader(packet)), bfdVector('BFD-Down'));
});

test('Init, Up with a poll, AdminDown and a silence are said as the reference has them', () => {
  const packets = {
    'BFD-Init': SessionWalk.in('init').sent[0],
    'BFD-Up-Poll': SessionWalk.in('up').sent[0],
    'BFD-Down-expired': SessionWalk.settled().runNext('detection').sent[0],
    'BFD-AdminDown': SessionWalk.settled().event({ type: 'shutdown' }).sent[0],
  };
  for (const [name, packet] of Object.entries(packets)) {
    assert.ok(packet !== undefined, name);
    assert.deepEqual(Buffer.from(encodeBfdHeader(packet)), bfdVector(name), name);
  }
});

test('an authenticated session counts every packet and writes the vector of the reference', () => {
  const walk = SessionWalk.settled({ authentication: vectorKey });
  const sequences: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    walk.runNext('transmit');
    for (const action of walk.actions) {
      if (action.type === 'send') sequences.push(action.sequence);
    }
  }
  const [first = 0] = sequences;
  assert.deepEqual(sequences, [first, first + 1, first + 2]);
  const [packet] = walk.sent;
  assert.ok(packet !== undefined);
  const bytes = encodeAuthenticatedBfd(packet, vectorKey, 7);
  assert.deepEqual(Buffer.from(bytes), bfdVector('BFD-Up-MSHA1'));
});

test('silence for the detection time ends a session with diagnostic 1 and forgets the peer', () => {
  const walk = SessionWalk.settled().runNext('detection');
  assert.deepEqual(walk.did, ['up -> down: detection-time-expired', 'send down']);
  assert.equal(walk.sent[0]?.yourDiscriminator, 0);
  const init = SessionWalk.in('init').runNext('detection');
  assert.deepEqual(init.did, ['init -> down: detection-time-expired', 'send down']);
});

test('a session that is down forgets the discriminator of a silent peer and says nothing', () => {
  const walk = SessionWalk.settled().hear(peerPacket('down')).runNext('detection');
  assert.deepEqual(walk.did, []);
  assert.equal(walk.state.remote.discriminator, 0);
  assert.equal(walk.state.diagnostic, 'neighbour-signalled-down');
});

test('why a session ended stays to be seen until it is up again', () => {
  const walk = SessionWalk.settled().runNext('detection');
  walk.hear(peerPacket('down'));
  assert.equal(walk.state.current, 'init');
  assert.equal(walk.sent[0]?.diagnostic, 'detection-time-expired');
  walk.hear(peerPacket('init'));
  assert.equal(walk.sent[0]?.diagnostic, 'none');
});

test('a tick of a timer that was armed anew meanwhile is ignored', () => {
  const walk = SessionWalk.settled();
  const stale = walk.state.timers.detection ?? 0;
  walk.pass(40_000).hear(peerPacket('up'));
  walk.event({ type: 'timer', timer: 'detection', generation: stale, dueUs: walk.nowUs });
  assert.deepEqual(walk.did, []);
  assert.equal(walk.state.current, 'up');
});

test('a lost interface ends a session as path-down, without a word to the peer', () => {
  const walk = SessionWalk.settled().event({ type: 'interface', usable: false });
  assert.deepEqual(walk.did, ['up -> down: path-down']);
  assert.deepEqual([walk.due('transmit'), walk.due('detection')], [undefined, undefined]);
  walk.event({ type: 'interface', usable: true });
  assert.deepEqual(walk.did, ['send down']);
  assert.equal(walk.due('transmit'), 1_000_000);
});

test('a session that is disabled says AdminDown, hears nothing, and goes on saying so', () => {
  const walk = SessionWalk.settled().configure({ enabled: false });
  assert.deepEqual(walk.did, ['up -> admin-down: administratively-down', 'send admin-down']);
  for (const state of received) {
    assert.deepEqual(walk.hear(peerPacket(state, { poll: true })).did, []);
  }
  assert.equal(walk.due('detection'), undefined);
  assert.deepEqual(walk.runNext('transmit').did, ['send admin-down']);
  assert.deepEqual(walk.configure({ enabled: true }).did, [
    'admin-down -> down: none',
    'send down',
  ]);
  walk.hear(peerPacket('down'));
  assert.equal(walk.state.current, 'init');
});

test('a session that was shut down does nothing any more', () => {
  const walk = SessionWalk.settled().event({ type: 'shutdown' });
  assert.deepEqual([walk.due('transmit'), walk.due('detection')], [undefined, undefined]);
  assert.deepEqual(walk.hear(peerPacket('down')).actions, []);
  assert.deepEqual(walk.event({ type: 'shutdown' }).actions, []);
});
