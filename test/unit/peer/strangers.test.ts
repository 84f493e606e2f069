/** What comes to the port of the channel and is not the peer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { pendingFromOthersMax } from '../../../src/peer/listener.js';
import { connectWithKey } from '../../../src/peer/tls.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from '../../../src/wire/peerMessage.js';
import { encodePeerFrame, PeerFrameReader } from '../../../src/wire/peerMessageFrame.js';
import { waitFor } from '../../tools/waiting.js';
import { freePort, keyA, makeHello, makeSettings, ownAddresses, WatchedPeer } from './support.js';

const elsewhere = '127.0.0.9';

/** A plain connection to the listener from an address that is not the peer's. */
function plainConnection(t: TestContext, port: number): Socket {
  const socket = connect({ host: ownAddresses.lb2, port, localAddress: elsewhere });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

/** Someone who has the key and speaks for itself; gives everything that it hears. */
async function knowing(t: TestContext, port: number): Promise<[TLSSocket, PeerMessage[]]> {
  const path = { own: ownAddresses.lb1, peer: ownAddresses.lb2, port };
  const socket = await waitFor('a connection', async () => {
    const attempt = connectWithKey(path, keyA);
    const connected = await new Promise<boolean>((resolve) => {
      attempt.once('secureConnect', () => resolve(true));
      attempt.once('error', () => resolve(false));
    });
    return connected ? attempt : undefined;
  });
  const heard: PeerMessage[] = [];
  const reader = new PeerFrameReader();
  socket.on('data', (bytes: Buffer) => {
    for (const frame of reader.push(bytes)) {
      const message = decodePeerMessage(frame);
      if (message !== undefined) heard.push(message);
    }
  });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  return [socket, heard];
}

test('an old version of the protocol is refused, and told so', async (t) => {
  const port = await freePort();
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  const [socket, heard] = await knowing(t, port);
  socket.write(encodePeerMessage({ type: 'hello', ...makeHello({ protocolVersion: 0 }) }));
  const { refused } = await lb2.waitFor('a refusal', (report) => report.refused !== null);
  assert.deepEqual([refused?.reason, refused?.by], ['protocol-version-too-old', 'this-node']);
  const refusal = await waitFor('the refusal on the wire', () =>
    heard.find((message) => message.type === 'refusal'),
  );
  assert.equal(refusal.type === 'refusal' && refusal.reason, 'protocol-version-too-old');
});

test('a message of a newer version is skipped and counted, and the channel goes on', async (t) => {
  const port = await freePort();
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  const [socket, heard] = await knowing(t, port);
  socket.write(encodePeerMessage({ type: 'hello', ...makeHello() }));
  socket.write(encodePeerFrame({ type: 4321, version: 9, payload: Uint8Array.of(1, 2, 3) }));
  socket.write(encodePeerMessage({ type: 'welcome' }));
  const { counters } = await lb2.connected();
  assert.equal(counters.messagesSkipped, 1);
  await waitFor('a heartbeat', () => heard.some((message) => message.type === 'heartbeat'));
});

test('a frame that is too long ends the connection, and is counted', async (t) => {
  const port = await freePort();
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  const [socket] = await knowing(t, port);
  socket.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 1, 1, 0));
  const { reason } = await lb2.waitFor('the end', ({ counters }) => counters.protocolErrors === 1);
  assert.equal(reason, 'protocol-error');
});

test('a second connection of the peer takes the place of the first', async (t) => {
  const port = await freePort();
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  const introduce = async (): Promise<TLSSocket> => {
    const [socket] = await knowing(t, port);
    socket.write(encodePeerMessage({ type: 'hello', ...makeHello() }));
    socket.write(encodePeerMessage({ type: 'welcome' }));
    return socket;
  };
  const first = await introduce();
  const firstClosed = new Promise<void>((resolve) => first.once('close', () => resolve()));
  await lb2.connected(1);
  await introduce();
  await lb2.connected(2);
  await firstClosed;
  assert.equal(lb2.report?.connected, true);
  assert.ok(
    lb2.logs.every((line) => !line.includes('lost')),
    lb2.logs.join(),
  );
});

test('plain text and port scans are counted, and change nothing else', async (t) => {
  const port = await freePort();
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  const socket = await firstConnection(t, port);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  const report = await lb2.waitFor('the stranger', ({ counters }) => counters.strangers > 0);
  assert.equal(report.refused, null);
  assert.ok(
    lb2.logs.some((line) => line.includes(`turned away ${elsewhere}`)),
    lb2.logs.join(),
  );
});

test('a stranger with a wrong key is not taken for the peer', async (t) => {
  const port = await freePort();
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  const path = { own: ipAddress(elsewhere), peer: ownAddresses.lb2, port };
  await waitFor('the stranger', async () => {
    const socket = connectWithKey(path, { id: 'a', hex: '99'.repeat(32) });
    await new Promise<void>((resolve) => socket.once('error', () => resolve()));
    return (lb2.report?.counters.strangers ?? 0) > 0;
  });
  assert.equal(lb2.report?.refused, null);
});

test('strangers that hold connections open do not keep the peer out', async (t) => {
  const port = await freePort();
  const lb2 = new WatchedPeer(t, makeSettings('lb2', port));
  await firstConnection(t, port);
  for (let index = 0; index < 3 * pendingFromOthersMax; index += 1) plainConnection(t, port);
  const overflow = 2 * pendingFromOthersMax;
  await lb2.waitFor('the overflow', ({ counters }) => counters.strangers >= overflow);
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  await lb1.connected();
});

test('who shows a certificate in place of the key is not taken for the peer', async (t) => {
  const credentials = selfSigned(t);
  if (credentials === undefined) return;
  const port = await freePort();
  const server = createServer({ ...credentials, minVersion: 'TLSv1.3' });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, ownAddresses.lb2, resolve));
  t.after(() => server.close());
  const lb1 = new WatchedPeer(t, makeSettings('lb1', port));
  const { refused } = await lb1.waitFor('a refusal', (report) => report.refused !== null);
  assert.equal(refused?.reason, 'wrong-key');
  assert.equal(lb1.report?.connected, false);
});

/** A connection, as soon as somebody listens. */
function firstConnection(t: TestContext, port: number): Promise<Socket> {
  return waitFor('a connection', async () => {
    const attempt = plainConnection(t, port);
    const connected = await new Promise<boolean>((resolve) => {
      attempt.once('connect', () => resolve(true));
      attempt.once('error', () => resolve(false));
    });
    return connected ? attempt : undefined;
  });
}

/** A certificate that names the listener's address, made for this test. */
function selfSigned(t: TestContext): { readonly key: string; readonly cert: string } | undefined {
  const subject = ['-subj', '/CN=lb2', '-addext', `subjectAltName=IP:${ownAddresses.lb2}`];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const out = ['-days', '2', '-keyout', '-', '-out', '-'];
  const result = spawnSync('openssl', ['req', ...kind, ...subject, ...out], { encoding: 'utf8' });
  if (result.status === 0) return { key: result.stdout, cert: result.stdout };
  const reason = 'needs openssl, to make a certificate';
  assert.notEqual(process.env.CI, 'true', reason);
  t.skip(reason);
  return undefined;
}
