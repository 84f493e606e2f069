import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEndpoint, ipAddress } from '../../../src/wire/ipAddress.js';
import { httpSpec, onRequestHeader, probeOnce, tcpServer } from './support/servers.js';

type Changes = Parameters<typeof httpSpec>[0];

/** Probes a server that answers 200, and gives the header that it was sent. */
async function headerSent(t: Parameters<typeof tcpServer>[0], changes: Changes) {
  let header = '';
  const server = await tcpServer(t, (socket) => {
    onRequestHeader(socket, (received) => {
      header = received;
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  const outcome = await probeOnce(server.target, httpSpec(changes));
  assert.equal(outcome.reason, 'passed');
  return { lines: header.trimEnd().split('\r\n'), target: server.target };
}

function field(lines: readonly string[], name: string): string[] {
  const prefix = `${name}: `;
  return lines
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length));
}

test('the request names the path, the endpoint as the host, and closes', async (t) => {
  const { lines, target } = await headerSent(t, { path: '/healthz?deep=1' });
  assert.equal(lines[0], 'GET /healthz?deep=1 HTTP/1.1');
  assert.deepEqual(field(lines, 'host'), [formatEndpoint(target.address, target.port)]);
  assert.deepEqual(field(lines, 'connection'), ['close']);
  assert.deepEqual(field(lines, 'user-agent'), ['tandem-health-check']);
});

test('a configured host is sent as it stands, and only it', async (t) => {
  const { lines } = await headerSent(t, { host: 'www.example.org' });
  assert.deepEqual(field(lines, 'host'), ['www.example.org']);
});

for (const method of ['HEAD', 'POST', 'OPTIONS'] as const) {
  test(`the method ${method} is used`, async (t) => {
    const { lines } = await headerSent(t, { method });
    assert.equal(lines[0], `${method} / HTTP/1.1`);
    assert.deepEqual(field(lines, 'transfer-encoding'), []);
  });
}

test('each probe is a connection of its own', async (t) => {
  let connections = 0;
  const server = await tcpServer(t, (socket) => {
    connections += 1;
    onRequestHeader(socket, () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  });
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await probeOnce(server.target, httpSpec())).reason, 'passed');
  }
  assert.equal(connections, 3);
});

test('the server sees the source address that the check names, also when it changes', async (t) => {
  const seen: (string | undefined)[] = [];
  const server = await tcpServer(t, (socket) => {
    seen.push(socket.remoteAddress);
    onRequestHeader(socket, () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  });
  for (const source of ['127.0.0.7', '127.0.0.8']) {
    const spec = httpSpec({ origin: { source: ipAddress(source) } });
    assert.equal((await probeOnce(server.target, spec)).reason, 'passed');
  }
  assert.deepEqual(seen, ['127.0.0.7', '127.0.0.8']);
});

test('a request with a large body is sent whole, to a server that reads slowly', async (t) => {
  const body = 'x'.repeat(3_000_000);
  let received = 0;
  const server = await tcpServer(t, (socket) => {
    socket.on('data', (chunk) => {
      received += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), 1);
      if (received > body.length) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  const outcome = await probeOnce(server.target, httpSpec({ method: 'POST', body }));
  assert.equal(outcome.reason, 'passed', outcome.detail);
});

test('an answer that comes before the whole request was sent is what counts', async (t) => {
  const server = await tcpServer(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n'));
  });
  const body = 'x'.repeat(3_000_000);
  const outcome = await probeOnce(server.target, httpSpec({ method: 'POST', body }));
  assert.equal(outcome.reason, 'unexpected-status', outcome.detail);
});
