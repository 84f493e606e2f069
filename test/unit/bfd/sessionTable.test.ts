import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BfdSessionSpec } from '../../../src/bfd/protocol.js';
import {
  emptySessionTable,
  nextSessionDeadlineUs,
  noSessionInputs,
  type ReceivedBfdDatagram,
  runSessions,
  type SessionInputs,
  type SessionTable,
} from '../../../src/bfd/sessionTable.js';
import { encodeBfdHeader } from '../../../src/wire/bfd.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { makeSession, peerPacket, startUs } from './support.js';

/** Three sessions that differ in one thing each. */
const specs: readonly BfdSessionSpec[] = [
  makeSession({ name: 'near' }),
  makeSession({ name: 'other-interface', interface: 'eth1' }),
  makeSession({ name: 'far', multihop: true }),
];

function run(table: SessionTable, inputs: Partial<SessionInputs>, random = Math.sqrt(0.5)) {
  const moment = { nowUs: startUs, random: () => random };
  return runSessions(table, { ...noSessionInputs, ...inputs }, moment);
}

function datagram(changes: Partial<ReceivedBfdDatagram> = {}): ReceivedBfdDatagram {
  return {
    bytes: encodeBfdHeader(peerPacket('down', { yourDiscriminator: 0 })),
    source: ipAddress('192.0.2.2'),
    interface: 'eth0',
    multihop: false,
    timeToLive: 255,
    receivedUs: startUs,
    ...changes,
  };
}

test('discriminators are unique and never 0, whatever chance says', () => {
  for (const random of [0, 0.5, 1 - 2 ** -32]) {
    const { table } = run(emptySessionTable, { specs }, random);
    const all = [...table.sessions.values()].map((session) => session.localDiscriminator);
    assert.equal(new Set(all).size, specs.length);
    assert.ok(all.every((each) => each > 0 && each < 2 ** 32));
  }
});

test('a first packet finds its session by interface, peer and port', () => {
  const { table } = run(emptySessionTable, { specs });
  for (const [changes, name] of [
    [{}, 'near'],
    [{ interface: 'eth1' }, 'other-interface'],
    [{ multihop: true }, 'far'],
    [{ multihop: true, interface: 'eth9', timeToLive: 7 }, 'far'],
  ] as const) {
    const { heard, rejected } = run(table, { datagrams: [datagram(changes)] }).effects;
    assert.deepEqual([heard, rejected], [[name], []]);
  }
});

test('a packet for nobody is told of, with the session that has its peer there', () => {
  const { table } = run(emptySessionTable, { specs });
  const cases = [
    [{ interface: 'eth2' }, { reason: 'unknown-peer', interface: 'eth2' }],
    [{ timeToLive: 64 }, { reason: 'wrong-ttl', interface: 'eth0', session: 'near' }],
    [{ bytes: new Uint8Array(3) }, { reason: 'truncated', interface: 'eth0', session: 'near' }],
  ] as const;
  for (const [changes, expected] of cases) {
    const { rejected } = run(table, { datagrams: [datagram(changes)] }).effects;
    assert.deepEqual(rejected, [{ source: '192.0.2.2', ...expected }]);
  }
});

test('our discriminator does not open a session to the peer of another one', () => {
  const { table } = run(emptySessionTable, { specs });
  const yourDiscriminator = table.sessions.get('near')?.localDiscriminator ?? 0;
  const bytes = encodeBfdHeader(peerPacket('up', { yourDiscriminator }));
  const { rejected } = run(table, { datagrams: [datagram({ bytes, interface: 'eth1' })] }).effects;
  assert.equal(rejected[0]?.reason, 'unknown-peer');
});

test('a session that is configured the same goes on, and one that is gone says AdminDown', () => {
  const { table } = run(emptySessionTable, { specs });
  const again = run(table, { specs: structuredClone(specs) });
  assert.deepEqual(again.table.sessions, table.sessions);
  assert.deepEqual(again.effects.packets, []);
  const fewer = run(table, { specs: specs.slice(0, 1) });
  assert.deepEqual([...fewer.table.sessions.keys()], ['near']);
  assert.deepEqual(
    fewer.effects.packets.map(({ spec, packet }) => `${spec.name} ${packet.state}`),
    ['other-interface admin-down', 'far admin-down'],
  );
  assert.equal(fewer.table.timers.size, 1, 'their timers are gone as well');
});

test('a session without its interface sends nothing and has no deadline', () => {
  const unusable = run(emptySessionTable, { specs, isUsable: () => false });
  assert.deepEqual(unusable.effects.packets, []);
  assert.equal(nextSessionDeadlineUs(unusable.table), Number.POSITIVE_INFINITY);
  const usable = run(unusable.table, {});
  assert.equal(usable.effects.packets.length, specs.length);
});

test('at the end every peer is told, and nothing is left', () => {
  const { table } = run(emptySessionTable, { specs });
  const stopped = run(table, { stop: true });
  assert.deepEqual(
    stopped.effects.packets.map(({ packet }) => packet.state),
    ['admin-down', 'admin-down', 'admin-down'],
  );
  assert.deepEqual([stopped.table.sessions.size, stopped.table.timers.size], [0, 0]);
});
