import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionStartMs, sessionState } from '../../../src/agent/bfdSessions.js';
import type { BfdSessionReport } from '../../../src/bfd/protocol.js';
import { probeBfd, takeSessions } from '../../../src/health/probes/bfd.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const peer = ipAddress('192.0.2.10');
const target = { address: peer, port: 80 };
const { signal } = new AbortController();

test('a server is what the session with it says, by its address or by a name', async () => {
  takeSessions([
    { name: 'one', peer, up: true, detail: 'up' },
    { name: 'two', peer: ipAddress('192.0.2.11'), up: false, detail: 'gone' },
  ]);
  const ask = (session?: string) =>
    probeBfd(target, session === undefined ? { type: 'bfd' } : { type: 'bfd', session }, signal);
  assert.equal((await ask()).result, 'passed');
  const { result, reason } = await ask('two');
  assert.deepEqual([result, reason], ['failed', 'session-down']);
  assert.equal((await ask('three')).result, 'inconclusive');
  takeSessions([]);
  assert.equal((await ask()).reason, 'session-unknown');
});

for (const [title, changes, afterMs, up] of [
  ['is up', { state: 'up' }, 0, true],
  ['was never up and has just started', {}, sessionStartMs - 1, undefined],
  ['was never up and had its time', {}, sessionStartMs, false],
  ['was up before', { transitions: [transition('up', 'down')] }, 0, false],
  ['is held down here', { state: 'admin-down' }, 60_000, undefined],
  ['is held down by the peer', { remote: 'admin-down' }, 60_000, undefined],
] as const) {
  test(`a session that ${title} says ${up ?? 'nothing'}`, () => {
    const { remote = 'down', ...rest } = changes as { remote?: 'down' | 'admin-down' };
    const report = {
      ...{ name: 'one', peer, state: 'down', sinceUnixMs: 1000, diagnostic: 'none' },
      ...{ transitions: [], remote: { state: remote } },
      ...rest,
    } as unknown as BfdSessionReport;
    assert.equal(sessionState(report, 1000 + afterMs).up, up);
  });
}

function transition(from: 'up' | 'down', to: 'up' | 'down') {
  return { from, to, diagnostic: 'none', atUnixMs: 0 };
}
