import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mainScript, runProgram } from './support/program.js';

const nobody = 65534;

/** As root the test becomes an ordinary user; an ordinary user is one already. */
const prefix =
  process.getuid?.() === 0
    ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']
    : [];

test('an ordinary user brings a lab up, looks around in it and takes it down', async (context) => {
  const [command = 'test', ...args] = [...prefix, 'test', '-r', mainScript];
  if (spawnSync(command, args).status !== 0) {
    const reason = `an ordinary user cannot read ${mainScript}`;
    assert.notEqual(process.env.CI, 'true', reason);
    context.skip(reason);
    return;
  }
  const home = mkdtempSync(join(tmpdir(), 'tandem-home-'));
  if (prefix.length > 0) chownSync(home, nobody, nobody);
  const lab = (...words: string[]) =>
    runProgram(['lab', ...words], { prefix, env: { HOME: home, TMPDIR: home } });
  try {
    const up = await lab('up', '--topology', 'dr', '--kernel', 'embedded');
    assert.equal(up.status, 0, up.stderr);
    assert.match(up.stdout, /lab [0-9a-f]{6} is up/);
    const table = await lab('exec', '--', 'lb1', 'ipvsadm', '-Ln');
    assert.match(table.stdout, /192\.168\.0\.220:80 wrr/);
    assert.match(table.stdout, /192\.168\.0\.10:80 +Route +3/);
    const probe = ['tandem', 'probe', '-n', '60', 'http://192.168.0.220/'];
    const answers = await lab('exec', '--', 'client', ...probe);
    // 50, 33 and 17 %, exactly: nobody else takes turns of the scheduler.
    for (const [server, count] of [
      ['rs1', 30],
      ['rs2', 20],
      ['rs3', 10],
    ] as const) {
      assert.match(answers.stdout, new RegExp(`^${server} +${count} `, 'm'));
    }
    const server = ['-c', 'lb1.yaml', '--server', '192.168.0.10'];
    const prepared = await lab('exec', '--', 'rs1', 'tandem', 'realserver', 'check', ...server);
    assert.deepEqual([prepared.status, prepared.stdout], [0, 'ready for dr: 192.168.0.220\n']);
    const status = await lab('exec', '--', 'rs1', 'sh', '-c', 'echo out; echo err >&2; exit 5');
    assert.deepEqual([status.status, status.stdout], [5, 'out\nerr\n']);
    const missing = await lab('exec', '--', 'rs9', 'true');
    assert.equal(missing.status, 127);
    assert.match(missing.stdout, /no node rs9/);
    const down = await lab('down');
    assert.match(down.stdout, /^lab [0-9a-f]{6} removed$/m);
    const left = readdirSync(home, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(left, [`tandem-labs-${prefix.length > 0 ? nobody : process.getuid?.()}`]);
    const after = await lab('exec', '--', 'lb1', 'true');
    assert.equal(after.status, 1);
    assert.match(after.stderr, /no lab is up/);
  } finally {
    await lab('down');
    if (existsSync(home)) rmSync(home, { recursive: true, force: true });
  }
});
