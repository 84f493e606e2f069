/** The redis check against Debian's Redis: a master with TLS and users, and its replica. */
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { waitFor } from '../../tools/waiting.js';
import { makeAuthority } from './support/certificates.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { assertFailed, tryFaults } from './support/faultMatrix.js';
import { type ServerScene, serverAddress, serverTest } from './support/serverScene.js';

const master = { address: serverAddress, port: 6379 };
const masterTls = { address: serverAddress, port: 6380 };
const replica = { address: serverAddress, port: 6381 };

/** The server is the checker of its files under another name. */
function redisProgram(scene: ServerScene): string {
  const path = scene.path('redis-server');
  symlinkSync('/usr/bin/redis-check-rdb', path);
  return path;
}

serverTest(
  'the redis check knows a Redis that works from one that does not',
  ['redis-check-rdb'],
  async (scene) => {
    const t = scene.context;
    const ca = makeAuthority(scene);
    const { certificate, key } = ca.issue('redis', { names: [serverAddress] });
    const program = redisProgram(scene);
    const common = ['--bind', serverAddress, '--save', '', '--protected-mode', 'no'];
    const acl = 'checker on >checker-secret ~* +ping +role';
    const users = ['--user', ...acl.split(' '), '--requirepass', 'secret'];
    const tls = ['--tls-port', '6380', '--tls-cert-file', certificate, '--tls-key-file', key];
    const verify = ['--tls-ca-cert-file', ca.file, '--tls-auth-clients', 'no'];
    const following = ['--replicaof', `${serverAddress} 6379`, '--masterauth', 'secret'];
    await Promise.all([
      scene.start(
        program,
        ['--port', '6379', ...common, ...users, ...tls, ...verify],
        [6379, 6380],
      ),
      scene.start(
        program,
        ['--port', '6381', '--dir', scene.folder, ...common, ...following],
        [6381],
      ),
    ]);
    const password = { file: scene.write('password', 'secret\n', 0o600) };
    const wrong = { file: scene.write('wrong', 'not-it\n', 0o600) };
    const check: CheckText = { type: 'redis', password };

    await t.test('with the password it passes', async () => {
      const outcome = await probeBy(check, master);
      assert.deepEqual(outcome, { result: 'passed', reason: 'passed', detail: '+PONG' });
    });

    await t.test('a user of its own logs in with its own password', async () => {
      const own = { file: scene.write('own', 'checker-secret', 0o600) };
      const outcome = await probeBy({ ...check, user: 'checker', password: own }, master);
      assert.equal(outcome.reason, 'passed', outcome.detail);
    });
    await t.test('without a password, or with a wrong one, it fails', async () => {
      const none = await probeBy({ type: 'redis' }, master);
      assertFailed('none', none, ['unexpected-answer']);
      assert.match(none.detail, /PING was answered by "-NOAUTH/);
      const refused = await probeBy({ ...check, password: wrong }, master);
      assertFailed('wrong', refused, ['unexpected-answer']);
      assert.match(refused.detail, /AUTH was answered by "-WRONGPASS/);
    });

    await t.test('the role is that of the server', async () => {
      const asMaster = { ...check, role: 'master' };
      const asReplica = { type: 'redis', role: 'replica' };
      assert.equal((await probeBy(asMaster, master)).detail, '+PONG, master');
      await waitFor('the replica follows', async () => {
        return (await probeBy(asReplica, replica)).reason === 'passed';
      });
      const outcome = await probeBy({ ...check, role: 'replica' }, master);
      assertFailed('a master', outcome, ['unexpected-answer']);
      assert.equal(outcome.detail, 'the role is master and not replica');
    });

    await t.test('TLS is spoken and the certificate verified', async () => {
      const secure = { ...check, tls: { ca: { file: ca.file } } };
      assert.equal((await probeBy(secure, masterTls)).reason, 'passed');
      assertFailed('unknown', await probeBy({ ...check, tls: {} }, masterTls), [
        'certificate-untrusted',
      ]);
      assertFailed('no TLS', await probeBy(secure, master, 1_000), ['timeout']);
    });

    await t.test('a server that fails never passes', async () => {
      const secure = { ...check, tls: { ca: { file: ca.file } } };
      await tryFaults([
        { title: 'redis', check, server: master },
        { title: 'redis role', check: { ...check, role: 'master' }, server: master },
        { title: 'redis tls', check: secure, server: masterTls, answerShare: 0.9 },
      ]);
    });
  },
);
