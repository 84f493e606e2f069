/** The channel over real TLS on the loopback, in its real threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerReport } from '../../../src/peer/protocol.js';
import { heartbeatTimeoutMs } from '../../../src/peer/session.js';
import { sharedConfig } from '../../../src/peer/sharedConfig.js';
import type { OverrideRecord } from '../../../src/wire/overrideModel.js';
import { waitFor } from '../../tools/waiting.js';
import { makeSpec } from '../vrrp/support.js';
import { freePort, keyA, keyB, makeRouter, makeSettings, WatchedPeer } from './support.js';

test('two directors with the same key find each other and know who is there', async (t) => {
  const port = await freePort();
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port, { agentVersion: '9.9.9' }));
  const [one, two] = await Promise.all([lb1.connected(), lb2.connected()]);
  assert.equal(one.role, 'connects');
  assert.equal(two.role, 'listens');
  assert.deepEqual([one.peer?.node, one.peer?.version], ['lb2', '9.9.9']);
  assert.equal(one.address, `127.0.0.2:${port}`);
  assert.equal(two.peer?.node, 'lb1');
  assert.match(two.address ?? '', /^127\.0\.0\.1:/);
  assert.equal(one.keyId, 'a');
  await lb1.waitFor('a measured lag', ({ heartbeatLagMs }) => heartbeatLagMs !== null);
  await lb2.waitFor('a measured lag', ({ heartbeatLagMs }) => heartbeatLagMs !== null);
});

test('each tells the other its state, now and when it changes', async (t) => {
  const port = await freePort();
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  lb1.thread.post({ type: 'routers', routers: [makeRouter({ state: 'active' })] });
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  const stateIs = (state: string) => (report: { routers: readonly { state: string }[] | null }) =>
    report.routers?.[0]?.state === state;
  await lb2.waitFor('the state from before the connection', stateIs('active'));
  lb1.thread.post({ type: 'routers', routers: [makeRouter({ state: 'backup' })] });
  await lb2.waitFor('the state that followed', stateIs('backup'));
  assert.deepEqual((await lb1.connected()).routers, []);
});

test('each tells the other its configuration, and forgets the peer that is gone', async (t) => {
  const port = await freePort();
  const config = sharedConfig([makeSpec()]);
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  lb1.thread.post({ type: 'sharedConfig', config });
  await waitFor('the configuration', () => lb2.config?.digest === config.digest);
  assert.deepEqual(lb2.config, config);
  await lb1.thread.stop();
  const { reason, peer, routers } = await lb2.waitFor('the end', ({ connected }) => !connected);
  assert.equal(reason, 'closed-by-peer');
  assert.equal(peer, null);
  assert.equal(routers, null);
  await waitFor('nothing known any more', () => lb2.config === null);
});

test('each tells the other what operators have set, also what was set before', async (t) => {
  const port = await freePort();
  const record: OverrideRecord = {
    server: 'web/10.0.0.2:80',
    kind: 'drain',
    folderOf: '',
    holds: true,
    weight: 0,
    atUnixMs: 1_000,
    node: 'lb1',
    user: 'alice',
    reason: '新磁盘',
  };
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  lb1.thread.post({ type: 'overrides', records: [record] });
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  await waitFor('what was set before', () => lb2.overrides?.length === 1);
  assert.deepEqual(lb2.overrides, [record]);
  const back = { ...record, holds: false, atUnixMs: 2_000, node: 'lb2' };
  lb2.thread.post({ type: 'overrides', records: [back] });
  await waitFor('what was taken back', () => lb1.overrides?.[0]?.holds === false);
  assert.deepEqual(lb1.overrides, [back]);
});

test('a wrong key is refused, and both sides say so', async (t) => {
  const port = await freePort();
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port, { keys: [keyA] }));
  const wrong = { id: keyA.id, hex: keyB.hex };
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port, { keys: [wrong] }));
  const one = await lb1.waitFor('a refusal', ({ refused }) => refused !== null);
  const two = await lb2.waitFor('a refusal', ({ refused }) => refused !== null);
  assert.deepEqual([one.refused?.reason, one.refused?.by], ['wrong-key', 'peer']);
  assert.deepEqual([two.refused?.reason, two.refused?.by], ['wrong-key', 'this-node']);
  assert.equal(one.connected || two.connected, false);
  assert.ok(lb1.logs.includes('error: lb2 refuses this node: wrong-key'), lb1.logs.join());
  lb2.configure(makeSettings('lb2', port, { keys: [keyA] }));
  assert.equal((await lb1.connected()).refused, null);
  assert.equal((await lb2.connected()).refused, null);
});

test('a key of a name that the other does not have is a wrong key', async (t) => {
  const port = await freePort();
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port, { keys: [keyA] }));
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port, { keys: [keyB] }));
  const one = await lb1.waitFor('a refusal', ({ refused }) => refused !== null);
  const two = await lb2.waitFor('a refusal', ({ refused }) => refused !== null);
  assert.equal(one.refused?.reason, 'wrong-key');
  assert.equal(two.refused?.reason, 'wrong-key');
});

const misfits = [
  { title: 'another cluster', changes: { cluster: 'shop' }, reason: 'wrong-cluster' },
  { title: 'another name', changes: { node: 'lb9' }, reason: 'unknown-node' },
  { title: 'the same name', changes: { node: 'lb1' }, reason: 'same-node-name' },
] as const;

for (const { title, changes, reason } of misfits) {
  test(`a peer of ${title} is refused, and both sides say so`, async (t) => {
    const port = await freePort();
    const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
    // Its expectation of a peer makes it listen, whatever it calls itself.
    const lb2 = new WatchedPeer(t, makeSettings('lb2', port, { ...changes, peer: 'lb1' }));
    const one = await lb1.waitFor('a refusal', ({ refused }) => refused?.reason === reason);
    const two = await lb2.waitFor('a refusal', ({ refused }) => refused?.reason === reason);
    assert.ok((one.refused?.detail ?? '').length > 0);
    assert.equal(one.connected || two.connected, false);
  });
}

test('a new key is introduced, used and the old one removed without a loss', async (t) => {
  const port = await freePort();
  const both = (node: 'lb1' | 'lb2', keys: readonly (typeof keyA)[]) =>
    makeSettings(node, port, { keys });
  const lb1 = new WatchedPeer(t, both('lb1', [keyA]));
  const lb2 = new WatchedPeer(t, both('lb2', [keyA]));
  await Promise.all([lb1.connected(), lb2.connected()]);
  // First both accept the new key, then one uses it, then the old one goes.
  lb1.configure(both('lb1', [keyA, keyB]));
  lb2.configure(both('lb2', [keyA, keyB]));
  lb1.configure(both('lb1', [keyB, keyA]));
  await lb1.waitFor('the old connection to stay', ({ keyId }) => keyId === 'a');
  assert.equal(lb2.report?.counters.connections, 1);
  lb2.configure(both('lb2', [keyB]));
  const renewed = await lb2.waitFor('the new key in use', ({ keyId }) => keyId === 'b');
  assert.equal(renewed.counters.connections, 2);
  assert.ok(
    lb2.logs.some((line) => line.endsWith('key-removed')),
    lb2.logs.join(),
  );
  lb1.configure(both('lb1', [keyB]));
  await lb1.waitFor('the new key', ({ keyId, connected }) => connected && keyId === 'b');
  assert.equal(lb1.report?.refused, null);
});

test('the connection is back after either director restarts', async (t) => {
  const port = await freePort();
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  await Promise.all([lb1.connected(), lb2.connected()]);
  await lb2.thread.stop();
  await lb1.waitFor('the loss', ({ connected }) => !connected);
  const again2 = new WatchedPeer(t, makeSettings('lb2', port, { startedUnixMs: 2_000 }));
  assert.equal((await lb1.connected(2)).peer?.startedUnixMs, 2_000);
  await lb1.thread.stop();
  await again2.waitFor('the loss', ({ connected }) => !connected);
  const again1 = new WatchedPeer(t, makeSettings('lb1', port));
  await Promise.all([again1.connected(), again2.connected(2)]);
});

test('the one that connects may be there long before the one that listens', async (t) => {
  const port = await freePort();
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  const { reason, detail } = await lb1.waitFor(
    'a failure',
    (report) => report.reason === 'unreachable',
  );
  assert.equal(reason, 'unreachable');
  assert.equal(detail, '127.0.0.2: ECONNREFUSED');
  new WatchedPeer(t, makeSettings('lb2', port));
  await lb1.connected();
  const failures = lb1.logs.filter((line) => line.startsWith('warn: no connection'));
  assert.equal(failures.length, 1, 'the same failure is told once');
});

test('a main thread that stalls does not end the channel, and the peer sees its age', async (t) => {
  const port = await freePort();
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  lb1.thread.post({ type: 'routers', routers: [makeRouter()] });
  await Promise.all([lb1.connected(), lb2.connected()]);
  const stallMs = heartbeatTimeoutMs + 1_000;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
  const aged = ({ stateAgeMs }: PeerReport) => stateAgeMs !== null && stateAgeMs >= stallMs - 500;
  const { connected, counters } = await lb2.waitFor('a state that has aged', aged);
  assert.equal(connected, true);
  assert.deepEqual([counters.connections, counters.heartbeatTimeouts], [1, 0]);
});
