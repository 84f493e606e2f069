/** The http and https checks against Debian's nginx: both versions, TLS, and all that is asked. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { type Authority, makeAuthority } from './support/certificates.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { assertFailed, tryFaults } from './support/faultMatrix.js';
import {
  type ServerScene,
  serverAddress,
  serverAddress6,
  serverTest,
} from './support/serverScene.js';

const at = (port: number) => ({ address: serverAddress, port });
const plain = at(80);
const plainHttp2 = at(81);
const secure = at(443);
const clientsOnly = at(444);
const expired = at(445);
const expiresSoon = at(446);

const page = 'the page is fine\n';
const status = JSON.stringify({ status: 'ok', parts: [{ name: 'db', up: true, lag: 3 }] });

serverTest(
  'the http checks know an nginx that works from one that does not',
  ['nginx', 'openssl'],
  async (scene) => {
    const t = scene.context;
    const ca = makeAuthority(scene);
    const foreign = makeAuthority(scene, 'foreign');
    await startNginx(scene, ca);
    const tls = { ca: { file: ca.file } };
    const http: CheckText = { type: 'http' };
    const https: CheckText = { type: 'https', host: 'www.example.org', tls };

    const passes = async (check: CheckText, server = plain) => {
      const outcome = await probeBy(check, server);
      assert.equal(outcome.reason, 'passed', `${JSON.stringify(check)}: ${outcome.detail}`);
      return outcome.detail;
    };
    const fails = async (
      check: CheckText,
      server: typeof plain,
      reason: Parameters<typeof assertFailed>[2][number],
      detail: RegExp,
    ) => {
      const outcome = await probeBy(check, server);
      assertFailed(JSON.stringify(check), outcome, [reason]);
      assert.match(outcome.detail, detail);
    };

    await t.test('HTTP/1.1 and HTTP/2, in the clear and with TLS, over IPv4 and IPv6', async () => {
      assert.equal(await passes(http), 'HTTP/1.1 200 OK');
      assert.equal(await passes({ ...http, version: '2' }, plainHttp2), 'HTTP/2 200');
      assert.equal(await passes(https, secure), 'HTTP/1.1 200 OK');
      assert.equal(await passes({ ...https, version: '2' }, secure), 'HTTP/2 200');
      await passes(http, { address: serverAddress6, port: 80 });
      const outcome = await probeBy({ ...http, version: '2' }, plain);
      assert.equal(outcome.result, 'failed', 'a server of HTTP/1.1 speaks no HTTP/2');
    });

    await t.test(
      'the body is judged by text, pattern, digest and JSON, in both versions',
      async () => {
        const sha256 = createHash('sha256').update(page).digest('hex');
        const md5 = createHash('md5').update(page).digest('hex');
        const good = [
          { expect: { bodyContains: 'page is' } },
          { expect: { bodyMatches: '^the (page|site)' } },
          { expect: { bodyDigest: `sha256:${sha256}` } },
          { expect: { bodyDigest: `md5:${md5}` } },
          { path: '/status.json', expect: { bodyJson: [{ path: '$.status', equals: 'ok' }] } },
          {
            path: '/status.json',
            expect: {
              bodyJson: [
                { path: "$.parts[?@.name == 'db'].up", equals: true },
                { path: '$.parts[0].lag', equals: 3 },
                { path: '$.parts' },
              ],
            },
          },
        ];
        const bad = [
          { expect: { bodyContains: 'page was' } },
          { expect: { bodyMatches: 'fine$x' } },
          { expect: { bodyDigest: `sha256:${'0'.repeat(64)}` } },
          { expect: { bodyJson: [{ path: '$.status' }] } },
          { path: '/status.json', expect: { bodyJson: [{ path: '$.status', equals: 'down' }] } },
          { path: '/status.json', expect: { bodyJson: [{ path: '$.nothing' }] } },
        ];
        for (const version of ['1.1', '2']) {
          const server = version === '2' ? plainHttp2 : plain;
          for (const keys of good) await passes({ ...http, version, ...keys }, server);
          for (const keys of bad) {
            await fails({ ...http, version, ...keys }, server, 'body-mismatch', /./);
          }
        }
      },
    );

    await t.test('status codes, methods, headers and bodies of requests', async () => {
      await fails({ ...http, path: '/missing' }, plain, 'unexpected-status', /404 Not Found/);
      await passes({ ...http, path: '/missing', expect: { status: [200, '400-404'] } });
      await fails({ ...http, path: '/broken' }, plain, 'unexpected-status', /503/);
      await passes({ ...http, method: 'HEAD' });
      await passes({
        ...http,
        path: '/echo-method',
        method: 'OPTIONS',
        expect: { bodyContains: 'OPTIONS' },
      });
      await passes({
        ...http,
        path: '/echo-method',
        method: 'POST',
        body: 'x=1',
        expect: { bodyContains: 'POST 3' },
      });
      await passes(
        {
          ...http,
          version: '2',
          path: '/echo-method',
          method: 'PUT',
          body: 'x=12',
          expect: { bodyContains: 'PUT 4' },
        },
        plainHttp2,
      );
      const headers = { 'X-Token': 'abc' };
      await passes({ ...http, path: '/token', headers });
      await passes({ ...http, version: '2', path: '/token', headers }, plainHttp2);
      await fails({ ...http, path: '/token' }, plain, 'unexpected-status', /403/);
      await passes({ ...http, host: 'other.example.org', expect: { bodyContains: 'other' } });
    });

    await t.test('basic authentication', async () => {
      const password = { file: scene.write('password', 'open sesame\n', 0o600) };
      const wrong = { file: scene.write('wrong', 'open barley\n', 0o600) };
      const check = { ...http, path: '/private' };
      await passes({ ...check, basicAuth: { user: 'checker', password } });
      await fails(
        { ...check, basicAuth: { user: 'checker', password: wrong } },
        plain,
        'unexpected-status',
        /401/,
      );
      await fails(check, plain, 'unexpected-status', /401/);
    });

    await t.test(
      'redirects are followed on the same server, if at all, and not for ever',
      async () => {
        await fails(
          { ...http, path: '/moved' },
          plain,
          'unexpected-status',
          /302 .* to .*\/moved-again/,
        );
        await fails({ ...http, path: '/moved', redirects: 1 }, plain, 'unexpected-status', /301/);
        await passes({ ...http, path: '/moved', redirects: 2, expect: { bodyContains: 'fine' } });
        await passes(
          { ...http, version: '2', path: '/moved', redirects: 2, expect: { bodyContains: 'fine' } },
          plainHttp2,
        );
        await fails({ ...http, path: '/loop', redirects: 10 }, plain, 'unexpected-status', /302/);
        await fails(
          { ...http, path: '/to-https', redirects: 5 },
          plain,
          'unexpected-status',
          /to https:/,
        );
        // The name in the redirect is no name of this machine: it is not looked up.
        await passes({
          ...http,
          path: '/to-name',
          redirects: 1,
          expect: { bodyContains: 'other' },
        });
      },
    );

    await t.test('several requests must all be answered as they expect', async () => {
      const requests = [
        { path: '/status.json', expect: { bodyJson: [{ path: '$.status', equals: 'ok' }] } },
        { path: '/missing', expect: { status: 404 } },
      ];
      await passes({ ...http, requests });
      const withBroken = [...requests, { path: '/broken' }];
      await fails(
        { ...http, requests: withBroken },
        plain,
        'unexpected-status',
        /^\/broken: .*503/,
      );
      await passes({ ...https, version: '2', requests }, secure);
    });

    await t.test('the certificate is verified by authority, name and date', async () => {
      await fails({ ...https, tls: {} }, secure, 'certificate-untrusted', /issued by ca/);
      await fails(
        { ...https, tls: { ca: { file: foreign.file } } },
        secure,
        'certificate-untrusted',
        /./,
      );
      await fails(
        { ...https, host: 'unknown.example.org' },
        secure,
        'certificate-name',
        /DNS:www\.example\.org/,
      );
      await fails(
        { ...https, tls: { ...tls, serverName: 'unknown.example.org' } },
        secure,
        'certificate-name',
        /./,
      );
      await fails(https, expired, 'certificate-expired', /valid from .* to /);
      await passes({ ...https, tls: { verify: false } }, expired);
      await passes(https, expiresSoon);
      await passes({ ...https, tls: { ...tls, minDaysValid: 5 } }, expiresSoon);
      await fails(
        { ...https, tls: { ...tls, minDaysValid: 30 } },
        expiresSoon,
        'certificate-expires-soon',
        /9 days/,
      );
      // Without a host the certificate must be for the address.
      await passes({ type: 'https', tls }, secure);
    });

    await t.test('SNI chooses the certificate and the site', async () => {
      const other = { ...https, host: 'other.example.org', expect: { bodyContains: 'other' } };
      await passes(other, secure);
      await passes({ ...other, version: '2' }, secure);
      const bySni = { ...https, tls: { ...tls, serverName: 'other.example.org' } };
      await passes(bySni, secure);
    });

    await t.test('a client certificate opens what is closed without', async () => {
      const { certificate, key } = ca.issue('client', { names: ['client.example.org'] });
      const own = { ...tls, certificate: { file: certificate }, key: { file: key } };
      for (const version of ['1.1', '2']) {
        await passes({ ...https, version, tls: own }, clientsOnly);
        await fails({ ...https, version }, clientsOnly, 'unexpected-status', /400/);
      }
      const stranger = foreign.issue('stranger', { names: ['client.example.org'] });
      const theirs = {
        ...tls,
        certificate: { file: stranger.certificate },
        key: { file: stranger.key },
      };
      await fails({ ...https, tls: theirs }, clientsOnly, 'unexpected-status', /400/);
    });

    await t.test('a file of 100 MB is too large to be judged', async () => {
      const expect = { bodyContains: 'never' };
      await fails({ ...http, path: '/large', expect }, plain, 'too-large', /./);
      await fails({ ...http, version: '2', path: '/large', expect }, plainHttp2, 'too-large', /./);
      await passes({ ...http, path: '/large' });
      await passes({ ...http, version: '2', path: '/large' }, plainHttp2);
    });

    await t.test('a server that fails never passes', async () => {
      const body = { expect: { bodyContains: 'fine' } };
      await tryFaults([
        { title: 'http', check: http, server: plain },
        { title: 'http body', check: { ...http, ...body }, server: plain },
        { title: 'http/2', check: { ...http, version: '2' }, server: plainHttp2, answerShare: 0.9 },
        {
          title: 'http/2 body',
          check: { ...http, version: '2', ...body },
          server: plainHttp2,
          answerShare: 0.9,
        },
        { title: 'https', check: https, server: secure, answerShare: 0.9 },
        {
          title: 'https http/2',
          check: { ...https, version: '2', ...body },
          server: secure,
          answerShare: 0.85,
        },
      ]);
    });
  },
);

async function startNginx(scene: ServerScene, ca: Authority): Promise<void> {
  const site = scene.makeFolder('site');
  scene.write('site/index.html', page);
  scene.write('site/status.json', status);
  truncateSync(scene.write('site/large', ''), 100_000_000);
  scene.write('users', `checker:{PLAIN}open sesame\n`);
  const names = ['www.example.org', serverAddress];
  const www = ca.issue('www', { names });
  const other = ca.issue('other', { names: ['other.example.org'] });
  const old = ca.issue('old', { names, days: -1 });
  const soon = ca.issue('soon', { names, days: 10 });
  const pair = ({ certificate, key }: typeof www) =>
    `ssl_certificate ${certificate}; ssl_certificate_key ${key};`;
  const content = `
    root ${site};
    location = /large { gzip off; }
    location = /broken { return 503; }
    location = /echo-method { return 200 "$request_method $content_length"; }
    location = /token { if ($http_x_token != abc) { return 403; } return 200; }
    location = /private {
      auth_basic private;
      auth_basic_user_file ${scene.path('users')};
      try_files /index.html =404;
    }
    location = /moved { return 302 /moved-again; }
    location = /moved-again { return 301 /; }
    location = /loop { return 302 /loop; }
    location = /to-https { return 301 https://www.example.org/; }
    location = /to-name { return 307 http://other.example.org/; }
  `;
  const configuration = `
daemon off;
user root;
worker_processes 1;
pid ${scene.path('nginx.pid')};
error_log stderr;
events { worker_connections 512; }
http {
  access_log off;
  ssl_protocols TLSv1.2 TLSv1.3;
  absolute_redirect off;
  client_body_temp_path ${scene.path('body')};
  proxy_temp_path ${scene.path('proxy')};
  fastcgi_temp_path ${scene.path('fastcgi')};
  uwsgi_temp_path ${scene.path('uwsgi')};
  scgi_temp_path ${scene.path('scgi')};
  server { listen 80 default_server; listen [::]:80; listen 81 http2; ${content} }
  server { listen 80; server_name other.example.org; return 200 "other"; }
  server { listen 443 ssl http2 default_server; ${pair(www)} ${content} }
  server { listen 443 ssl http2; server_name other.example.org; ${pair(other)} return 200 "other"; }
  server {
    listen 444 ssl http2;
    ${pair(www)}
    ssl_verify_client on;
    ssl_client_certificate ${ca.file};
    ${content}
  }
  server { listen 445 ssl; ${pair(old)} ${content} }
  server { listen 446 ssl; ${pair(soon)} ${content} }
}
`;
  const file = scene.write('nginx.conf', configuration);
  const ports = [80, 81, 443, 444, 445, 446];
  await scene.start('nginx', ['-p', scene.folder, '-c', file, '-e', 'stderr'], ports);
}
