import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  fetchServers,
  fetchStatus,
  requestFailover,
  requestOverride,
  requestPlan,
  requestReload,
} from '../../../src/api/client.js';
import type { OverrideRequest } from '../../../src/api/overrideModel.js';
import { type ApiActions, startApiServer } from '../../../src/api/server.js';
import type { StatusDocument } from '../../../src/api/statusModel.js';
import { TandemError } from '../../../src/errors.js';

// The socket carries whatever document it is given; a whole one is made where the agent is tested.
const document = { cluster: 'web', node: 'lb1' } as unknown as StatusDocument;

const actions: ApiActions = {
  status: async () => document,
  reload: async (force) => ({ message: force ? 'forced' : 'reloaded', warnings: ['one'] }),
  failover: async ({ router = 'all', forMs, force }) => ({
    message: `${router} ${forMs} ${force}`,
    routers: [],
    untilUnixMs: null,
  }),
  resync: () => ({ requestedUnixMs: 5 }),
  override: async ({ action, server, weight, reason, user }, descriptor) => ({
    message: `${action} ${server} ${weight} ${reason} ${user} ${typeof descriptor}`,
    servers: [],
    templatesExpire: true,
  }),
  servers: async () => ({ servers: [], templatesExpire: false }),
  plan: async ({ file, text }) => ({
    file,
    against: 'agent',
    vrrp: [],
    ipvs: [],
    notes: [`${text.length} characters`],
    warnings: [],
  }),
};

test('the status travels over the socket as it is', async (context) => {
  const path = temporarySocket(context);
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  assert.deepEqual(await fetchStatus(path), document);
  assert.deepEqual(await requestReload(path), { message: 'reloaded', warnings: ['one'] });
});

test('a failover travels with its router, its time and whether it is forced', async (context) => {
  const path = temporarySocket(context);
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  const { message } = await requestFailover(path, { router: 'vip', forMs: 9000, force: true });
  assert.equal(message, 'vip 9000 true');
  assert.equal((await requestFailover(path, { forMs: 0, force: false })).message, 'all 0 false');
});

test('a reload says whether it is forced', async (context) => {
  const path = temporarySocket(context);
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  assert.equal((await requestReload(path, true)).message, 'forced');
  assert.equal((await requestReload(path)).message, 'reloaded');
});

const override: OverrideRequest = {
  action: 'weight',
  server: 'web/10.0.0.2',
  all: false,
  weight: 3,
  reason: '新磁盘',
  user: 'alice',
};

test('an override travels whole, with the connection that it came on', async (context) => {
  const path = temporarySocket(context);
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  const { message } = await requestOverride(path, override);
  assert.equal(message, 'weight web/10.0.0.2 3 新磁盘 alice number');
  assert.equal((await fetchServers(path, { server: 'x', all: true })).templatesExpire, false);
});

const badOverrides: Readonly<Record<string, object>> = {
  'an action that does not exist': { action: 'destroy' },
  'a weight that is none': { weight: -1 },
  'no weight': { weight: undefined },
  'a reason with a control character': { reason: 'a\u001b[2J' },
  'a reason that is too long': { reason: 'x'.repeat(201) },
  'no server': { server: undefined },
};

for (const [what, change] of Object.entries(badOverrides)) {
  test(`an override with ${what} is a usage error`, async (context) => {
    const path = temporarySocket(context);
    const server = await startApiServer(path, actions);
    context.after(() => server.close());
    const request = { ...override, ...change };
    await assert.rejects(requestOverride(path, request), { code: 'USAGE', exitCode: 2 });
  });
}

test('a plan takes a file that is far larger than other requests', async (context) => {
  const path = temporarySocket(context);
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  const text = '#'.repeat(2_000_000);
  const { notes } = await requestPlan(path, { file: 'tandem.yaml', text });
  assert.deepEqual(notes, ['2000000 characters']);
});

for (const forMs of [-1, 1.5, 86_400_001, Number.NaN]) {
  test(`a failover for ${forMs} ms is a usage error`, async (context) => {
    const path = temporarySocket(context);
    const server = await startApiServer(path, actions);
    context.after(() => server.close());
    const refused = { code: 'USAGE', exitCode: 2 };
    await assert.rejects(requestFailover(path, { forMs, force: false }), refused);
  });
}

test('others than owner and group cannot use the socket', async (context) => {
  const path = temporarySocket(context);
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  assert.equal(statSync(path).mode & 0o777, 0o660);
});

test('what refuses a reload reaches the caller with code, message and hint', async (context) => {
  const path = temporarySocket(context);
  const refusal = new TandemError('CONFIG_INVALID', 'tandem.yaml:3:1 wrong', { hint: 'mend it' });
  const server = await startApiServer(path, {
    ...actions,
    reload: () => Promise.reject(refusal),
  });
  context.after(() => server.close());
  await assert.rejects(requestReload(path), {
    code: 'CONFIG_INVALID',
    message: 'tandem.yaml:3:1 wrong',
    hint: 'mend it',
    exitCode: 2,
  });
});

test('a second agent on the same socket is refused and the first goes on', async (context) => {
  const path = temporarySocket(context);
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  await assert.rejects(startApiServer(path, actions), { code: 'API_SOCKET_IN_USE', exitCode: 1 });
  assert.deepEqual(await fetchStatus(path), document);
});

test('a socket that a dead agent left behind is replaced', async (context) => {
  const path = temporarySocket(context);
  await leaveDeadSocket(path);
  assert.ok(existsSync(path));
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  assert.deepEqual(await fetchStatus(path), document);
});

test('a file that is not a socket is left alone', async (context) => {
  const path = temporarySocket(context);
  writeFileSync(path, 'precious');
  await assert.rejects(startApiServer(path, actions), { code: 'API_SOCKET_UNUSABLE' });
  assert.ok(statSync(path).isFile());
});

test('without an agent the client says that none answers', async (context) => {
  await assert.rejects(fetchStatus(temporarySocket(context)), {
    code: 'AGENT_NOT_RUNNING',
    exitCode: 1,
  });
});

test('an unknown path is answered with an error and a hint', async (context) => {
  const path = temporarySocket(context);
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  const { status, body } = await rawGet(path, '/v2/nothing');
  assert.equal(status, 404);
  assert.deepEqual(JSON.parse(body), {
    error: {
      code: 'USAGE',
      message: 'GET /v2/nothing is not part of this interface',
      hint: 'GET /v1/status and GET /metrics; on the socket POST /v1/reload and the like too',
    },
  });
});

function temporarySocket(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-api-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'tandem.sock');
}

/** Binds a socket in a way that leaves its file when the listener is gone, as a kill would. */
async function leaveDeadSocket(path: string): Promise<void> {
  const { linkSync, unlinkSync } = await import('node:fs');
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(`${path}.live`, resolve);
  });
  linkSync(`${path}.live`, path);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (existsSync(`${path}.live`)) unlinkSync(`${path}.live`);
}

function rawGet(
  socketPath: string,
  path: string,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
}
