import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tcpServer } from './support/servers.js';

const child = fileURLToPath(new URL('./support/probeWithoutDescriptors.js', import.meta.url));

test('a process that has no descriptor left does not blame the server', async (t) => {
  const server = await tcpServer(t, () => undefined);
  // The shell sets the limit, which Node would otherwise raise as far as it may.
  const { stdout } = await promisify(execFile)('/bin/sh', [
    '-c',
    'ulimit -n 64 && exec "$@"',
    'sh',
    process.execPath,
    child,
    String(server.target.port),
  ]);
  const outcomes: unknown = JSON.parse(stdout);
  const expected = {
    result: 'inconclusive',
    reason: 'local-resources',
    detail: 'socket failed: EMFILE: Too many open files',
  };
  assert.deepEqual(outcomes, [expected, expected]);
});
