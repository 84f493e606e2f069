/** The tls and tcp checks against nginx and OpenSSL's own server. */
import assert from 'node:assert/strict';
import { makeAuthority } from './support/certificates.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { assertFailed, tryFaults } from './support/faultMatrix.js';
import { serverAddress, serverAddress6, serverTest } from './support/serverScene.js';

const at = (port: number) => ({ address: serverAddress, port });

const request = 'GET / HTTP/1.0\\r\\n\\r\\n';

serverTest(
  'the tls and tcp checks know servers that work from those that do not',
  ['nginx', 'openssl'],
  async (scene) => {
    const t = scene.context;
    const ca = makeAuthority(scene);
    const names = [serverAddress, serverAddress6, 'www.example.org'];
    const good = ca.issue('good', { names });
    const soon = ca.issue('soon', { names, days: 10 });
    const old = ca.issue('old', { names, days: -1 });
    const client = ca.issue('client', { names: ['client.example.org'] });
    const configuration = scene.write(
      'nginx.conf',
      `daemon off;
user root;
pid ${scene.path('nginx.pid')};
events { }
http {
  access_log off;
  ssl_protocols TLSv1.2 TLSv1.3;
  client_body_temp_path ${scene.path('b')};
  proxy_temp_path ${scene.path('p')};
  fastcgi_temp_path ${scene.path('f')};
  uwsgi_temp_path ${scene.path('u')};
  scgi_temp_path ${scene.path('s')};
  server { listen 80; listen [::]:80; return 200 "fine"; }
  server {
    listen 443 ssl;
    listen [::]:443 ssl;
    ssl_certificate ${good.certificate};
    ssl_certificate_key ${good.key};
    return 200 "fine";
  }
  server { listen 444 ssl; ssl_certificate ${soon.certificate}; ssl_certificate_key ${soon.key}; }
  server { listen 445 ssl; ssl_certificate ${old.certificate}; ssl_certificate_key ${old.key}; }
}
`,
    );
    await scene.start(
      'nginx',
      ['-p', scene.folder, '-c', configuration, '-e', 'stderr'],
      [80, 443, 444, 445],
    );
    const tls = { ca: { file: ca.file } };
    const check: CheckText = { type: 'tls', tls };

    await t.test('the handshake passes, and tells how long the certificate is valid', async () => {
      for (const address of [serverAddress, serverAddress6]) {
        const { reason, detail } = await probeBy(check, { address, port: 443 });
        assert.equal(reason, 'passed', detail);
        assert.match(detail, /^TLSv1\.3, certificate valid for 36[45] days$/);
      }
    });

    await t.test('the days until the certificate ends are counted', async () => {
      const within = (minDaysValid: number, port: number) =>
        probeBy({ ...check, tls: { ...tls, minDaysValid } }, at(port));
      assert.equal((await within(300, 443)).reason, 'passed');
      assertFailed('365', await within(400, 443), ['certificate-expires-soon']);
      assert.equal((await within(9, 444)).reason, 'passed');
      const outcome = await within(11, 444);
      assertFailed('11', outcome, ['certificate-expires-soon']);
      assert.match(outcome.detail, /^valid to .*, 9 days$/);
      // Who does not trust the certificate may still want to know when it ends.
      const unverified = { verify: false, minDaysValid: 11 };
      assertFailed('unverified', await probeBy({ ...check, tls: unverified }, at(444)), [
        'certificate-expires-soon',
      ]);
      assertFailed('ended', await within(0, 445), ['certificate-expired']);
      assertFailed(
        'ended',
        await probeBy({ ...check, tls: { verify: false, minDaysValid: 0 } }, at(445)),
        ['certificate-expires-soon'],
      );
    });

    await t.test(
      'words are exchanged inside and outside of TLS, in one step or several',
      async () => {
        const said = { send: request, expect: '200 OK' };
        for (const [type, port] of [
          ['tls', 443],
          ['tcp', 80],
        ] as const) {
          const base = type === 'tls' ? check : { type };
          const pass = await probeBy({ ...base, ...said }, at(port));
          assert.equal(pass.reason, 'passed', pass.detail);
          const pattern = await probeBy(
            { ...base, send: request, expectMatches: 'Server: nginx/[0-9.]+' },
            at(port),
          );
          assert.equal(pattern.reason, 'passed', pattern.detail);
          const steps = [{ expectMatches: 'fine$' }];
          const both = await probeBy({ ...base, send: request, steps }, at(port));
          assert.equal(both.reason, 'passed', both.detail);
          const other = await probeBy({ ...base, send: request, expect: '500 Oops' }, at(port));
          assertFailed(type, other, ['truncated']);
          assert.match(other.detail, /before what step 1 expects: "HTTP\/1\.1 200 OK/);
        }
        assert.equal((await probeBy({ type: 'tcp' }, at(80))).reason, 'passed');
        assert.equal(
          (await probeBy({ type: 'tcp' }, { address: serverAddress6, port: 80 })).reason,
          'passed',
        );
      },
    );

    await t.test('a server that speaks no TLS, or an old one, fails the handshake', async () => {
      assertFailed('plain', await probeBy(check, at(80)), ['tls-handshake']);
      const args = ['s_server', '-quiet', '-cert', good.certificate, '-key', good.key];
      await scene.start(
        'openssl',
        [...args, '-accept', `${serverAddress}:5001`, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
        [5001],
      );
      assertFailed('TLS 1.1', await probeBy(check, at(5001)), ['tls-handshake']);
    });

    for (const version of ['-tls1_2', '-tls1_3']) {
      await t.test(`a server that wants a certificate gets it, with ${version}`, async () => {
        const port = version === '-tls1_2' ? 5002 : 5003;
        const args = ['s_server', '-quiet', '-cert', good.certificate, '-key', good.key, version];
        const wants = ['-Verify', '1', '-verify_return_error', '-CAfile', ca.file, '-rev'];
        await scene.start(
          'openssl',
          [...args, ...wants, '-accept', `${serverAddress}:${port}`],
          [port],
        );
        const words = { send: 'abc\\n', expect: 'cba' };
        const own = {
          ...tls,
          certificate: { file: client.certificate },
          key: { file: client.key },
        };
        const pass = await probeBy({ ...check, ...words, tls: own }, at(port));
        assert.equal(pass.reason, 'passed', `${pass.reason}, ${pass.detail}`);
        const without = await probeBy({ ...check, ...words }, at(port));
        assertFailed('without', without, ['tls-handshake']);
        assert.match(without.detail, /TLS: .*(handshake failure|certificate required)/);
      });
    }

    await t.test('a server that fails never passes', async () => {
      const said = { send: request, expect: 'fine' };
      await tryFaults([
        // Half of it is the handshake; tickets come behind it.
        { title: 'tls', check, server: at(443), answerShare: 0.5 },
        { title: 'tls words', check: { ...check, ...said }, server: at(443), answerShare: 0.9 },
        { title: 'tcp words', check: { type: 'tcp', ...said }, server: at(80) },
      ]);
    });
  },
);
