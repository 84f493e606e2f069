import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../embedded/ipvsSupport.js';
import {
  makeNamespace,
  type Outcome,
  outcomeOf,
  runInProcess,
  runRealHere,
} from './ipvsadmSupport.js';

const executable = fileURLToPath(new URL('../../../src/main.js', import.meta.url));

makeNamespace('judge-names').enter();

function runNamed(name: string, words: readonly string[], input = ''): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'names-'));
  const link = join(folder, name);
  symlinkSync(executable, link);
  const result = spawnSync(process.execPath, [link, ...words], { input, encoding: 'utf8' });
  return outcomeOf(result);
}

/** Addresses and marks for which ipvsadm's order has a circle, so that it depends on the dump's. */
const circle = `-A -t 10.0.0.1:80 -s rr
-A -t 100.0.0.1:80 -s wrr
-A -t 192.168.0.1:80 -s wrr
-A -t 172.25.254.100:80 -s wrr
-A -t 224.0.0.9:80 -s wrr
-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1
-a -t 10.0.0.1:80 -r 100.1.0.1:80 -m -w 1
-a -t 10.0.0.1:80 -r 192.168.1.1:80 -m -w 1
-A -f 5 -s rr
-A -f 2147483648 -s rr
-A -f 4294967295 -s rr
`;

test('where the order of ipvsadm goes round in a circle, ours goes the same way', async () => {
  assert.equal((await runInProcess(['-R'], circle)).status, 0);
  for (const words of ['-L -n', '-L -n --nosort', '-S -n', '-L -n --stats --nosort']) {
    const real = runRealHere(words.split(' '));
    assert.deepEqual(await runInProcess(words.split(' ')), real, words);
  }
});

test('the executable is ipvsadm, ipvsadm-save and ipvsadm-restore when it is called so', () => {
  runRealHere(['-C']);
  assert.equal(runNamed('ipvsadm-restore', [], circle).status, 0);
  const saved = runRealHere(['-S', '-n']).output;
  assert.equal(runNamed('ipvsadm-save', ['-n']).output, saved);
  assert.equal(runNamed('ipvsadm', ['-Ln']).output, runRealHere(['-Ln']).output);
  const only = '-A -t 10.7.0.1:80 -s rr\n';
  assert.equal(runNamed('ipvsadm-restore', [], `# what shall be left\n${only}`).status, 0);
  assert.equal(runRealHere(['-S', '-n']).output, only);
  assert.equal(runNamed('ipvsadm', ['-L', 'more']).status, 2);
  assert.equal(runNamed('tandem', ['ipvs', '-C']).status, 0);
  assert.equal(runRealHere(['-S', '-n']).output, '');
});

test('what is restored is all or nothing, and only what differs is sent', async () => {
  runRealHere(['-C']);
  const good = '-A -t 10.7.0.1:80 -s rr\n-a -t 10.7.0.1:80 -r 10.8.0.1:80 -m -w 1\n';
  assert.equal((await runInProcess(['-R'], good)).status, 0);
  const before = runRealHere(['-S', '-n']).output;
  const refusedByKernel = `${good}-a -t 10.7.0.1:80 -r 10.8.0.2:80 -m -w 1
-E -t 10.7.0.1:80 -s wrr
-A -t 10.7.0.2:80 -s nosuch
-a -t 10.7.0.1:80 -r 224.0.0.1:80 -m -w 1
`;
  const refused = await runInProcess(['-R'], refusedByKernel);
  assert.equal(refused.status, 255);
  assert.match(refused.errors, /nosuch|224\.0\.0\.1/);
  assert.equal(runRealHere(['-S', '-n']).output, before);
  const unreadable = await runInProcess(['-R'], `-C\n-A -t 10.7.0.3:80\n-A -t nonsense\n`);
  assert.equal(unreadable.status, 2);
  assert.match(unreadable.errors, /^line 3: /);
  assert.equal(runRealHere(['-S', '-n']).output, before);
});

test('a refusal of the kernel says what is wrong and what to do', async () => {
  runRealHere(['-C']);
  runRealHere(['-A', '-t', '10.7.0.1:80']);
  const cases: readonly (readonly [string, RegExp])[] = [
    ['-A -t 10.7.0.2:80 -s nosuch', /no scheduler nosuch[\s\S]*modprobe ip_vs_nosuch/],
    ['-A -t 10.7.0.1:80', /exists already[\s\S]*-E/],
    ['-a -t 10.7.0.1:80 -r 224.0.0.1', /the address is a multicast one/],
    ['-a -t 10.7.0.1:80 -r 10.8.0.1 -x 5 -y 9', /lower threshold 9 is above the upper one, 5/],
    ['-a -t 10.7.0.9:80 -r 10.8.0.1', /service does not exist[\s\S]*-A/],
    ['--start-daemon master --mcast-interface nix0', /no interface nix0/],
    ['--stop-daemon backup', /no backup sync daemon is running/],
  ];
  for (const [words, expected] of cases) {
    const { status, errors } = await runInProcess(words.split(' '));
    assert.equal(status, 255, words);
    assert.match(errors, expected, words);
  }
});

test('every listing is there as JSON', async () => {
  runRealHere(['-C']);
  assert.equal((await runInProcess(['-R'], circle)).status, 0);
  runRealHere(['--start-daemon', 'master', '--mcast-interface', 'lo', '--syncid', '7']);
  const listed: Record<string, (document: Record<string, unknown[]>) => unknown> = {
    '-L -n': ({ services }) => services?.length,
    '-L -n --stats': ({ services }) => services?.length,
    '-L -n --rate': ({ services }) => services?.length,
    '-L -n -f 5': ({ services }) => services?.length,
    '-S -n': ({ services }) => services?.length,
    '-L -c -n': ({ connections }) => Array.isArray(connections),
    '-L --timeout': ({ tcpSeconds }) => typeof tcpSeconds,
    '-L --daemon': ({ daemons }) => daemons?.length,
  };
  const seen: unknown[] = [];
  for (const [words, look] of Object.entries(listed)) {
    const { status, output, errors } = await runInProcess([...words.split(' '), '--json']);
    assert.equal(status, 0, `${words}: ${errors}`);
    seen.push(look(JSON.parse(output)));
  }
  assert.deepEqual(seen, [8, 8, 8, 1, 8, true, 'number', 1]);
  runRealHere(['--stop-daemon', 'master']);
});

test('a listing that is watched comes again, with what has changed', async () => {
  runRealHere(['-C']);
  const end = new AbortController();
  let listings = 0;
  const onOutput = (): void => {
    listings += 1;
    if (listings === 1) runRealHere(['-A', '-t', '10.7.0.7:80', '-s', 'rr']);
    else end.abort();
  };
  const words = ['-L', '-n', '--watch=1'];
  const watched = await runInProcess(words, '', undefined, { signal: end.signal, onOutput });
  assert.equal(watched.status, 0, watched.errors);
  const [first, second] = watched.output.split('\n\n');
  assert.doesNotMatch(first ?? '', /10\.7\.0\.7:80/);
  assert.match(second ?? '', /10\.7\.0\.7:80 rr/);
});

test('counters and connections of real traffic are listed as ipvsadm lists them', async () => {
  runRealHere(['-C']);
  const server = createServer((socket) => socket.end('hello'));
  server.listen(8080, '127.0.0.1');
  await once(server, 'listening');
  spawnSync('ip', ['address', 'add', '10.9.0.1/32', 'dev', 'lo']);
  runRealHere(['-A', '-t', '10.9.0.1:80', '-s', 'rr', '-p', '300', '-M', '255.255.255.0']);
  runRealHere(['-a', '-t', '10.9.0.1:80', '-r', '127.0.0.1:8080', '-m']);
  for (let turn = 0; turn < 5; turn += 1) {
    const client = connect(80, '10.9.0.1');
    client.resume();
    await once(client, 'close');
  }
  server.close();
  for (const words of ['-Ln --stats', '-Ln --stats -X', '-L --persistent-conn', '-Lnc', '-Lc']) {
    await agreeOn(words.split(' '));
  }
  // The kernel refreshes what it tells of counters every two seconds.
  await eventually(async () => {
    const { output } = await runInProcess(['-Ln', '--json']);
    const [service] = JSON.parse(output).services;
    const counted = [service.statistics.connections, service.servers[0].statistics.connections];
    return counted.every((connections) => connections === 5);
  }, 'five connections are counted');
});

/** Seconds pass and counters are refreshed between two listings; so they are taken until equal. */
async function agreeOn(words: readonly string[]): Promise<void> {
  let [real, ours] = [runRealHere(words), await runInProcess(words)];
  for (let attempt = 0; attempt < 20 && real.output !== ours.output; attempt += 1) {
    [real, ours] = [runRealHere(words), await runInProcess(words)];
  }
  assert.equal(ours.output, real.output, words.join(' '));
  assert.ok(real.output.split('\n').length > 3, `nothing to compare: ${real.output}`);
}
