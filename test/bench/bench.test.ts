import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rootTest } from '../kernel/support/rootTest.js';

const timeoutMs = 120_000;

test('the list of benchmarks and the help of each are printed', async () => {
  const list = await bench('--help');
  assert.equal(list.exitCode, 0);
  assert.match(list.stdout, /failover .*Client-visible gap/);
  const help = await bench('failover', '--help');
  assert.equal(help.exitCode, 0);
  assert.match(help.stdout, /--rounds <number>/);
  assert.match(help.stdout, /Example:/);
});

test('an unknown benchmark is one clear error with exit code 2', async () => {
  const result = await bench('failure');
  assert.equal(result.exitCode, 2);
  assert.match(result.stderr, /^bench: unknown benchmark failure\n {2}hint: Known: [a-z, -]+\.\n$/);
});

test('courses of the simulation are run, and one of them again', async () => {
  const all = await bench('sim', '--seeds', '20');
  assert.equal(all.exitCode, 0, all.stderr);
  assert.match(all.stdout, /^20 courses from seed 1: 0 violations\n/);
  assert.match(all.stdout, /: \d+ s per second\n/);
  const one = await bench('sim', '--seed', '7103');
  assert.match(one.stdout, /^seed 7103: [\d.]+ s simulated, .* no violation\n$/);
});

test('mutated packets make nothing throw and leave nothing in memory', async () => {
  const result = await bench('fuzz', '--packets', '20000');
  assert.equal(result.exitCode, 0, result.stderr);
  assert.match(result.stdout, /^20000 packets in .*, none threw$/m);
  assert.match(result.stdout, /growth -?[\d.]+ MiB$/m);
});

rootTest('nothing fails over falsely while the machine is busy', async () => {
  const result = await bench('false-failover', '--minutes', '0.05', '--adverts', '1000');
  assert.equal(result.exitCode, 0, result.stderr);
  const number = ' +\\d+(?:\\.\\d+)?';
  assert.match(result.stdout, new RegExp(`^tandem +0${number}${number}${number}$`, 'm'));
  assert.match(result.stdout, new RegExp(`^keepalived${number}${number}${number} +-$`, 'm'));
});

rootTest('every task on an IPVS table has a figure of ours and of its peer', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const json = join(folder, 'ipvs.json');
  const result = await bench(
    'ipvs',
    ...'--services 4 --servers 40 --rounds 1'.split(' '),
    '--json',
    json,
  );
  assert.equal(result.exitCode, 0, result.stderr);
  for (const task of ['load the table', 'print the table', 'list the table']) {
    assert.match(result.stdout, new RegExp(`^${task}.* \\d+ ms +\\d+ ms +ipvsadm +[\\d.]+$`, 'm'));
  }
  for (const task of ['start of the agent', 'change of one server']) {
    assert.match(
      result.stdout,
      new RegExp(`^${task}.* \\d+ ms +\\d+ ms +keepalived +[\\d.]+$`, 'm'),
    );
  }
  assert.match(result.stdout, /^memory of the running agent .* MiB +[\d.]+ MiB +keepalived /m);
  assert.match(result.stdout, /^operations sent for the reload: 1$/m);
  const { figures } = JSON.parse(readFileSync(json, 'utf8')) as { figures: { value: number }[] };
  assert.equal(figures.length, 14);
  for (const { value } of figures) assert.ok(value > 0);
});

test('ipvs: servers that cannot be shared out evenly are a usage error', async () => {
  const result = await bench('ipvs', '--services', '3', '--servers', '10');
  assert.equal(result.exitCode, 2, result.stderr);
  assert.match(result.stderr, /^bench: --servers must be a multiple of --services\n {2}hint: /);
});

const badOptions: readonly (readonly string[])[] = [
  ['--rounds', '0'],
  ['--rounds', 'many'],
  ['--adverts', '15'],
  ['--adverts', '100,x'],
  ['--faults', 'flood'],
  ['--round', '3'],
];

for (const options of badOptions) {
  test(`failover ${options.join(' ')} is a usage error`, async () => {
    const result = await bench('failover', ...options);
    assert.equal(result.exitCode, 2, result.stderr);
    assert.match(result.stderr, new RegExp(`^bench: .*${options[0]}`));
    assert.equal(result.stdout, '');
  });
}

rootTest('one round of the failover benchmark gives numbers of both programs', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const json = join(folder, 'failover.json');
  const options = ['--rounds', '1', '--adverts', '100', '--faults', 'polite-stop', '--json', json];
  const result = await bench('failover', ...options);
  assert.equal(result.exitCode, 0, result.stderr);
  assert.match(
    result.stdout,
    /^polite-stop +100 ms +1 +tandem +1 +[\d.]+ \/ [\d.]+ \/ [\d.]+ +[\d.]+ /m,
  );
  assert.match(result.stdout, /^polite-stop +100 ms +1 +keepalived +1 /m);
  assert.match(result.stderr, /^2\/2 polite-stop, adverts each 100 ms, keepalived: /m);
  const { rounds } = JSON.parse(readFileSync(json, 'utf8')) as {
    rounds: { program: string; gapUs: number }[];
  };
  assert.deepEqual(
    rounds.map(({ program }) => program),
    ['tandem', 'keepalived'],
  );
  // The skew time of priority 100 is 61 ms. Ours holds the address until it is over.
  const [ours, peer] = rounds;
  assert.ok((ours?.gapUs ?? 0) > 0);
  assert.ok((peer?.gapUs ?? 0) > 50_000, `a gap of ${peer?.gapUs} us`);
});

function bench(...args: readonly string[]) {
  const script = fileURLToPath(new URL('./bench.js', import.meta.url));
  const options = { timeout: timeoutMs, killSignal: 'SIGTERM' as const };
  return new Promise<{ exitCode: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      ['--expose-gc', script, ...args],
      options,
      (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr });
      },
    );
  });
}
