import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import {
  answerWith,
  closedPort,
  httpSpec,
  onRequestHeader,
  probeOnce,
  tcpServer,
} from './support/servers.js';
import { openSockets, until } from './support/waiting.js';

const wantsBody = httpSpec({ bodyContains: 'ok' });

/** Deadline of probes that are to run into it; the servers here drip for much longer. */
const shortTimeoutMs = 300;

/** Sends the text a character at a time until the connection is gone. */
function drip(socket: Socket, text: string): void {
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(text[sent % text.length] ?? ' ');
    sent += 1;
  }, 10);
  socket.on('close', () => clearInterval(timer));
}

test('a port that nobody listens on is refused', async (t) => {
  const outcome = await probeOnce(await closedPort(t), httpSpec());
  assert.deepEqual(outcome, {
    result: 'failed',
    reason: 'connection-refused',
    detail: 'connect: ECONNREFUSED',
  });
});

test('a server that accepts and says nothing fails at the deadline', async (t) => {
  const server = await tcpServer(t, (socket) => socket.resume());
  const outcome = await probeOnce(server.target, httpSpec(), shortTimeoutMs);
  assert.equal(outcome.reason, 'timeout');
  assert.equal(outcome.detail, 'connected, but no complete header came in time');
});

test('a server that drips its header fails at the deadline', async (t) => {
  const server = await tcpServer(t, (socket) => {
    onRequestHeader(socket, () => {
      socket.write('HTTP/1.1 200 OK\r\n');
      drip(socket, 'X-Slow: yes\r\n');
    });
  });
  const outcome = await probeOnce(server.target, httpSpec(), shortTimeoutMs);
  assert.equal(outcome.reason, 'timeout');
});

test('a server that drips its body fails, whether the body matters or not', async (t) => {
  const server = await tcpServer(t, (socket) => {
    onRequestHeader(socket, () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
      drip(socket, 'ok');
    });
  });
  for (const spec of [wantsBody, httpSpec()]) {
    const outcome = await probeOnce(server.target, spec, shortTimeoutMs);
    assert.equal(outcome.reason, 'timeout');
    assert.equal(outcome.detail, 'HTTP/1.1 200 OK: the body did not end in time');
  }
});

test('interim answers without end do not prolong the deadline', async (t) => {
  const server = await tcpServer(t, (socket) => {
    onRequestHeader(socket, () => drip(socket, 'HTTP/1.1 100 Continue\r\n\r\n'));
  });
  const outcome = await probeOnce(server.target, httpSpec(), shortTimeoutMs);
  assert.equal(outcome.reason, 'timeout');
});

const endings: readonly {
  readonly title: string;
  readonly answer: string;
  readonly reason: string;
  readonly detail: RegExp;
}[] = [
  { title: 'nothing', answer: '', reason: 'truncated', detail: /before its header was in/ },
  {
    title: 'half a status line',
    answer: 'HTTP/1.1 20',
    reason: 'truncated',
    detail: /before its header was in/,
  },
  {
    title: 'half a header',
    answer: 'HTTP/1.1 200 OK\r\nContent-Le',
    reason: 'truncated',
    detail: /before its header was in/,
  },
  {
    title: 'less than the declared length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok',
    reason: 'truncated',
    detail: /in the body/,
  },
  {
    title: 'chunks without the last one',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
    reason: 'truncated',
    detail: /in the body/,
  },
  {
    title: 'a chunk that breaks off',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nok',
    reason: 'truncated',
    detail: /in the body/,
  },
  {
    title: 'a chunk size that is no number',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n',
    reason: 'malformed-response',
    detail: /chunk size/,
  },
  {
    title: 'two lengths that contradict each other',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
    reason: 'malformed-response',
    detail: /Content-Length/i,
  },
  {
    title: 'the banner of another protocol',
    answer: 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n',
    reason: 'malformed-response',
    detail: /"SSH-2\.0-OpenSSH_9\.2p1 Debian-2"?/,
  },
  {
    title: 'control characters',
    answer: '\x00\x01\x1b[31m\x7f\r\n\r\n',
    reason: 'malformed-response',
    detail: /^[\x20-\x7e]*$/,
  },
  {
    title: 'an HTTP version that does not exist',
    answer: 'HTTP/9.9 200 OK\r\n\r\nok',
    reason: 'malformed-response',
    detail: /version/i,
  },
  {
    title: 'a status that is no number',
    answer: 'HTTP/1.1 OK\r\n\r\nok',
    reason: 'malformed-response',
    detail: /status/i,
  },
  {
    title: 'a header of 100 KB',
    answer: `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\nok`,
    reason: 'too-large',
    detail: /16 KiB/,
  },
];

for (const { title, answer, reason, detail } of endings) {
  test(`a server that sends ${title} fails with ${reason}`, async (t) => {
    const server = await answerWith(t, Buffer.from(answer, 'latin1'));
    for (const spec of [wantsBody, httpSpec()]) {
      const outcome = await probeOnce(server.target, spec);
      assert.equal(outcome.result, 'failed');
      assert.equal(outcome.reason, reason, outcome.detail);
      assert.match(outcome.detail, detail);
    }
  });
}

test('a body that breaks off does not matter when the status is wrong already', async (t) => {
  const server = await answerWith(t, 'HTTP/1.1 500 Oops\r\nContent-Length: 10\r\n\r\nok');
  assert.equal((await probeOnce(server.target, httpSpec())).reason, 'unexpected-status');
});

test('another protocol may follow where the check wants one', async (t) => {
  const answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
  const server = await answerWith(t, answer);
  const spec = httpSpec({ expectStatus: [{ from: 101, to: 101 }] });
  assert.equal((await probeOnce(server.target, spec)).reason, 'passed');
});

for (const [place, bytes] of [
  ['before it answers', ''],
  ['in its header', 'HTTP/1.1 200 OK\r\nX-Half'],
  ['in its body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok'],
] as const) {
  test(`a server that resets the connection ${place} fails with connection-reset`, async (t) => {
    const server = await tcpServer(t, (socket) => {
      onRequestHeader(socket, () => {
        if (bytes === '') socket.resetAndDestroy();
        // Long enough for the bytes to be read first; a reset discards what is unread.
        else socket.write(bytes, () => setTimeout(() => socket.resetAndDestroy(), 50));
      });
    });
    const outcome = await probeOnce(server.target, wantsBody);
    assert.equal(outcome.reason, 'connection-reset', outcome.detail);
  });
}

/** Sends a header that declares no length, then a body as fast as it is taken. */
async function endlessServer(t: TestContext, bytesTotal: number) {
  let bytesTaken = 0;
  const piece = Buffer.alloc(65_536, 'x');
  const server = await tcpServer(t, (socket) => {
    const pump = (): void => {
      if (bytesTaken >= bytesTotal || socket.destroyed) return;
      bytesTaken += piece.length;
      socket.write(piece, pump);
    };
    onRequestHeader(socket, () => socket.write('HTTP/1.1 200 OK\r\n\r\n', pump));
  });
  return { target: server.target, bytesTaken: () => bytesTaken };
}

test('of a body of 100 MB no more is read than the bound', async (t) => {
  const server = await endlessServer(t, 100_000_000);
  const outcome = await probeOnce(server.target, wantsBody);
  assert.equal(outcome.reason, 'too-large');
  // What the buffers of both kernels hold comes on top.
  assert.ok(server.bytesTaken() < 50_000_000, `${server.bytesTaken()} bytes were taken`);
});

test('of a body of 100 MB that does not matter only the beginning is read', async (t) => {
  const server = await endlessServer(t, 100_000_000);
  assert.equal((await probeOnce(server.target, httpSpec())).reason, 'passed');
  assert.ok(server.bytesTaken() < 50_000_000, `${server.bytesTaken()} bytes were taken`);
});

test('no probe leaves a socket behind, however it ends', async (t) => {
  const hanging = await tcpServer(t, (socket) => socket.resume());
  const healthy = await answerWith(t, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const garbage = await answerWith(t, 'garbage\r\n\r\n');
  const resetting = await tcpServer(t, (socket) => socket.resetAndDestroy());
  const targets = [hanging.target, healthy.target, garbage.target, resetting.target];
  const specs = [{ type: 'tcp' } as const, httpSpec(), wantsBody];
  const rounds = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round += 1) {
      await Promise.all(
        targets.flatMap((target) => specs.map((spec) => probeOnce(target, spec, 50))),
      );
    }
  };
  await rounds(1);
  const before = openSockets();
  await rounds(20);
  await until('the sockets are closed', () => openSockets() <= before);
});
