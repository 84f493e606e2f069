import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeSpec } from '../../../src/health/probeSpec.js';
import { misbehaviours } from './support/misbehaviour.js';
import { closedPort, httpSpec, probeOnce, tcpServer } from './support/servers.js';
import { openSockets, until } from './support/waiting.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const tls = { verify: false };
const expectOk = [{ sendBase64: base64('hello\r\n'), expect: { containsBase64: base64('OK!') } }];

/** Every kind of probe that speaks TCP and waits for an answer. */
const specs: readonly (readonly [string, ProbeSpec])[] = [
  ['tcp with an expectation', { type: 'tcp', steps: expectOk }],
  ['tls', { type: 'tls', tls }],
  ['tls with an expectation', { type: 'tls', tls, steps: expectOk }],
  ['http', httpSpec()],
  ['http with a body', httpSpec({ bodyContains: 'ok' })],
  ['http/2', httpSpec({ version: '2' })],
  ['https', httpSpec({ tls })],
  ['https with http/2', httpSpec({ tls, version: '2' })],
  ['dns', dns()],
  ['smtp', { type: 'smtp', encryption: 'none' }],
  ['smtp with starttls', { type: 'smtp', encryption: 'starttls', tls }],
  ['imap', { type: 'imap', encryption: 'none' }],
  ['imap with tls', { type: 'imap', encryption: 'tls', tls }],
  ['pop3', { type: 'pop3', encryption: 'none' }],
  ['ftp', { type: 'ftp', encryption: 'none' }],
  ['redis', { type: 'redis' }],
  ['redis with a login', { type: 'redis', password: 'secret', role: 'master' }],
  ['mysql', { type: 'mysql' }],
  ['mysql with a login', { type: 'mysql', user: 'probe' }],
  ['mysql with tls', { type: 'mysql', user: 'probe', tls }],
  ['postgres', { type: 'postgres', user: 'probe', database: 'probe' }],
  ['postgres with tls', { type: 'postgres', user: 'probe', database: 'probe', tls }],
  ['grpc', { type: 'grpc', service: '' }],
  ['grpc with tls', { type: 'grpc', service: '', tls }],
  ['agent', { type: 'agent', whenSilent: 'fail' }],
  ['agent that may be silent', { type: 'agent', whenSilent: 'ignore' }],
];

function dns(): ProbeSpec {
  const rest = { recursion: false, responseCode: 'NOERROR', answers: [], answersMin: 1 };
  return { type: 'dns', name: 'example.org', recordType: 'A', transport: 'tcp', ...rest };
}

/** Deadline of a probe here. Several servers have to be waited for. */
const deadlineMs = 150;

/** How much later than its deadline a probe may settle on a machine that is busy. */
const slackMs = 2_000;

for (const { title, serve } of misbehaviours) {
  test(`no probe passes a server that ${title}, or outlives its deadline`, async (t) => {
    const server = await tcpServer(t, serve);
    for (const [name, spec] of specs) {
      const startedMs = performance.now();
      const outcome = await probeOnce(server.target, spec, deadlineMs);
      const tookMs = performance.now() - startedMs;
      const text = `${name}: ${outcome.reason}, ${outcome.detail}`;
      assert.notEqual(outcome.result, 'passed', text);
      assert.notEqual(outcome.reason, 'internal-error', text);
      if (outcome.result === 'inconclusive') assert.equal(outcome.reason, 'agent-silent', text);
      assert.ok(outcome.detail.length > 0 && outcome.detail.length <= 200, text);
      assert.doesNotMatch(outcome.detail, /\p{C}/u, text);
      assert.ok(tookMs < deadlineMs + slackMs, `${name} took ${tookMs} ms`);
    }
  });
}

test('every probe of a port that nobody listens on says that it was refused', async (t) => {
  const target = await closedPort(t);
  for (const [name, spec] of specs) {
    const { reason, detail } = await probeOnce(target, spec);
    if (spec.type === 'agent' && spec.whenSilent === 'ignore') {
      assert.equal(reason, 'agent-silent', name);
      assert.match(detail, /^connection-refused/);
    } else {
      assert.equal(reason, 'connection-refused', `${name}: ${detail}`);
    }
  }
});

test('a flood of 100 MB is not kept in memory', async (t) => {
  const flood = misbehaviours.find(({ title }) => title === 'sends 100 MB without a line');
  assert.ok(flood !== undefined);
  const server = await tcpServer(t, flood.serve);
  const before = process.memoryUsage().rss;
  for (const [, spec] of specs) await probeOnce(server.target, spec, deadlineMs);
  const grownBytes = process.memoryUsage().rss - before;
  // The server of this test is in the same process, with what it has written and nobody read.
  assert.ok(grownBytes < 150_000_000, `${grownBytes} bytes for ${specs.length} probes`);
});

/** Rounds of all probes with all servers, after which the open sockets are counted. */
const roundsOfSockets = 20;

test('no probe leaves a socket behind', async (t) => {
  const servers = await Promise.all(misbehaviours.map(({ serve }) => tcpServer(t, serve)));
  const round = () =>
    Promise.all(
      servers.flatMap(({ target }) => specs.map(([, spec]) => probeOnce(target, spec, 50))),
    );
  // What closes late may be there still; a probe that leaks one socket leaves one in each round.
  const atRestMax = openSockets() + roundsOfSockets - 5;
  for (let turn = 0; turn < roundsOfSockets; turn += 1) await round();
  await until('the sockets are closed', () => openSockets() <= atRestMax);
});
