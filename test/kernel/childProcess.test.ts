/** Commands of the operator, as real processes. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CommandSpec, outputBytesMax, startCommand } from '../../src/kernel/childProcess.js';
import { findUser } from '../../src/kernel/userDatabase.js';
import { waitFor } from '../tools/waiting.js';
import { rootTest } from './support/rootTest.js';

const environment = { PATH: '/usr/bin:/bin' };

const run = (changes: Partial<CommandSpec>) =>
  startCommand({ command: ['/bin/true'], environment, timeoutMs: 20_000, ...changes });
const shell = (script: string, changes: Partial<CommandSpec> = {}) =>
  run({ command: ['/bin/sh', '-c', script], ...changes });

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'tandem-child-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Whether a process is there and has not ended yet. */
function lives(processId: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${processId}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('a command ends with its status, its output and its duration', async () => {
  const { end, output, durationMs } = await shell('echo out; echo err >&2; exit 3').finished;
  assert.deepEqual(end, { kind: 'exited', code: 3 });
  assert.deepEqual(output.split('\n').sort(), ['', 'err', 'out']);
  assert.ok(durationMs > 0);
});

test('arguments reach the program as they are: no shell is involved', async () => {
  const command = ['/bin/echo', '$HOME', '`id`', 'a  b', ';', '*'];
  assert.equal((await run({ command }).finished).output, '$HOME `id` a  b ; *\n');
});

test('a command has the environment it is given, a session of its own and no input', async () => {
  const script = 'env | sort; cut -d" " -f5,6 /proc/self/stat; pwd; cat';
  const { output } = await shell(script, { environment: { PATH: '/bin', TANDEM_A: '1' } }).finished;
  assert.match(output, /^PATH=\/bin\nPWD=\/\nTANDEM_A=1\n/);
  const [, group, session] = /^(\d+) (\d+)$/m.exec(output) ?? [];
  assert.equal(group, session);
  assert.notEqual(Number(group), process.pid);
});

test('a signal that ends a command is told', async () => {
  const { end } = await shell('kill -SEGV $$').finished;
  assert.deepEqual(end, { kind: 'signalled', signal: 'SIGSEGV' });
});

test('a timeout ends the grandchildren too, also those that do not want to', async (context) => {
  const file = join(folder(context), 'pids');
  const stubborn = `trap '' TERM; while :; do sleep 0.05; done`;
  const inner = `sh -c 'sleep 600 & echo $! > ${file}.2; wait'`;
  const script = `(${stubborn}) & echo $! > ${file}.1; ${inner}`;
  const { finished } = shell(script, { timeoutMs: 700 });
  const { end } = await finished;
  assert.deepEqual(end, { kind: 'timed-out' });
  const processIds = ['1', '2'].map((each) => Number(readFileSync(`${file}.${each}`, 'utf8')));
  await waitFor('all are gone', () => !processIds.some(lives));
});

test('a command that ignores the request to end is killed', async () => {
  const { end } = await shell(`trap '' TERM; while :; do sleep 0.05; done`, { timeoutMs: 200 })
    .finished;
  assert.deepEqual(end, { kind: 'timed-out' });
});

test('a command that is ended from outside says so by its signal', async () => {
  const command = run({ command: ['/bin/sleep', '600'] });
  command.end();
  const { end } = await command.finished;
  assert.deepEqual(end, { kind: 'signalled', signal: 'SIGTERM' });
});

test('what a command leaves in the background goes on, and is not waited for', async (context) => {
  const file = join(folder(context), 'late');
  const { end, durationMs } = await shell(`(sleep 1; echo late > ${file}) & exit 0`).finished;
  assert.deepEqual(end, { kind: 'exited', code: 0 });
  assert.ok(durationMs < 900, 'the status was there before the background had ended');
  await waitFor('the background has gone on', () => existsSync(file));
});

test('output without end is cut, and does not stop the command', async () => {
  const { end, output } = await shell(
    'i=0; while [ $i -lt 3000 ]; do echo 0123456789 0123456789 012345; i=$((i+1)); done',
  ).finished;
  assert.deepEqual(end, { kind: 'exited', code: 0 });
  assert.equal(output.length, outputBytesMax);
});

test('a program that is not there, or is none, is an outcome and no exception', async (context) => {
  const file = join(folder(context), 'text');
  writeFileSync(file, 'no program');
  for (const command of [['/nonexistent/program'], [file], ['/tmp']]) {
    const { end } = await run({ command }).finished;
    assert.equal(end.kind, 'not-started');
  }
});

rootTest('a command runs as its user and group, without those of root', async () => {
  const user = findUser('nobody');
  assert.ok(user.userId > 0);
  const { output } = await shell('id -u; id -g; id -G', { user }).finished;
  assert.deepEqual(output.trim().split('\n'), [
    String(user.userId),
    String(user.groupId),
    String(user.groupId),
  ]);
});

rootTest('root does not run what others can change, and other users do', async (context) => {
  const path = folder(context);
  const program = join(path, 'program');
  writeFileSync(program, '#!/bin/sh\necho ran\n');
  chmodSync(path, 0o755);
  chmodSync(program, 0o755);
  assert.equal((await run({ command: [program] }).finished).output, 'ran\n');
  chmodSync(program, 0o777);
  const { end } = await run({ command: [program] }).finished;
  assert.match(end.kind === 'not-started' ? end.message : end.kind, /can be changed by others/);
  const { output } = await run({ command: [program], user: findUser('nobody') }).finished;
  assert.equal(output, 'ran\n');
  chmodSync(program, 0o755);
  chmodSync(path, 0o777);
  assert.equal((await run({ command: [program] }).finished).end.kind, 'not-started');
});

test('users are found by name and number, and an unknown one is an error', () => {
  assert.deepEqual(findUser('root'), { userId: 0, groupId: 0 });
  assert.deepEqual(findUser('0'), { userId: 0, groupId: 0 });
  assert.deepEqual(findUser('12345:23456'), { userId: 12_345, groupId: 23_456 });
  assert.deepEqual(findUser('12345'), { userId: 12_345, groupId: 12_345 });
  assert.equal(findUser('root:nogroup').groupId, findUser('0:nogroup').groupId);
  for (const name of ['no-such-user', 'root:no-such-group', '']) {
    assert.throws(() => findUser(name), { code: 'USER_UNKNOWN' });
  }
});
