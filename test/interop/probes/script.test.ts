/** The script and file checks: real programs, users, process groups and files. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { waitFor } from '../../tools/waiting.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { assertFailed } from './support/faultMatrix.js';
import { serverAddress, serverTest } from './support/serverScene.js';

const server = { address: serverAddress, port: 8080 };

serverTest(
  'the script and file checks say of a server what programs and files say',
  [],
  async (scene) => {
    const t = scene.context;
    const shell = (script: string, more: object = {}): CheckText => ({
      type: 'script',
      command: ['/bin/sh', '-c', script],
      ...more,
    });

    await t.test('status 0 passes, any other fails, and what was printed is told', async () => {
      const good = await probeBy(shell('echo all is well'), server);
      assert.deepEqual(good, {
        result: 'passed',
        reason: 'passed',
        detail: 'exit status 0: all is well',
      });
      const bad = await probeBy(shell('echo "no \\033[31mdisk" >&2; exit 3'), server);
      assertFailed('status 3', bad, ['command-failed']);
      assert.match(bad.detail, /^exit status 3: no .*disk/);
      const killed = await probeBy(shell('kill -KILL $$'), server);
      assertFailed('killed', killed, ['command-failed']);
      assert.equal(killed.detail, 'ended by SIGKILL');
    });

    await t.test('the status is a share of the weight where the check says so', async () => {
      for (const [code, percent] of [
        [0, undefined],
        [2, 0],
        [52, 50],
        [102, 100],
      ] as const) {
        const outcome = await probeBy(shell(`exit ${code}`, { exitCodeIsWeight: true }), server);
        assert.equal(outcome.result, 'passed', outcome.detail);
        assert.equal('weightPercent' in outcome ? outcome.weightPercent : undefined, percent);
      }
      for (const code of [1, 103, 255]) {
        const outcome = await probeBy(shell(`exit ${code}`, { exitCodeIsWeight: true }), server);
        assertFailed(`status ${code}`, outcome, ['command-failed']);
      }
      assertFailed('no weight', await probeBy(shell('exit 52'), server), ['command-failed']);
    });

    await t.test('the server is told by arguments and by the environment', async () => {
      const check = {
        type: 'script',
        command: [
          '/bin/sh',
          '-c',
          'echo "$1 $2 $TANDEM_SERVER_ADDRESS $TANDEM_SERVER_PORT"',
          'x',
          '{address}',
          'port-{port}',
        ],
      };
      const { detail } = await probeBy(check, server);
      assert.equal(detail, `exit status 0: ${serverAddress} port-8080 ${serverAddress} 8080`);
      // A check of another port on another address is about that one.
      const elsewhere = await probeBy({ ...check, port: 9090 }, server);
      assert.match(elsewhere.detail, /port-9090/);
    });

    await t.test('it runs as nobody, or as the user who is named', async () => {
      const nobody = execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).trim();
      assert.equal((await probeBy(shell('id -u'), server)).detail, `exit status 0: ${nobody}`);
      const own = await probeBy(shell('id -u; id -G', { user: 'daemon' }), server);
      const daemon = execFileSync('sh', ['-c', 'id -u daemon; id -g daemon'], { encoding: 'utf8' });
      assert.equal(own.detail, `exit status 0: ${daemon.trim().replace('\n', ' ')}`);
      const root = await probeBy(shell('id -u', { user: 'root' }), server);
      assert.equal(root.detail, 'exit status 0: 0');
    });

    await t.test('at the deadline it is ended with all that it has started', async () => {
      const folder = scene.makeFolder('pids');
      chmodSync(folder, 0o777);
      const stubborn = "trap '' TERM; while :; do sleep 0.05; done";
      const script = `(${stubborn}) & echo $! >${folder}/child; echo $$ >${folder}/self; wait`;
      const outcome = await probeBy(shell(script), server, 1_500);
      assertFailed('deadline', outcome, ['timeout']);
      assert.equal(outcome.detail, 'the command did not end in time');
      const processIds = ['child', 'self'].map((name) => readFileSync(`${folder}/${name}`, 'utf8'));
      await waitFor(
        'all are gone',
        () => !processIds.some((id) => existsSync(`/proc/${id.trim()}`)),
      );
    });

    await t.test('a program that prints 100 MB is judged by its status alone', async () => {
      const flood = 'head -c 100000000 /dev/zero';
      const good = await probeBy(shell(flood), server);
      assert.equal(good.result, 'passed', good.detail);
      assertFailed('flood', await probeBy(shell(`${flood}; exit 1`), server), ['command-failed']);
    });

    await t.test('a program that cannot be started says nothing of the server', async () => {
      const own = scene.write('anybody.sh', '#!/bin/sh\nexit 0\n');
      chmodSync(own, 0o777);
      for (const [check, text] of [
        [{ type: 'script', command: ['/nonexistent/program'] }, /ENOENT/],
        [shell('exit 0', { user: 'no-such-user' }), /no-such-user/],
        [{ type: 'script', command: [own], user: 'root' }, /can be changed by others/],
      ] as const) {
        const { result, reason, detail } = await probeBy(check, server);
        assert.deepEqual([result, reason], ['inconclusive', 'command-not-started'], detail);
        assert.match(detail, text);
      }
    });

    await t.test('a file holds the weight, and is read anew each time', async () => {
      const path = `${scene.folder}/{address}-{port}`;
      const name = `${serverAddress}-8080`;
      const check = { type: 'file', path };
      for (const [text, percent] of [
        ['100\n', 100],
        ['0', 0],
        ['  37 \n', 37],
      ] as const) {
        scene.write(name, text);
        const outcome = await probeBy(check, server);
        assert.equal(outcome.result, 'passed', outcome.detail);
        assert.equal('weightPercent' in outcome && outcome.weightPercent, percent);
      }
      for (const text of ['', 'many', '101', '-1', '50%', '\x00\x01garbage\xff'.repeat(1000)]) {
        scene.write(name, text);
        const { result, reason, detail } = await probeBy(check, server);
        assert.deepEqual(
          [result, reason],
          ['inconclusive', 'command-not-started'],
          `${text}: ${detail}`,
        );
      }
      const zeroPasses = { ...check, meaning: 'zero-passes' };
      scene.write(name, '0\n');
      assert.equal((await probeBy(zeroPasses, server)).result, 'passed');
      scene.write(name, '7\n');
      const down = await probeBy(zeroPasses, server);
      assertFailed('7', down, ['reported-down']);
      assert.equal(down.detail, 'the file says 7');
    });

    await t.test('a file that is missing, a folder, endless or a pipe says nothing', async () => {
      const path = scene.path('odd');
      const check = { type: 'file', path };
      const expectNothing = async (what: string) => {
        const { result, reason, detail } = await probeBy(check, server);
        assert.deepEqual(
          [result, reason],
          ['inconclusive', 'command-not-started'],
          `${what}: ${detail}`,
        );
      };
      await expectNothing('missing');
      mkdirSync(path);
      await expectNothing('folder');
      rmSync(path, { recursive: true });
      execFileSync('mkfifo', [path]);
      await expectNothing('pipe');
      const { result } = await probeBy({ type: 'file', path: '/dev/zero' }, server);
      assert.equal(result, 'inconclusive');
    });
  },
);
