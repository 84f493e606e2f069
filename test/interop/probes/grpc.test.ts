/** The grpc check against gRPC's own server for Node with its own health service. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { makeAuthority } from './support/certificates.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { assertFailed, tryFaults } from './support/faultMatrix.js';
import { type ServerScene, serverAddress, serverTest } from './support/serverScene.js';

serverTest(
  'the grpc check knows a server that works from one that does not',
  ['openssl'],
  async (scene) => {
    const t = scene.context;
    const ca = makeAuthority(scene);
    const tls = { ca: { file: ca.file } };
    const files = ca.issue('grpc', { names: [serverAddress, 'grpc.example.org'] });
    const health = new HealthImplementation({
      '': 'SERVING',
      'shop.Cart': 'SERVING',
      'shop.Orders': 'NOT_SERVING',
      'shop.Stock': 'UNKNOWN',
    });
    const pair = {
      cert_chain: readFileSync(files.certificate),
      private_key: readFileSync(files.key),
    };
    const plain = await listen(scene, ServerCredentials.createInsecure(), health);
    const secure = await listen(scene, ServerCredentials.createSsl(null, [pair]), health);
    const without = await listen(scene, ServerCredentials.createInsecure());
    const check: CheckText = { type: 'grpc' };

    await t.test('only what is serving passes, in the clear and with TLS', async () => {
      for (const keys of [{}, { service: 'shop.Cart' }, { authority: 'grpc.example.org' }]) {
        const { reason, detail } = await probeBy({ ...check, ...keys }, plain);
        assert.equal(reason, 'passed', detail);
        const overTls = await probeBy({ ...check, ...keys, tls }, secure);
        assert.equal(overTls.reason, 'passed', overTls.detail);
      }
      for (const [service, text] of [
        ['shop.Orders', /NOT_SERVING/],
        ['shop.Stock', /UNKNOWN/],
        ['shop.Nothing', /NOT_FOUND/],
      ] as const) {
        const outcome = await probeBy({ ...check, service }, plain);
        assertFailed(service, outcome, ['unexpected-answer']);
        assert.match(outcome.detail, text);
      }
    });

    await t.test('a service that stops serving fails from then on', async () => {
      health.setStatus('shop.Cart', 'NOT_SERVING');
      assertFailed('down', await probeBy({ ...check, service: 'shop.Cart' }, plain), [
        'unexpected-answer',
      ]);
      health.setStatus('shop.Cart', 'SERVING');
      assert.equal((await probeBy({ ...check, service: 'shop.Cart' }, plain)).reason, 'passed');
    });

    await t.test('a server without the health service is told apart', async () => {
      const outcome = await probeBy(check, without);
      assertFailed('without', outcome, ['unexpected-answer']);
      assert.match(outcome.detail, /UNIMPLEMENTED: the server has no health service/);
    });

    await t.test('the certificate is verified', async () => {
      const untrusted = await probeBy({ ...check, tls: {} }, secure);
      assertFailed('untrusted', untrusted, ['certificate-untrusted']);
      const misnamed = { ...check, tls: { ...tls, serverName: 'other.example.org' } };
      assertFailed('misnamed', await probeBy(misnamed, secure), ['certificate-name']);
      const named = { ...check, tls: { ...tls, serverName: 'grpc.example.org' } };
      assert.equal((await probeBy(named, secure)).reason, 'passed');
    });

    await t.test('a server that fails never passes', async () => {
      await tryFaults([
        { title: 'grpc', check, server: plain, answerShare: 0.9 },
        { title: 'grpc tls', check: { ...check, tls }, server: secure, answerShare: 0.85 },
      ]);
    });
  },
);

/** Listens on a free port; with a health service, if it is given one. */
async function listen(
  scene: ServerScene,
  credentials: ServerCredentials,
  health?: HealthImplementation,
) {
  const server = new Server();
  health?.addToServer(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${serverAddress}:0`, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  scene.context.after(() => server.forceShutdown());
  return { address: serverAddress, port };
}
