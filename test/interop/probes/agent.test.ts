/**
 * The agent check against agents as HAProxy's manual has them. No package has such an agent: every
 * site writes its own in a line of shell, which is what is run here for each connection.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { forgetAgents } from '../../../src/health/probes/agent.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { assertFailed, tryFaults } from './support/faultMatrix.js';
import { type ServerScene, serverAddress, serverTest } from './support/serverScene.js';

/** Runs a line of shell for each connection, whose input and output it gets, like inetd. */
async function startAgent(scene: ServerScene, script: string) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => undefined);
    socket.on('error', () => child.kill());
    socket.on('close', () => child.kill());
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, serverAddress, resolve);
  });
  scene.context.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { address: serverAddress, port: address.port };
}

const check: CheckText = { type: 'agent', whenSilent: 'fail' };

/** What an agent says, and what it comes to: a share of the weight, or why it is down. */
const answers: readonly (readonly [
  string,
  number | 'all' | 'down' | 'maintenance' | 'nonsense',
])[] = [
  ['75%\\n', 75],
  ['75%', 75],
  ['75%\\r\\n', 75],
  ['0%\\n', 0],
  ['100%\\n', 100],
  ['150%\\n', 100],
  ['up\\n', 'all'],
  ['UP\\n', 'all'],
  ['ready\\n', 'all'],
  ['up ready 40%\\n', 40],
  ['40%,up\\tready\\n', 40],
  ['maxconn:30\\n', 'all'],
  ['up 10% maxconn:30 # fine for a while\\n', 10],
  ['drain\\n', 0],
  ['drain 60%\\n', 0],
  ['down\\n', 'down'],
  ['down # disk is full\\n', 'down'],
  ['fail\\n', 'down'],
  ['failed\\n', 'down'],
  ['stopped # for the night\\n', 'down'],
  ['maint\\n', 'maintenance'],
  ['maint up\\n', 'maintenance'],
  ['up\\nsecond line is ignored\\n', 'all'],
  ['\\n', 'nonsense'],
  ['hello\\n', 'nonsense'],
  ['50\\n', 'nonsense'],
  ['up somehow\\n', 'nonsense'],
  ['-5%\\n', 'nonsense'],
];

serverTest('the agent check understands what agents say', [], async (scene) => {
  const t = scene.context;
  for (const [text, meaning] of answers) {
    await t.test(`an agent that says "${text}" means ${meaning}`, async () => {
      forgetAgents();
      const agent = await startAgent(scene, `printf %b '${text}'`);
      const outcome = await probeBy(check, agent);
      const percent = 'weightPercent' in outcome ? outcome.weightPercent : undefined;
      switch (meaning) {
        case 'down':
          return assertFailed(text, outcome, ['reported-down']);
        case 'maintenance':
          return assertFailed(text, outcome, ['reported-maintenance']);
        case 'nonsense':
          return assertFailed(text, outcome, ['malformed-response']);
        case 'all':
          assert.deepEqual([outcome.reason, percent], ['passed', undefined]);
          return;
        default:
          assert.deepEqual([outcome.reason, percent], ['passed', meaning]);
      }
    });
  }

  await t.test('what an agent does not mention stays as it was', async () => {
    const state = scene.write('state', '');
    const agent = await startAgent(scene, `cat ${state}`);
    const say = async (line: string) => {
      scene.write('state', `${line}\n`);
      const outcome = await probeBy(check, agent);
      return 'weightPercent' in outcome ? outcome.weightPercent : outcome.reason;
    };
    assert.equal(await say('30%'), 30);
    assert.equal(await say('up'), 30);
    assert.equal(await say('maint'), 'reported-maintenance');
    assert.equal(await say('80%'), 'reported-maintenance');
    assert.equal(await say('ready'), 80);
    assert.equal(await say('down'), 'reported-down');
    assert.equal(await say('50%'), 'reported-down');
    assert.equal(await say('up'), 50);
    assert.equal(await say('drain'), 0);
    assert.equal(await say('ready 100%'), 100);
  });

  await t.test('an agent is told what the check has to say to it', async () => {
    const agent = await startAgent(scene, 'read word; [ "$word" = web1 ] && echo 20% || echo down');
    const outcome = await probeBy({ ...check, send: 'web1\\n' }, agent);
    assert.equal('weightPercent' in outcome && outcome.weightPercent, 20, outcome.detail);
    assertFailed('other', await probeBy({ ...check, send: 'web2\\n' }, agent), ['reported-down']);
  });

  await t.test('an agent on a port of its own speaks for the server', async () => {
    const agent = await startAgent(scene, 'echo 33%');
    const outcome = await probeBy({ ...check, port: agent.port }, { ...agent, port: 80 });
    assert.equal('weightPercent' in outcome && outcome.weightPercent, 33, outcome.detail);
  });

  await t.test('an agent that cannot be asked says nothing, unless that is a failure', async () => {
    const nobody = { address: serverAddress, port: 9 };
    const ignored = await probeBy({ type: 'agent' }, nobody);
    assert.deepEqual([ignored.result, ignored.reason], ['inconclusive', 'agent-silent']);
    assertFailed('refused', await probeBy(check, nobody), ['connection-refused']);
    const down = await startAgent(scene, 'echo down');
    assertFailed('down', await probeBy({ type: 'agent' }, down), ['reported-down']);
  });

  await t.test('an agent that fails never passes', async () => {
    const agent = await startAgent(scene, 'echo "# all is well"; sleep 0.1; echo up');
    assertFailed('empty', await probeBy(check, agent), ['malformed-response']);
    // A line that breaks off may be one all the same, as with HAProxy: only nothing at all is cut.
    const good = await startAgent(scene, 'echo up');
    await tryFaults([{ title: 'agent', check, server: good, answerShare: 0.01 }]);
  });
});
