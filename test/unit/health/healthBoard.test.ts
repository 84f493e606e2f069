import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BoardService, HealthBoard } from '../../../src/health/healthBoard.js';
import type { CheckReport, CheckSpec } from '../../../src/health/protocol.js';
import { stepQuorum } from '../../../src/health/quorum.js';
import type { ProbeReason } from '../../../src/health/reasons.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const checkIds = ['a', 'b', 'c'];
const specs = checkIds.map(
  (id, index): CheckSpec => ({
    id,
    address: ipAddress(`192.0.2.${index + 1}`),
    port: 80,
    probe: { type: 'tcp' },
    timing: { intervalMs: 1000, timeoutMs: 500, rise: 1, fall: 2 },
  }),
);
const service: BoardService = {
  name: 'web',
  rules: { needed: 1, startDown: false },
  servers: checkIds.map((id) => ({ id: `web/${id}`, weight: 1, checkIds: [id] })),
};
const wanted = new Set(checkIds);
const agentProbe = { type: 'agent', whenSilent: 'ignore' } as const;

test('one check serves every server that has it, in whatever service', () => {
  const board = new HealthBoard();
  const other = { ...service, name: 'api', servers: [{ id: 'api/a', weight: 1, checkIds: ['a'] }] };
  board.configure([service, other], specs, true, 0);
  const change = board.take([report('a', 'down', 10, 'connection-refused')], wanted, 11);
  assert.deepEqual(
    change.servers.map(({ after }) => `${after.id} ${after.state}`),
    ['web/a down', 'api/a down'],
  );
});

test('when all fail at once in silence they are excused, and the network is lost', () => {
  const board = running();
  assert.equal(
    board.take([report('a', 'down', 1000, 'timeout')], wanted, 1000).networkLost,
    undefined,
  );
  board.take([report('b', 'down', 1500, 'host-unreachable')], wanted, 1500);
  assert.equal(board.servers.get('web/a')?.excused, undefined, 'one still answers');
  const change = board.take([report('c', 'down', 2000, 'timeout')], wanted, 2000);
  assert.equal(change.networkLost, true);
  assert.deepEqual(excused(board), ['web/a', 'web/b', 'web/c']);
  assert.equal(board.networkLostSinceMs, 2000);
});

test('one refusal proves that the network works', () => {
  const board = running();
  const reasons: ProbeReason[] = ['timeout', 'connection-refused', 'timeout'];
  const reports = checkIds.map((id, index) => report(id, 'down', 10, reasons[index] ?? 'timeout'));
  const change = board.take(reports, wanted, 10);
  assert.equal(change.networkLost, undefined);
  assert.deepEqual(excused(board), []);
});

test('checks without the network, and agents that say nothing, do not hide its loss', () => {
  const [first, second, third] = specs;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const file: CheckSpec = { ...first, probe: { type: 'file', path: '/x', meaning: 'weight' } };
  const quiet: CheckSpec = { ...second, id: 'agent', probe: agentProbe };
  const servers = [
    { id: 'web/file', weight: 1, checkIds: ['a'] },
    { id: 'web/b', weight: 1, checkIds: ['b', 'agent'] },
    { id: 'web/c', weight: 1, checkIds: ['c'] },
  ];
  const board = new HealthBoard();
  const all = new Set(['a', 'b', 'c', 'agent']);
  const rules = { ...service.rules, needed: 1 };
  board.configure([{ ...service, servers, rules }], [file, second, third, quiet], true, 0);
  board.take([report('a', 'up', 0, 'passed'), report('agent', 'up', 0, 'agent-silent')], all, 0);
  const lost = board.take(
    ['b', 'c'].map((id) => report(id, 'down', 10, 'timeout')),
    all,
    10,
  );
  assert.equal(lost.networkLost, true);
});

test('a server that was down long before is not excused with the others', () => {
  const board = running();
  board.take([report('a', 'down', 1000, 'timeout')], wanted, 1000);
  const reports = ['b', 'c'].map((id) => report(id, 'down', 60_000, 'timeout'));
  board.take(reports, wanted, 60_000);
  assert.deepEqual(excused(board), ['web/b', 'web/c']);
});

test('when the network is back the others stay excused until they had time to answer', () => {
  const board = running();
  board.take(
    checkIds.map((id) => report(id, 'down', 1000, 'timeout')),
    wanted,
    1000,
  );
  const change = board.take([report('a', 'up', 9000, 'passed')], wanted, 9000);
  assert.equal(change.networkLost, false);
  assert.deepEqual(excused(board), ['web/b', 'web/c']);
  assert.equal(board.nextMs, 9000 + 2500);
  board.refresh(11_500);
  assert.deepEqual(excused(board), []);
  assert.equal(board.servers.get('web/b')?.state, 'down');
});

test('with whenAllFail follow nothing is excused', () => {
  const board = new HealthBoard();
  board.configure([service], specs, false, 0);
  board.take(
    checkIds.map((id) => report(id, 'down', 1000, 'timeout')),
    wanted,
    1000,
  );
  assert.deepEqual(excused(board), []);
});

test('a single backend that fails is dead, not the network', () => {
  const board = new HealthBoard();
  board.configure([service], specs.slice(0, 1), true, 0);
  const change = board.take([report('a', 'down', 1000, 'timeout')], new Set(['a']), 1000);
  assert.equal(change.networkLost, undefined);
});

test('a quorum is lost below its minimum, and met again only at the hysteresis above it', () => {
  const rules = { of: 'servers', min: 2, hysteresis: 1 } as const;
  const counts = [3, 2, 1, 2, 3, 2];
  let state: 'met' | 'lost' = 'met';
  const states = counts.map((count) => {
    state = stepQuorum(state, count, rules);
    return state;
  });
  assert.deepEqual(states, ['met', 'met', 'lost', 'lost', 'met', 'met']);
});

test('the board tells once that a quorum is lost', () => {
  const board = new HealthBoard();
  const quorum = { of: 'weight', min: 2, hysteresis: 0 } as const;
  board.configure([{ ...service, quorum }], specs, true, 0);
  assert.deepEqual(board.take([report('a', 'down', 1, 'timeout')], wanted, 1).quorums, []);
  const lost = board.take([report('b', 'down', 2, 'timeout')], wanted, 2);
  assert.deepEqual(lost.quorums, [{ service: 'web', state: 'lost', count: 1 }]);
  assert.deepEqual(board.refresh(3).quorums, []);
});

test('a server that an operator took out does not count for the quorum; a set weight does', () => {
  const board = new HealthBoard();
  const quorum = { of: 'weight', min: 3, hysteresis: 0 } as const;
  board.configure([{ ...service, quorum }], specs, true, 0);
  assert.deepEqual(board.quorums.get('web'), { state: 'met', count: 3 });
  const drained = board.setOperatorWeights(new Map([['web/a', 0]]), 1);
  assert.deepEqual(drained.quorums, [{ service: 'web', state: 'lost', count: 2 }]);
  board.setOperatorWeights(new Map([['web/a', 5]]), 2);
  assert.deepEqual(board.quorums.get('web'), { state: 'met', count: 7 });
});

test('a server that wants to be left alone is out by its wish, which is no failure', () => {
  const flapDamping = { failures: 1, windowMs: 60_000, holdMs: 30_000, holdMaxMs: 30_000 };
  const board = new HealthBoard();
  const rules = { ...service.rules, flapDamping };
  board.configure([{ ...service, rules }], specs, true, 0);
  board.take([report('a', 'up', 0, 'passed')], wanted, 0);
  board.take([report('a', 'down', 10, 'reported-maintenance')], wanted, 10);
  const out = board.servers.get('web/a');
  assert.deepEqual([out?.state, out?.operation?.reason], ['down', 'asked-by-server']);
  board.take([report('a', 'up', 20, 'passed')], wanted, 20);
  assert.equal(board.servers.get('web/a')?.state, 'up', 'it comes back without a wait');
});

test('of the limits that the checks of a server ask for the lowest counts', () => {
  const board = new HealthBoard();
  const servers = [{ id: 'web/a', weight: 1, checkIds: ['a', 'b'] }];
  const rules = { ...service.rules, needed: 2 };
  board.configure([{ ...service, servers, rules }], specs, true, 0);
  const reports = [
    { ...report('a', 'up', 1, 'passed'), connectionsMax: 50 },
    { ...report('b', 'up', 1, 'passed'), connectionsMax: 20 },
  ];
  const { servers: changed } = board.take(reports, wanted, 1);
  assert.equal(changed[0]?.after.connectionsMax, 20);
});

test('what is known of a server outlives a reload that gives it another check', () => {
  const board = running();
  board.take([report('a', 'down', 10, 'connection-refused')], wanted, 10);
  const [first] = specs;
  assert.ok(first !== undefined);
  const servers = [{ id: 'web/a', weight: 1, checkIds: ['other'] }];
  board.configure([{ ...service, servers }], [{ ...first, id: 'other' }], true, 20);
  assert.equal(board.servers.get('web/a')?.state, 'down');
});

test('a report changes what it would if all servers were judged anew', () => {
  const rules = {
    needed: 1,
    startDown: true,
    slowStart: { durationMs: 2_000, curve: 'linear', fromPercent: 10 },
    flapDamping: { failures: 1, windowMs: 60_000, holdMs: 700, holdMaxMs: 5_000 },
  } as const;
  const servers = [
    ...service.servers,
    { id: 'web/both', weight: 1, checkIds: ['a', 'b'] },
    { id: 'web/never', weight: 1, checkIds: [] },
  ];
  const quorum = { of: 'servers', min: 2, hysteresis: 1 } as const;
  const anyReport = fc.record({
    id: fc.constantFrom(...checkIds, 'unknown'),
    state: fc.constantFrom('up', 'down'),
    reason: fc.constantFrom<ProbeReason>('timeout', 'connection-refused', 'agent-silent'),
    afterMs: fc.integer({ min: 0, max: 1_500 }),
  });
  fc.assert(
    fc.property(fc.array(anyReport, { maxLength: 60 }), (course) => {
      const board = new HealthBoard();
      board.configure([{ ...service, servers, rules, quorum }, service], specs, true, 0);
      let nowMs = 0;
      for (const { id, state, reason, afterMs } of course) {
        nowMs += afterMs;
        board.take([report(id, state, nowMs, reason)], wanted, nowMs);
        const { servers: taken, nextMs, quorums } = board;
        const snapshot = { servers: new Map(taken), nextMs, quorums: new Map(quorums) };
        const change = board.refresh(nowMs);
        assert.deepEqual(change, { servers: [], quorums: [] });
        const { servers: anew } = board;
        const fresh = { servers: new Map(anew), nextMs: board.nextMs, quorums: board.quorums };
        assert.deepEqual(snapshot, fresh);
      }
    }),
    { numRuns: 200 },
  );
});

function running(): HealthBoard {
  const board = new HealthBoard();
  board.configure([service], specs, true, 0);
  board.take(
    checkIds.map((id) => report(id, 'up', 0, 'passed')),
    wanted,
    0,
  );
  return board;
}

function excused(board: HealthBoard): readonly string[] {
  return [...board.servers.values()].filter((each) => each.excused === true).map(({ id }) => id);
}

function report(
  id: string,
  state: 'up' | 'down',
  sinceUnixMs: number,
  reason: ProbeReason,
): CheckReport {
  const last = { reason, detail: '', atUnixMs: sinceUnixMs, durationMs: 1 };
  return { id, state, sinceUnixMs, streak: 0, last, probes: { passed: 0, failed: 0, unknown: 0 } };
}
