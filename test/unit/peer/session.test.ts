import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  awaitedAnswersMax,
  heartbeatIntervalMs,
  heartbeatTimeoutMs,
  introductionTimeoutMs,
  lagMs,
  nextTickMs,
  openSession,
  type SessionEvent,
  type SessionState,
  stateAgeMs,
  stepSession,
} from '../../../src/peer/session.js';
import type { PeerMessage } from '../../../src/wire/peerMessage.js';
import { makeHello, makeRouter } from './support.js';

const peerHello: PeerMessage = { type: 'hello', ...makeHello({ node: 'lb2' }) };
const welcome: PeerMessage = { type: 'welcome' };
const content: PeerMessage = { type: 'vrrpState', sentUnixMs: 1, routers: [makeRouter()] };

/** One session of lb1 with lb2, and what its last event made it do, in short. */
class Walk {
  state: SessionState;
  did: readonly string[] = [];
  nowMs = 1_000;

  constructor() {
    this.state = openSession(makeHello(), 'lb2', this.nowMs).state;
  }

  static open(): Walk {
    return new Walk().hear(peerHello, welcome);
  }

  hear(...messages: readonly PeerMessage[]): this {
    return this.#step({ type: 'received', messages });
  }

  tickAfter(ms: number): this {
    this.nowMs += ms;
    return this.#step({ type: 'tick', stateAgeMs: 40 });
  }

  #step(event: SessionEvent): this {
    const { state, actions } = stepSession(this.state, event, this.nowMs);
    this.state = state;
    this.did = actions.map((action) => {
      if (action.type === 'send') return `send ${action.message.type}`;
      if (action.type === 'refused') return `refused by ${action.by}: ${action.reason}`;
      if (action.type === 'close') return `close ${action.reason}`;
      return action.type;
    });
    return this;
  }
}

test('both sides say hello at once', () => {
  const { actions } = openSession(makeHello(), 'lb2', 0);
  assert.deepEqual(actions, [{ type: 'send', message: { type: 'hello', ...makeHello() } }]);
});

test('a session is open when the hello was accepted and the welcome heard', () => {
  const walk = new Walk().hear(peerHello);
  assert.deepEqual(walk.did, ['send welcome']);
  assert.equal(walk.state.phase, 'greeting');
  assert.deepEqual(walk.hear(welcome).did, ['opened']);
  assert.equal(walk.state.phase, 'open');
});

const refusals = [
  [{ protocolVersion: 0 }, 'protocol-version-too-old'],
  [{ protocolVersion: 0, cluster: 'shop' }, 'protocol-version-too-old'],
  [{ cluster: 'shop' }, 'wrong-cluster'],
  [{ node: 'lb1' }, 'same-node-name'],
  [{ node: 'lb3' }, 'unknown-node'],
] as const;

for (const [changes, reason] of refusals) {
  test(`a hello with ${JSON.stringify(changes)} is refused: ${reason}`, () => {
    const walk = new Walk().hear({ type: 'hello', ...makeHello({ node: 'lb2', ...changes }) });
    assert.deepEqual(walk.did, [
      'send refusal',
      `refused by this-node: ${reason}`,
      'close refused',
    ]);
  });
}

test('a newer protocol version is accepted', () => {
  const newer = makeHello({ node: 'lb2', protocolVersion: 99 });
  assert.deepEqual(new Walk().hear({ type: 'hello', ...newer }).did, ['send welcome']);
});

test('a refusal of the peer ends it, with its reason', () => {
  const refusal = (reason: string): PeerMessage => ({ type: 'refusal', reason, detail: '' });
  const told = new Walk().hear(refusal('wrong-cluster'));
  assert.deepEqual(told.did, ['refused by peer: wrong-cluster', 'close refused']);
  const unknown = new Walk().hear(refusal('a reason of a newer version'));
  assert.deepEqual(unknown.did, ['refused by peer: other', 'close refused']);
});

for (const [title, messages] of [
  ['a state before the introduction', [content]],
  ['a heartbeat before the introduction', [{ type: 'heartbeat', sequence: 1, stateAgeMs: 0 }]],
  ['a welcome before the hello', [welcome]],
  ['a second hello', [peerHello, peerHello]],
  ['a second welcome', [peerHello, welcome, welcome]],
] as const satisfies readonly (readonly [string, readonly PeerMessage[]])[]) {
  test(`${title} is an error of the protocol`, () => {
    assert.equal(new Walk().hear(...messages).did.at(-1), 'close protocol-error');
  });
}

test('an introduction that is not over in time ends it', () => {
  const walk = new Walk();
  assert.equal(nextTickMs(walk.state) - walk.nowMs, introductionTimeoutMs);
  assert.deepEqual(walk.tickAfter(introductionTimeoutMs - 1).did, []);
  assert.deepEqual(walk.tickAfter(1).did, ['close introduction-timeout']);
});

test('content is delivered once it is open, and nothing is done after its end', () => {
  const walk = Walk.open();
  assert.deepEqual(walk.hear(content).did, ['deliver']);
  walk.hear(welcome);
  assert.deepEqual(walk.hear(content).did, []);
  assert.deepEqual(walk.tickAfter(60_000).did, []);
  assert.equal(nextTickMs(walk.state), Number.POSITIVE_INFINITY);
});

test('messages after the one that ended it, in the same piece, are not heard', () => {
  assert.deepEqual(Walk.open().hear(welcome, content).did, ['close protocol-error']);
});

test('heartbeats are sent in their interval and answered', () => {
  const walk = Walk.open();
  assert.deepEqual(walk.tickAfter(0).did, ['send heartbeat']);
  assert.deepEqual(walk.tickAfter(heartbeatIntervalMs - 1).did, []);
  assert.deepEqual(walk.tickAfter(1).did, ['send heartbeat']);
  const heartbeat: PeerMessage = { type: 'heartbeat', sequence: 9, stateAgeMs: 700 };
  assert.deepEqual(walk.hear(heartbeat).did, ['send heartbeatAnswer']);
  assert.equal(stateAgeMs(walk.state, walk.nowMs + 50), 750);
});

test('a peer that is silent for too long is gone, and any byte from it counts', () => {
  const walk = Walk.open();
  walk.tickAfter(heartbeatTimeoutMs - 1).hear();
  assert.deepEqual(walk.tickAfter(heartbeatTimeoutMs - 1).did, ['send heartbeat']);
  assert.deepEqual(walk.tickAfter(1).did, ['close heartbeat-timeout']);
});

test('the lag is that of the last answer, and grows while one is awaited', () => {
  const walk = Walk.open().tickAfter(0);
  assert.equal(lagMs(walk.state, walk.nowMs), null);
  walk.nowMs += 30;
  walk.hear({ type: 'heartbeatAnswer', sequence: 1 });
  assert.equal(lagMs(walk.state, walk.nowMs), 30);
  walk.tickAfter(heartbeatIntervalMs);
  assert.equal(lagMs(walk.state, walk.nowMs + 20), 30);
  assert.equal(lagMs(walk.state, walk.nowMs + 900), 900);
});

test('an answer to a heartbeat that was never sent changes nothing', () => {
  const walk = Walk.open().tickAfter(0);
  const { awaited } = walk.state;
  walk.hear({ type: 'heartbeatAnswer', sequence: 77 });
  assert.deepEqual(walk.state.awaited, awaited);
  assert.equal(walk.state.lagMs, null);
});

test('the answers that are awaited are bounded', () => {
  const walk = Walk.open();
  for (let count = 0; count < 3 * awaitedAnswersMax; count += 1) {
    // The peer talks, but never answers.
    walk.tickAfter(heartbeatIntervalMs).hear(content);
  }
  assert.equal(walk.state.awaited.length, awaitedAnswersMax);
});
