import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BfdSessionSpec } from '../../src/bfd/protocol.js';
import { bfdDiagnostics, bfdStates, encodeBfdHeader } from '../../src/wire/bfd.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { BfdLink, type TimedTransition } from './support/bfdLink.js';
import { Dice } from './support/random.js';

const addresses = [ipAddress('192.0.2.1'), ipAddress('192.0.2.2')] as const;
const secondUs = 1_000_000;
/** The detection time of 50 ms times 3. */
const detectionUs = 150_000;
const meticulous = { type: 'meticulous-sha1', keyId: 1, key: Buffer.from('bfd-secret') } as const;

function spec(peer: 0 | 1, changes: Partial<BfdSessionSpec> = {}): BfdSessionSpec {
  return {
    name: 'pair',
    peer: addresses[peer],
    interface: 'eth0',
    multihop: false,
    enabled: true,
    desiredMinTxUs: 50_000,
    requiredMinRxUs: 50_000,
    detectMultiplier: 3,
    ...changes,
  };
}

/** A link with a session that is configured on both ends. */
function pair(changes: Partial<BfdSessionSpec> = {}, seed = 1): BfdLink {
  const link = new BfdLink(addresses, seed);
  link.first.configure(spec(1, changes));
  link.second.configure(spec(0, changes));
  return link;
}

function settledPair(changes: Partial<BfdSessionSpec> = {}): BfdLink {
  const link = pair(changes).run(5 * secondUs);
  assert.ok(link.bothUp, 'both ends come up');
  return link;
}

function last(transitions: readonly TimedTransition[]): TimedTransition {
  const found = transitions.at(-1);
  assert.ok(found !== undefined, 'there was a transition');
  return found;
}

for (const authentication of [undefined, meticulous, { ...meticulous, type: 'sha1' } as const]) {
  test(`two ends come up and stay up for ten minutes: ${authentication?.type ?? 'plain'}`, () => {
    const link = pair(authentication === undefined ? {} : { authentication }).run(600 * secondUs);
    for (const end of [link.first, link.second]) {
      assert.deepEqual(
        end.transitions.map(({ to }) => to),
        ['init', 'up'].slice(-end.transitions.length),
      );
      assert.equal(end.session.current, 'up');
      assert.equal(end.session.poll, 'idle', 'the poll was answered');
      assert.deepEqual(end.rejected, []);
      const perSecond = end.sentUs.length / 600;
      assert.ok(perSecond > 20 && perSecond < 28, `${perSecond} packets a second`);
    }
  });
}

test('a peer that falls silent is down after the detection time, and comes back by itself', () => {
  const link = settledPair();
  link.cut.toSecond = true;
  const cutUs = link.nowUs;
  link.run(secondUs);
  const ours = last(link.second.transitions.filter(({ to }) => to === 'down'));
  assert.equal(ours.diagnostic, 'detection-time-expired');
  assert.ok(ours.atUs - cutUs <= detectionUs && ours.atUs - cutUs >= detectionUs - 50_000);
  const theirs = last(link.first.transitions.filter(({ to }) => to === 'down'));
  assert.equal(theirs.diagnostic, 'neighbour-signalled-down', 'the other way still works');
  link.cut.toSecond = false;
  link.run(5 * secondUs);
  assert.ok(link.bothUp);
});

test('a stall of the loop is not taken for silence of the peer, whose packets waited', () => {
  const link = settledPair();
  // The other end is patient, so that only the stalled one could come to a wrong conclusion.
  link.first.configure(spec(1, { detectMultiplier: 200 }));
  link.run(secondUs);
  const before = link.first.transitions.length;
  link.first.stalledUntilUs = link.nowUs + 2 * secondUs;
  link.run(5 * secondUs);
  assert.equal(link.first.transitions.length, before);
});

test('a process that is frozen is held to be gone, and both are up again afterwards', () => {
  const link = settledPair();
  link.first.stalledUntilUs = link.nowUs + 3 * secondUs;
  link.run(2 * secondUs);
  assert.equal(last(link.second.transitions).diagnostic, 'detection-time-expired');
  link.run(10 * secondUs);
  assert.ok(link.bothUp);
});

test('a stop is told as AdminDown, never as a failure', () => {
  const link = settledPair();
  link.first.commands.push({ stop: true });
  link.run(10 * secondUs);
  assert.equal(link.first.table.sessions.size, 0);
  const { to, diagnostic } = last(link.second.transitions);
  assert.deepEqual([to, diagnostic], ['down', 'neighbour-signalled-down']);
  assert.equal(link.second.session.remote.state, 'admin-down');
});

test('a restarted end with another discriminator and sequence is heard again', () => {
  const link = settledPair({ authentication: meticulous });
  link.first.crash();
  link.first.configure(spec(1, { authentication: meticulous }));
  link.run(10 * secondUs);
  assert.ok(link.bothUp);
});

test('intervals that change while up are agreed on by a poll, without a failure', () => {
  const link = settledPair();
  const before = link.second.transitions.length;
  for (const desiredMinTxUs of [500_000, 20_000, 2_000_000, 50_000]) {
    link.first.configure(spec(1, { desiredMinTxUs, requiredMinRxUs: desiredMinTxUs }));
    link.run(20 * secondUs);
    assert.equal(link.first.session.effectiveMinTxUs, desiredMinTxUs);
    assert.equal(link.first.session.poll, 'idle');
  }
  assert.equal(link.second.transitions.length, before);
});

test('different keys, and a key on one end only, keep a session down with a reason', () => {
  const other = { ...meticulous, key: Buffer.from('other') };
  for (const [authentication, reason] of [
    [other, 'authentication-digest'],
    [{ ...meticulous, keyId: 2 }, 'authentication-key'],
    [undefined, 'authentication-missing'],
  ] as const) {
    const link = new BfdLink(addresses);
    link.first.configure(spec(1, { authentication: meticulous }));
    link.second.configure(spec(0, authentication === undefined ? {} : { authentication }));
    link.run(5 * secondUs);
    assert.ok(!link.bothUp);
    assert.ok(link.first.rejected.length > 0);
    assert.deepEqual([...new Set(link.first.rejected)], [reason]);
  }
});

test('a recorded packet that is played again is refused', () => {
  const link = pair({ authentication: meticulous });
  link.run(5 * secondUs);
  assert.ok(link.bothUp);
  // What the second end receives from now on is recorded from its socket.
  link.second.stalledUntilUs = link.nowUs + 60_000;
  link.run(59_000);
  const recorded = link.second.waiting.map(({ bytes }) => bytes);
  link.run(secondUs);
  assert.ok(recorded.length > 0);
  for (const bytes of recorded) link.inject(link.second, bytes);
  link.run(10_000);
  assert.deepEqual([...new Set(link.second.rejected)], ['authentication-sequence']);
  assert.ok(link.bothUp);
});

const seedCount = 60;
const only = process.env.SEED;
const seeds =
  only === undefined ? Array.from({ length: seedCount }, (_, index) => index + 1) : [Number(only)];

test(`whatever happens to the link, sessions come up again, ${seeds.length} seeds`, () => {
  for (const seed of seeds) {
    try {
      runCourse(seed);
    } catch (error) {
      throw new Error(`SEED=${seed} breaks an invariant`, { cause: error });
    }
  }
});

/** Faults at random; after each round of them the link is sound, and the session must be too. */
function runCourse(seed: number): void {
  const dice = new Dice(seed);
  const changes = {
    desiredMinTxUs: dice.pick([20_000, 50_000, 300_000, 1_500_000]),
    requiredMinRxUs: dice.pick([10_000, 50_000, 300_000]),
    detectMultiplier: dice.pick([1, 2, 3, 5]),
    ...(dice.chance(0.5) ? { authentication: meticulous } : {}),
  };
  const link = pair(changes, seed);
  for (let round = 0; round < 3; round += 1) {
    link.conditions = {
      loss: dice.pick([0, 0.1, 0.5]),
      repetition: dice.pick([0, 0.2]),
      delayMaxUs: dice.pick([0, 1_000, 200_000]),
    };
    for (let fault = 0; fault < 4; fault += 1) {
      disturb(link, dice, changes);
      link.run(dice.between(10_000, 2 * secondUs));
    }
    link.conditions = { loss: 0, repetition: 0, delayMaxUs: 1_000 };
    Object.assign(link.cut, { toFirst: false, toSecond: false });
    link.run(20 * secondUs);
    assert.ok(link.bothUp, `not up again after round ${round}`);
    const counts = [link.first.transitions.length, link.second.transitions.length];
    link.run(5 * secondUs);
    assert.deepEqual([link.first.transitions.length, link.second.transitions.length], counts);
  }
}

function disturb(link: BfdLink, dice: Dice, changes: Partial<BfdSessionSpec>): void {
  const end = dice.pick([link.first, link.second]);
  const peer = end === link.first ? 1 : 0;
  switch (dice.pick(['cut', 'stall', 'crash', 'reload', 'forge'])) {
    case 'cut':
      Object.assign(link.cut, { toFirst: dice.chance(0.5), toSecond: dice.chance(0.5) });
      break;
    case 'stall':
      end.stalledUntilUs = link.nowUs + dice.between(0, 2 * secondUs);
      break;
    case 'crash':
      end.crash();
      end.configure(spec(peer, changes));
      break;
    case 'reload':
      end.configure();
      end.configure(spec(peer, changes));
      break;
    case 'forge':
      link.inject(end, forgery(end.discriminator ?? 7, dice));
      break;
  }
}

/** A packet of somebody on the link who knows our discriminator but not the key. */
function forgery(yourDiscriminator: number, dice: Dice): Uint8Array {
  return encodeBfdHeader({
    diagnostic: dice.pick(bfdDiagnostics),
    state: dice.pick(bfdStates),
    poll: dice.chance(0.5),
    final: dice.chance(0.5),
    controlPlaneIndependent: false,
    demand: dice.chance(0.5),
    detectMultiplier: dice.between(1, 3),
    myDiscriminator: dice.between(1, 9),
    yourDiscriminator,
    desiredMinTxUs: dice.between(0, secondUs),
    requiredMinRxUs: dice.between(1, secondUs),
    requiredMinEchoRxUs: 0,
  });
}
