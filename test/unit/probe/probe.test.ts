import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { runProbe } from '../../../src/probe/run.js';
import { summarize } from '../../../src/probe/summary.js';

test('a series is summed up by server, with shares and percentiles', () => {
  const answers = ['a', 'b', 'a'].map((server, index) => ({ server, latencyMs: index + 1 }));
  assert.deepEqual(summarize([...answers, { failure: 'ECONNREFUSED', latencyMs: 9 }]), {
    requests: 4,
    failed: 1,
    servers: [
      { name: 'a', answers: 2, share: 2 / 3 },
      { name: 'b', answers: 1, share: 1 / 3 },
    ],
    failures: { ECONNREFUSED: 1 },
    latencyMs: { p50: 2, p90: 3, p99: 3, max: 3 },
  });
  assert.equal(summarize([]).latencyMs, null);
});

test('the server is named by the first line of the body or by a header', async (context) => {
  let count = 0;
  const server = createServer((_request, response) => {
    count += 1;
    response.setHeader('x-server', `rs${count % 2}`).end(`body${count % 2}\nmore\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const series = { url, count: 4, concurrency: 2, timeoutMs: 30_000 };
  const named = async (by: Parameters<typeof runProbe>[0]['by']): Promise<unknown> =>
    summarize(await runProbe({ ...series, by })).servers.map(({ name, answers }) => [
      name,
      answers,
    ]);
  assert.deepEqual(await named({ kind: 'body' }), [
    ['body0', 2],
    ['body1', 2],
  ]);
  assert.deepEqual(await named({ kind: 'header', name: 'X-Server' }), [
    ['rs0', 2],
    ['rs1', 2],
  ]);
});
