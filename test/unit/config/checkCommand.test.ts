import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { changed, soundConfig } from './soundConfig.js';

const folder = mkdtempSync(join(tmpdir(), 'tandem-check-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'tandem.yaml');

const module = fileURLToPath(new URL('../../../src/cli/check.js', import.meta.url));
const script = `
  import { checkCommand } from ${JSON.stringify(module)};
  try {
    await checkCommand().parseAsync(process.argv.slice(1), { from: 'user' });
  } catch (error) {
    console.error(error.code + ': ' + error.message);
    process.exitCode = error.exitCode;
  }`;

/** Runs the command in a process of its own, where its output and exit code are real. */
function check(text: string, ...options: readonly string[]) {
  writeFileSync(file, text);
  const argv = ['--input-type=module', '-e', script, '--', file, ...options];
  const env = { ...process.env, TANDEM_NODE: 'somebody', FORCE_COLOR: '' };
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

test('a sound file is ok, with the number of its parts', () => {
  assert.deepEqual(check(soundConfig), {
    status: 0,
    stdout: `${file}: ok, 2 virtual routers, 1 service, 2 servers\n`,
    stderr: '',
  });
});

test('every problem is a line of its own, plain when piped, and the exit code is 2', () => {
  const text = changed(['vrid: 51', 'vrid: 0'], ['interval: 2s', 'intervall: 2s']);
  assert.deepEqual(check(text), {
    status: 2,
    stdout: '',
    stderr:
      `${file}:7:11 virtualRouters[0].vrid: must be at least 1, got 0\n` +
      `${file}:25:7 services[0].check.intervall: unknown key (did you mean interval?)\n`,
  });
});

test('a warning is told and does no harm', () => {
  const { status, stdout, stderr } = check(changed(['timeout: 1s', 'timeout: 3s']));
  assert.equal(status, 0);
  assert.match(stdout, /: ok, /);
  assert.match(stderr, /^\S+:26:16 services\[0\]\.check\.timeout: .*\[warning\]\n$/);
});

test('--json gives the problems with their places for programs', () => {
  const { status, stdout } = check(changed(['vrid: 51', 'vrid: 0']), '--json');
  assert.equal(status, 2);
  assert.deepEqual(JSON.parse(stdout), {
    file,
    valid: false,
    problems: [
      {
        position: { line: 7, column: 11 },
        path: 'virtualRouters[0].vrid',
        message: 'must be at least 1, got 0',
      },
    ],
    warnings: [],
    nodes: [],
  });
});

test('--json of a sound file counts its parts', () => {
  const { status, stdout } = check(soundConfig, '--json');
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), {
    file,
    valid: true,
    problems: [],
    warnings: [],
    nodes: ['lb1', 'lb2'],
    virtualRouters: 2,
    services: 1,
    servers: 2,
  });
});

test('--node requires that the node is in the file', () => {
  assert.equal(check(soundConfig, '--node', 'lb2').status, 0);
  const { status, stderr } = check(soundConfig, '--node', 'lb9');
  assert.equal(status, 2);
  assert.match(stderr, /^NODE_UNKNOWN: node lb9 is not one of the nodes of /);
});

test('--help shows an example', () => {
  const { status, stdout } = check(soundConfig, '--help');
  assert.equal(status, 0);
  assert.match(stdout, /Example:\n {2}tandem check \/etc\/tandem\/tandem\.yaml/);
});
