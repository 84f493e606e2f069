import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rootTest } from './support/rootTest.js';

rootTest('without privilege each refusal names the capability that is missing', async () => {
  const script = fileURLToPath(new URL('./support/unprivileged.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const outcomes: Record<string, { code: string; hint: string; message: string }> =
    JSON.parse(stdout);
  const expected = {
    vrrpSocket: 'CAP_NET_RAW',
    packetSocket: 'CAP_NET_RAW',
    address: 'CAP_NET_ADMIN',
    namespace: 'CAP_SYS_ADMIN',
    sysctl: 'CAP_NET_ADMIN',
  };
  for (const [name, capability] of Object.entries(expected)) {
    const outcome = outcomes[name];
    assert.equal(outcome?.code, 'PERMISSION', `${name}: ${outcome?.message}`);
    assert.match(outcome.hint, new RegExp(`${capability}: run as root, or grant`));
    assert.match(outcome.message, /EPERM|EACCES/);
  }
  assert.equal(outcomes.links?.code, 'done', 'reading needs no privilege');
});
